import { expect } from "chai";
import type { LeaseholdEvent } from "../../../src/model/events.js";
import type { Journal } from "../../../src/testing/chaos/journal.js";
import { checkRun, traceOf } from "../../../src/testing/chaos/trace.js";

const created = (workerId: string): LeaseholdEvent => ({ type: "worker-created", workerId });

function journal(name: string, at: number, killedAt?: number): Journal {
  return {
    name,
    lines: [
      { what: "began", at: at - 1, pid: 1, label: name },
      { what: "event", at, event: created(name) },
    ],
    ...(killedAt === undefined ? {} : { killedAt }),
  };
}

const linesOf = (...journals: readonly Journal[]): unknown[] =>
  traceOf({ journals }).map((line) => JSON.parse(line) as unknown);

describe("the trace of a chaos run", () => {
  it("has every event with its time and its process, and nothing else of the journals", () => {
    expect(linesOf(journal("a", 10), journal("b", 5))).to.deep.equal([
      { at: 10, source: "a", event: created("a") },
      { at: 5, source: "b", event: created("b") },
    ]);
  });

  it("has the death of a process that was killed, never before its last word", () => {
    expect(linesOf(journal("a", 10, 30)).at(-1)).to.deep.equal({ at: 30, source: "a", died: true });
    expect(linesOf(journal("a", 10, 9)).at(-1)).to.deep.equal({ at: 10, source: "a", died: true });
  });

  it("goes before the monitor, which finds a worker that was created twice", () => {
    const { violations, events, sources } = checkRun(
      { journals: [journal("a", 10), journal("a", 12)] },
      4_000,
    );
    expect(violations.map(({ rule }) => rule)).to.deep.equal(["id-used-once"]);
    expect({ events, sources }).to.deep.equal({ events: 2, sources: 1 });
  });
});
