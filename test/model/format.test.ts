import { expect } from "chai";
import { hasCode, messageOf } from "../../src/model/errors.js";
import { checkMeta, mayRaise } from "../../src/model/format.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { identity, quiet } from "../testing/rows.js";

const meta = { liveness: "worker", format: 1, joins: 3 };

function refusal(found: Parameters<typeof checkMeta>[0]): string {
  try {
    checkMeta(found);
  } catch (error) {
    expect(hasCode(error, "table-mismatch")).to.be.true;
    return messageOf(error);
  }
  throw new Error("it was accepted");
}

describe("what the tables say of themselves", () => {
  it("is accepted in this version's mode and format", () => {
    expect(() => checkMeta(meta)).to.not.throw();
  });

  it("is refused in another mode, naming both", () => {
    expect(refusal({ ...meta, liveness: "lease" })).to.match(/"lease".*"worker"/);
  });

  it("is refused in a newer format, written by a newer version", () => {
    expect(refusal({ ...meta, format: 2 })).to.match(/format 2, written by a newer version.*up to 1/);
  });

  it("is refused in a format older than is read", () => {
    expect(refusal({ ...meta, format: 0 })).to.match(/format 0.*from 1 up/);
  });
});

describe("the format that a fleet writes", () => {
  const row = (workerId: string, more: Partial<WorkerRow> = {}): WorkerRow => ({
    ...identity(workerId),
    ...quiet,
    beat: 3,
    mailbox: new Map(),
    ...more,
  });
  const older = { ...meta, format: 0 };

  it("may be raised when every unfenced row says that it reads the newer", () => {
    expect(mayRaise(older, [row("a"), row("b")])).to.equal(true);
    expect(mayRaise(older, [row("a"), row("b", { readsFormat: 0 })])).to.equal(false);
    expect(mayRaise(older, [row("a"), row("b", { readsFormat: 0, fencedBy: "a" })])).to.equal(true);
  });

  it("is not raised past a tombstone, whose worker may have read anything", () => {
    const stone = { ...emptyWorkerRow("b", -1), readsFormat: 0 };
    expect(mayRaise(older, [row("a"), stone])).to.equal(false);
    expect(mayRaise(older, [row("a"), { ...stone, fencedBy: "a" }])).to.equal(true);
  });

  it("is not raised above what this version writes", () => {
    expect(mayRaise(meta, [row("a", { readsFormat: 2 })])).to.equal(false);
  });
});
