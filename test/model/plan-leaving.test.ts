import { expect } from "chai";
import fc from "fast-check";
import { planLeaving } from "../../src/model/plan-leaving.js";
import { anyFleet, deepFreeze } from "./plan-arbitraries.js";
import {
  applyMoves,
  countsOf,
  evenFleet,
  fleet,
  keyOf,
  loadsOf,
  runRounds,
  seeded,
  shuffled,
  spread,
  zipf,
} from "./plan-fleet.js";

/** What each target gets. */
function gets(moves: readonly { to: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { to } of moves) counts[to] = (counts[to] ?? 0) + 1;
  return counts;
}

describe("planLeaving", () => {
  const leaving = { L: { draining: true } };

  it("gives all of the leaver's leases to the others, evenly", () => {
    expect(gets(planLeaving(fleet("LLLLLLLLAABB", { workers: { ...leaving, C: {} } }), "L"))).to.deep.equal({
      A: 2,
      B: 2,
      C: 4,
    });
  });

  it("fills the emptiest first, which is its replacement where there is one", () => {
    const moves = planLeaving(fleet("LLLAAABBB", { workers: { ...leaving, N: { joining: true } } }), "L");
    expect(gets(moves)).to.deep.equal({ N: 3 });
    expect(moves.every(({ why, from }) => why === "drain" && from === "L")).to.equal(true);
  });

  it("gives the heaviest first", () => {
    const moves = planLeaving(fleet("LLLA", { workers: { ...leaving, B: {} }, weights: [1, 3, 2, 1] }), "L");
    expect(moves.map(({ leaseKey }) => leaseKey)).to.deep.equal([keyOf(1), keyOf(2), keyOf(0)]);
    expect(moves[0]?.to).to.equal("B");
  });

  it("balances by weight", () => {
    const weights = zipf(200, 0.6);
    const snapshot = evenFleet(200, 5, { weights, workers: { w004: { draining: true } } });
    const after = applyMoves(snapshot, planLeaving(snapshot, "w004"));
    const loads = loadsOf(after).slice(0, 4);
    expect((Math.max(...loads) * 4) / loads.reduce((a, b) => a + b)).to.be.at.most(1.1);
  });

  it("needs no move after it that would undo one of its own", () => {
    const snapshot = evenFleet(1_000, 21, { workers: { w020: { draining: true } } });
    const after = applyMoves(snapshot, planLeaving(snapshot, "w020"));
    expect(spread(Object.values(countsOf(after)).filter((count) => count > 0))).to.be.at.most(1);
    const left = { ...after, workers: after.workers.map((w) => (w.draining ? { ...w, live: false } : w)) };
    expect(runRounds(left, 30).rounds.flat()).to.deep.equal([]);
  });

  for (const [what, special] of [
    ["draining", { draining: true }],
    ["blind", { blind: true }],
    ["dead", { live: false }],
    ["full", { maxLeases: 0 }],
    ["unfit", { unfit: [keyOf(0)] }],
  ] as const) {
    it(`gives nothing to a ${what} worker, and leaves out what nobody else may have`, () => {
      const workers = { ...leaving, A: special };
      expect(planLeaving(fleet("L", { workers }), "L")).to.deep.equal([]);
      expect(gets(planLeaving(fleet("L", { workers: { ...workers, B: {} } }), "L"))).to.deep.equal({ B: 1 });
    });
  }

  it("gives a worker no more than its maxLeases and leaves the rest out", () => {
    const workers = { ...leaving, A: { maxLeases: 3 } };
    expect(gets(planLeaving(fleet("LLLLLA", { workers }), "L"))).to.deep.equal({ A: 2 });
  });

  it("plans anew what a directive had on its way, and ignores cool-downs", () => {
    const leases = { [keyOf(0)]: { inFlightTo: "A" }, [keyOf(1)]: { coolUntilMs: Infinity } };
    const moves = planLeaving(fleet("LL", { leases, workers: { ...leaving, A: {}, B: {} } }), "L");
    expect(gets(moves)).to.deep.equal({ A: 1, B: 1 });
  });

  it("leaves out finished leases and takes those along that wait for their parents", () => {
    const leases = { [keyOf(0)]: { finished: true }, [keyOf(1)]: { waiting: true } };
    const moves = planLeaving(fleet("LL", { leases, workers: { ...leaving, A: {} } }), "L");
    expect(moves.map(({ leaseKey }) => leaseKey)).to.deep.equal([keyOf(1)]);
  });

  it("plans nothing for a stranger or for one that owns nothing", () => {
    expect(planLeaving(fleet("AB"), "stranger")).to.deep.equal([]);
    expect(planLeaving(fleet("AB", { workers: leaving }), "L")).to.deep.equal([]);
  });

  it("plans for a worker that has not said yet that it drains", () => {
    expect(gets(planLeaving(fleet("LA", { workers: { L: {} } }), "L"))).to.deep.equal({ A: 1 });
  });

  it("gives each lease once, never past a cap, and the same whatever the order of the rows", () => {
    fc.assert(
      fc.property(anyFleet({ maxLeases: 100, maxWorkers: 15, caps: true }), fc.nat(), (snapshot, seed) => {
        const random = seeded(seed);
        const leaver = snapshot.workers[0]?.workerId ?? "";
        const moves = planLeaving(deepFreeze(snapshot), leaver);
        const mixed = {
          ...snapshot,
          workers: shuffled(snapshot.workers, random),
          leases: shuffled(snapshot.leases, random),
        };
        expect(planLeaving(mixed, leaver)).to.deep.equal(moves);
        expect(new Set(moves.map(({ leaseKey }) => leaseKey)).size).to.equal(moves.length);
        const before = countsOf(snapshot);
        for (const [to, count] of Object.entries(gets(moves))) {
          const target = snapshot.workers.find(({ workerId }) => workerId === to);
          expect(target?.live === true && !target.draining && !target.blind).to.equal(true);
          if (target?.maxLeases !== undefined)
            expect((before[to] ?? 0) + count).to.be.at.most(target.maxLeases);
        }
      }),
      { numRuns: 60 },
    );
  });
});
