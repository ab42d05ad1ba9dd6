import { expect } from "chai";
import { historyText } from "../../src/cli/history.js";
import { table } from "../../src/cli/output.js";
import { statusText } from "../../src/cli/status.js";

/** More than a call takes arguments. */
const many = 150_000;

function rows<T>(make: (key: string) => T): readonly T[] {
  return Array.from({ length: many }, (_, i) => make(`s${String(i)}`));
}

function linesOf(text: string): readonly string[] {
  return text.trimEnd().split("\n");
}

describe("what the commands show of a fleet with more leases than a call takes arguments", () => {
  it("is a table as wide as its widest cell, wherever that stands", () => {
    const lines = table(
      ["LEASE", "N"],
      rows((key) => [key, 1]),
    );
    expect(lines).to.have.lengthOf(many + 1);
    expect(lines.slice(0, 2)).to.deep.equal(["LEASE    N", "s0       1"]);
    expect(lines.at(-1)).to.equal(`s${String(many - 1)}  1`);
  });

  it("is every lease in the status, and every row that cannot be read beneath", () => {
    const lines = linesOf(
      statusText({
        application: "orders",
        liveness: "worker",
        planner: null,
        workers: [],
        leases: rows((leaseKey) => ({
          ...{ leaseKey, owner: null, epoch: null, checkpoint: null, parents: [] },
          ...{ state: "invalid", problem: "it has no checkpoint" },
        })),
      }),
    );
    expect(lines.filter((line) => line.startsWith("s"))).to.have.lengthOf(many);
    expect(lines.at(-1)).to.equal(`row s${String(many - 1)} cannot be read: it has no checkpoint`);
    expect(lines.filter((line) => line.startsWith("row "))).to.have.lengthOf(many);
  });

  it("is every tenure in the history", () => {
    const lines = linesOf(
      historyText({
        application: "orders",
        actions: [{ action: "fence", worker: "w1", by: "ada", at: "2026-01-02T00:00:00.000Z" }],
        tenures: rows((leaseKey) => ({
          leaseKey,
          epoch: 7,
          worker: "w1",
          reason: "created",
          since: "2026-01-01T00:00:00.000Z",
        })),
      }),
    );
    expect(lines.filter((line) => line.startsWith("s"))).to.have.lengthOf(many);
    expect(lines.slice(-2)).to.deep.equal(["", "ada fenced w1 at 2026-01-02T00:00:00.000Z"]);
  });
});
