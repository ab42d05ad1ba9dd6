import { expect } from "chai";
import fc from "fast-check";
import {
  allAreObserved,
  assignObservers,
  markOf,
  mostObserved,
  observedBy,
  observersFor,
  observesAll,
} from "../../src/model/observers.js";
import { plannerRank, ranked } from "../../src/model/rendezvous.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";

/** A worker's row that has beaten; `observes` in ids. */
function row(workerId: string, more: Partial<WorkerRow> = {}, observes?: readonly string[]): WorkerRow {
  const marks = observes?.map(markOf).sort();
  return {
    ...emptyWorkerRow(workerId, 3),
    ...(marks === undefined ? {} : { observes: { plannerEpoch: 1, marks } }),
    ...more,
  };
}

const named = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `w${String(i)}`);
const fencedBy = "somebody";

/** The rows after the planner's writes. */
function assigned(rows: readonly WorkerRow[]): readonly WorkerRow[] {
  const lists = new Map(assignObservers(rows).map(({ observer, marks }) => [observer, marks]));
  return rows.map((one) => {
    const marks = lists.get(one.workerId);
    return marks === undefined ? one : { ...one, observes: { plannerEpoch: 2, marks } };
  });
}

/** Ids of the live rows that name a worker. */
function observersOf(workerId: string, rows: readonly WorkerRow[]): readonly string[] {
  return rows
    .filter((one) => one.fencedBy === undefined && one.observes?.marks.includes(markOf(workerId)))
    .map((one) => one.workerId);
}

describe("a worker's mark", () => {
  it("has 8 characters whatever the id, and tells ten thousand ids apart", () => {
    const marks = new Set(Array.from({ length: 10_000 }, (_, i) => markOf(`worker-${String(i)}`)));
    expect(marks.size).to.equal(10_000);
    for (const mark of [markOf(""), markOf("x".repeat(300)), ...marks])
      expect(mark).to.match(/^[0-9A-Za-z_-]{8}$/);
  });

  it("is the same in every version that runs beside this one", () => {
    expect(markOf("worker-1-0123456789ab")).to.equal("ItEdBUDN");
  });
});

describe("the observers that a newcomer names", () => {
  it("are those that live and stay, in rendezvous order", () => {
    const rows = [
      ...named(5).map((id) => row(id)),
      row("new", { beat: 0 }),
      row("dead", { fencedBy }),
      row("leaving", { draining: true }),
      row("blind", { blind: true }),
      row("unborn", { beat: 0 }),
      row("buried", { beat: -1 }),
    ];
    expect(observersFor("new", rows)).to.deep.equal(ranked("new", named(5)));
  });

  it("have room for it", () => {
    const rows = [row("full", {}, named(mostObserved)), row("free", {}, named(mostObserved - 1)), row("new")];
    expect(observersFor("new", rows)).to.deep.equal(["free"]);
  });
});

describe("a planner's assignment of observers", () => {
  it("gives every row three others, and is done then", () => {
    const rows = assigned(named(12).map((id) => row(id)));
    for (const id of named(12)) {
      expect(observersOf(id, rows), id).to.have.length(3).and.not.to.include(id);
    }
    expect(allAreObserved(rows)).to.equal(true);
    expect(assignObservers(rows)).to.deep.equal([]);
  });

  it("gives as many as there are where the others are fewer than three", () => {
    expect(assignObservers([row("w1")])).to.deep.equal([]);
    const rows = assigned([row("w1"), row("w2")]);
    expect(observersOf("w1", rows)).to.deep.equal(["w2"]);
    expect(observersOf("w2", rows)).to.deep.equal(["w1"]);
  });

  it("watches leavers, tombstones and workers that have not beaten, and has none of them watch", () => {
    const odd = [row("leaving", { draining: true }), row("buried", { beat: -1 }), row("unborn", { beat: 0 })];
    const rows = assigned([...named(9).map((id) => row(id)), ...odd]);
    for (const { workerId } of odd) {
      expect(observersOf(workerId, rows)).to.have.length(3);
      expect(rows.find((one) => one.workerId === workerId)?.observes).to.equal(undefined);
    }
  });

  it("replaces an observer that is fenced, gone or leaving, and changes nothing else", () => {
    const before = assigned(named(12).map((id) => row(id)));
    for (const how of [{ fencedBy }, { draining: true }, undefined]) {
      const lost = observersOf("w3", before)[0] ?? "";
      const rows =
        how === undefined
          ? before.filter((one) => one.workerId !== lost)
          : before.map((one) => (one.workerId === lost ? { ...one, ...how } : one));
      expect(allAreObserved(rows)).to.equal(false);
      const after = assigned(rows);
      const stay = after.filter((one) => one.workerId !== lost);
      expect(allAreObserved(after)).to.equal(true);
      for (const id of named(12)) {
        if (id === lost) continue;
        const kept = observersOf(id, before).filter((one) => one !== lost);
        expect(observersOf(id, stay), id).to.include.members([...kept]);
      }
    }
  });

  it("takes the fenced out of the lists, and watches a row no more than three times", () => {
    const rows = [
      ...named(9).map((id) => row(id, {}, ["dead", "long-gone", "w0"])),
      row("dead", { fencedBy }),
    ];
    const after = assigned(rows);
    expect(observersOf("w0", after)).to.have.length(3);
    for (const one of after) expect(one.observes?.marks ?? []).not.to.include(markOf("dead"));
    for (const one of after) expect(one.observes?.marks ?? []).not.to.include(markOf("long-gone"));
  });

  it("names a blind worker no more, and leaves it what it was named for: in an outage all are blind", () => {
    const before = assigned(named(12).map((id) => row(id)));
    expect(assignObservers(before.map((one) => ({ ...one, blind: true })))).to.deep.equal([]);
    const fresh = assigned(named(12).map((id) => row(id, { blind: id === "w5" })));
    expect(fresh.find((one) => one.workerId === "w5")?.observes).to.equal(undefined);
  });

  it("counts nobody as its own observer", () => {
    const rows = named(9).map((id) => row(id, {}, [id]));
    expect(allAreObserved(rows)).to.equal(false);
    const after = assigned(rows);
    for (const id of named(9)) expect(observersOf(id, after)).to.have.length(3).and.not.to.include(id);
  });

  it("whatever the fleet, reaches in one go what it wants, within what a row may hold", () => {
    const worker = fc.record({
      state: fc.constantFrom(
        "live",
        "live",
        "live",
        "live",
        "fenced",
        "draining",
        "blind",
        "unborn",
        "buried",
      ),
      observes: fc.array(fc.integer({ min: 0, max: 29 }), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(worker, { minLength: 1, maxLength: 30 }), (workers) => {
        const rows = workers.map(({ state, observes }, i) =>
          row(
            `w${String(i)}`,
            {
              ...(state === "fenced" ? { fencedBy } : {}),
              ...(state === "unborn" ? { beat: 0 } : state === "buried" ? { beat: -1 } : {}),
              draining: state === "draining",
              blind: state === "blind",
            },
            [...new Set(observes)].map((n) => `w${String(n)}`),
          ),
        );
        const after = assigned(rows);
        expect(assignObservers(after)).to.deep.equal([]);
        const unfenced = after.filter((one) => one.fencedBy === undefined);
        const targets = unfenced.filter((one) => one.beat > 0 && !one.draining && !one.blind);
        for (const one of targets) expect(one.observes?.marks.length ?? 0).to.be.at.most(mostObserved);
        // Room for all: every row has its three of those that may be named.
        if (targets.length * (mostObserved - 6) < unfenced.length * 3) return;
        for (const { workerId } of unfenced) {
          const others = targets.filter((one) => one.workerId !== workerId).length;
          const staying = unfenced.filter((one) => one.beat > 0 && !one.draining);
          const found = observersOf(workerId, staying).filter((id) => id !== workerId);
          expect(found.length, workerId).to.be.at.least(Math.min(3, others));
          expect(found.length, workerId).to.be.at.most(3);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("whether a worker reads every row", () => {
  it("is so for all up to eight unfenced workers, the dead not counted", () => {
    const eight = [...named(8).map((id) => row(id)), row("dead", { fencedBy })];
    for (const id of named(8)) expect(observesAll(id, "w0", eight)).to.equal(true);
    const nine = named(9).map((id) => row(id));
    expect(named(9).filter((id) => observesAll(id, "w0", nine))).to.have.length(3);
  });

  it("is so for the planner and the two next in rank", () => {
    const rows = named(20).map((id) => row(id));
    const others = named(20).filter((id) => id !== "w7");
    const next = [...others].sort((a, b) => plannerRank(a, others) - plannerRank(b, others)).slice(0, 2);
    const all = named(20).filter((id) => observesAll(id, "w7", rows));
    expect(all).to.have.members(["w7", ...next]);
  });

  it("passes over those in rank that leave", () => {
    const rows = named(20).map((id) => row(id));
    const [first] = named(20).filter((id) => id !== "w7" && observesAll(id, "w7", rows));
    const leaving = rows.map((one) => (one.workerId === first ? { ...one, draining: true } : one));
    const all = named(20).filter((id) => observesAll(id, "w7", leaving));
    expect(all).to.have.length(3).and.not.to.include(first);
  });
});

describe("the workers that a row's marks name", () => {
  it("are told from marks of strangers", () => {
    const own = row("w0", {}, ["w1", "w2", "never-seen"]);
    expect(observedBy(own, [own, row("w1"), row("w2"), row("w3")])).to.deep.equal({
      known: ["w1", "w2"],
      strangers: [markOf("never-seen")],
    });
    expect(observedBy(row("w0"), [row("w1")])).to.deep.equal({ known: [], strangers: [] });
  });
});
