import { expect } from "chai";
import { emptyPlanMemory, isFilled, plan } from "../../src/model/plan.js";
import type { PlanSnapshot } from "../../src/model/plan-snapshot.js";
import {
  allMoves,
  aWorker,
  config,
  countsOf,
  evenFleet,
  fleet,
  keyOf,
  loadsOf,
  pollMs,
  runRounds,
  seeded,
  settledMemory,
  settledMoves,
  spread,
  zipf,
} from "./plan-fleet.js";

const settleRounds = Math.ceil(config.settleMs / pollMs);

/** `A>D` for a move from A to D. */
function arrows(moves: readonly { from: string; to: string }[]): string[] {
  return moves.map(({ from, to }) => `${from}>${to}`);
}

/** The first round in which something moves. */
function firstMovingRound(rounds: readonly (readonly unknown[])[]): number {
  return rounds.findIndex((moves) => moves.length > 0);
}

describe("plan: between old members", () => {
  it("makes of AAAABBBCCD exactly one move, A to D, and then none", () => {
    const run = runRounds(fleet("AAAABBBCCD"), 100);
    expect(arrows(allMoves(run))).to.deep.equal(["A>D"]);
    expect(countsOf(run.snapshot)).to.deep.equal({ A: 3, B: 3, C: 2, D: 2 });
  });

  it("lets those give in turn that have equally much", () => {
    const owners = "A".repeat(30) + "B".repeat(30) + "C".repeat(4);
    expect(arrows(settledMoves(fleet(owners)))).to.deep.equal(["A>C", "B>C", "A>C"]);
  });

  it("says of a move which epoch it saw and why", () => {
    const snapshot = fleet("AAAB", {
      leases: Object.fromEntries([0, 1, 2].map((i) => [keyOf(i), { epoch: 7 }])),
    });
    expect(settledMoves(snapshot).map(({ leaseKey: _, ...move }) => move)).to.deep.equal([
      { epoch: 7, from: "A", to: "B", why: "balance" },
    ]);
  });

  it("leaves three leases of two workers as they are", () => {
    expect(allMoves(runRounds(fleet("AAB"), 50))).to.deep.equal([]);
  });

  it("leaves a fleet of one worker alone", () => {
    expect(allMoves(runRounds(fleet("AAAA"), 20))).to.deep.equal([]);
  });

  it("plans nothing for no workers, no leases, or neither", () => {
    expect(plan(fleet(""), emptyPlanMemory).moves).to.deep.equal([]);
    expect(plan(fleet("", { workers: { A: {} } }), emptyPlanMemory).moves).to.deep.equal([]);
    expect(plan(fleet("...."), emptyPlanMemory).moves).to.deep.equal([]);
  });

  it("leaves alone whoever stands inside the dead band", () => {
    // 11, 10 and 9 of a mean of 10: each just inside.
    expect(allMoves(runRounds(fleet("A".repeat(11) + "B".repeat(10) + "C".repeat(9)), 50))).to.deep.equal([]);
  });

  it("moves for whoever stands just outside the dead band", () => {
    const run = runRounds(fleet("A".repeat(12) + "B".repeat(10) + "C".repeat(8)), 50);
    expect(arrows(allMoves(run))).to.deep.equal(["A>C"]);
  });

  it("waits until a worker has stood outside for five rounds", () => {
    // Long settled by then: until the tenth round the leases of each worker weigh twelve together.
    const even: Readonly<Record<string, number>> = { A: 3, B: 4, C: 6, D: 12 };
    const seenAs = (snapshot: PlanSnapshot, round: number): PlanSnapshot =>
      round < 10
        ? { ...snapshot, leases: snapshot.leases.map((l) => ({ ...l, weight: even[l.owner ?? ""] })) }
        : snapshot;
    expect(firstMovingRound(runRounds(fleet("AAAABBBCCD"), 30, { seenAs }).rounds)).to.equal(14);
  });

  it("begins to count again when a worker came back inside", () => {
    // In the fourth round B looks as full as the others.
    const heavy: PlanSnapshot = fleet("AAAABBBBBB", { weights: Array.from({ length: 10 }, () => 1) });
    const seenAs = (snapshot: PlanSnapshot, round: number): PlanSnapshot =>
      round === 3
        ? { ...snapshot, leases: snapshot.leases.map((l) => ({ ...l, weight: l.owner === "A" ? 3 : 2 })) }
        : snapshot;
    expect(firstMovingRound(runRounds(heavy, 30).rounds)).to.equal(4);
    expect(firstMovingRound(runRounds(heavy, 30, { seenAs }).rounds)).to.equal(8);
  });

  it("moves a lease only when it weighs less than the giver has more than the receiver", () => {
    expect(settledMoves(fleet("AAB", { weights: [5, 5, 5] }))).to.deep.equal([]);
    expect(settledMoves(fleet("AAB", { weights: [5, 5, 4.9] }))).to.have.length(1);
  });

  it("prefers the heaviest lease that neither empties the giver nor overfills the receiver", () => {
    const moves = settledMoves(fleet("AAAAB", { weights: [40, 20, 9, 8, 7] }));
    // A has 77 and B 7: 35 too much and 35 too little.
    expect(moves[0]?.leaseKey).to.equal(keyOf(1));
  });

  it("takes the lightest where every lease is more than the difference asks for", () => {
    const moves = settledMoves(fleet("AAB", { weights: [60, 50, 40] }));
    expect(moves.map(({ leaseKey }) => leaseKey)).to.deep.equal([keyOf(1)]);
  });

  it("moves at most one lease a round in a small fleet", () => {
    const run = runRounds(fleet("A".repeat(15) + "BBB"), 60);
    expect(Math.max(...run.rounds.map((moves) => moves.length))).to.equal(1);
    expect(spread(Object.values(countsOf(run.snapshot)))).to.be.at.most(2);
  });

  it("moves at most five in a hundred leases a round", () => {
    const run = runRounds(fleet("A".repeat(190) + "B".repeat(10)), 60);
    expect(Math.max(...run.rounds.map((moves) => moves.length))).to.equal(10);
    // Round by round, not each time after another five rounds outside.
    expect(run.rounds.slice(4, 12).map((moves) => moves.length)).to.deep.equal(Array(8).fill(10));
  });

  it("balances the others beside a lease that is heavier than the mean", () => {
    const owners = "A" + "B".repeat(13) + "C".repeat(9) + "D".repeat(8);
    const weights = [1_000, ...Array<number>(30).fill(10)];
    const moves = allMoves(runRounds(fleet(owners, { weights }), 60));
    expect(arrows(moves)).to.deep.equal(["B>D", "B>C"]);
  });

  it("rests once every lease has a worker to itself, however many workers are idle", () => {
    const idle = { E: {}, F: {}, G: {}, H: {} };
    expect(allMoves(runRounds(fleet("ABCD", { workers: idle }), 50))).to.deep.equal([]);
    expect(allMoves(runRounds(fleet("ABCD", { workers: idle, weights: [9, 1, 5, 3] }), 50))).to.deep.equal(
      [],
    );
  });

  it("spreads few leases over many workers until each has one to itself", () => {
    const run = runRounds(fleet("AAA", { workers: { B: {}, C: {}, D: {}, E: {} } }), 60);
    expect(allMoves(run)).to.have.length(2);
    expect(Math.max(...Object.values(countsOf(run.snapshot)))).to.equal(1);
  });

  it("lets a lease that is heavier than the mean sit alone, and the others rest", () => {
    const snapshot = fleet("ABBCCDD", { weights: [100, 10, 10, 10, 10, 10, 10] });
    expect(allMoves(runRounds(snapshot, 50))).to.deep.equal([]);
  });

  it("frees the owner of a lease that is heavier than the mean of all its others", () => {
    const run = runRounds(fleet("AAABBCC", { weights: [100, 10, 10, 10, 10, 10, 10] }), 60);
    expect(
      run.snapshot.leases.filter(({ owner }) => owner === "A").map(({ weight }) => weight),
    ).to.deep.equal([100]);
  });
});

describe("plan: weights", () => {
  it("counts leases where no weight is known", () => {
    expect(arrows(settledMoves(fleet("AAAABBBCCD")))).to.deep.equal(["A>D"]);
  });

  it("counts leases where every weight is zero", () => {
    expect(arrows(settledMoves(fleet("AAAABBBCCD", { weights: Array<number>(10).fill(0) })))).to.deep.equal([
      "A>D",
    ]);
  });

  it("takes the mean for a weight that is not known", () => {
    // A: 10 + unknown (10), B: 10: as AAB.
    expect(settledMoves(fleet("AAB", { weights: [10, undefined, 10] }))).to.deep.equal([]);
  });

  it("counts an idle lease as a tenth of the mean", () => {
    // Sixty idle ones are about 30 beside A's busy one: A has 130 where B and C have 100.
    const owners = ["A", "B", "C", ...Array<string>(60).fill("A")];
    const weights = [100, 100, 100, ...Array<number>(60).fill(0)];
    const moves = settledMoves(fleet(owners, { weights }));
    expect(moves.map(({ from }) => from)).to.deep.equal(["A", "A", "A"]);
  });

  it("treats what is no load as unknown", () => {
    const weights = [Number.NaN, -5, Infinity, 10, 10, 10, 10, 10, 10, 10];
    expect(arrows(settledMoves(fleet("AAAABBBCCD", { weights })))).to.deep.equal(["A>D"]);
  });

  it("moves nothing for noise of 30 % on equal loads", () => {
    for (const [leases, workers] of [
      [10, 5],
      [64, 4],
      [100, 10],
      [300, 20],
    ] as const) {
      const random = seeded(leases);
      const run = runRounds(evenFleet(leases, workers), 100, {
        seenAs: (snapshot) => ({
          ...snapshot,
          leases: snapshot.leases.map((l) => ({ ...l, weight: 100 * (0.7 + 0.6 * random()) })),
        }),
      });
      expect(allMoves(run), `${String(leases)} leases`).to.deep.equal([]);
    }
  });

  it("moves nothing for noise where the counts can not be equal", () => {
    for (let seed = 0; seed < 10; seed++) {
      const random = seeded(seed);
      const run = runRounds(evenFleet(10, 3), 100, {
        seenAs: (snapshot) => ({
          ...snapshot,
          leases: snapshot.leases.map((l) => ({ ...l, weight: 100 * (0.7 + 0.6 * random()) })),
        }),
      });
      expect(allMoves(run)).to.deep.equal([]);
    }
  });

  it("still sees a real difference through the noise", () => {
    const random = seeded(1);
    const run = runRounds(fleet("A".repeat(20) + "B".repeat(10) + "C".repeat(10)), 60, {
      seenAs: (snapshot) => ({
        ...snapshot,
        leases: snapshot.leases.map((l) => ({ ...l, weight: 100 * (0.7 + 0.6 * random()) })),
      }),
    });
    expect(countsOf(run.snapshot)["A"]).to.be.within(13, 16);
  });
});

describe("plan: when it waits", () => {
  it("waits the settle time after a change of members", () => {
    const before = fleet("AAAABBBBCCCC");
    const memory = settledMemory(before);
    const joined = { ...before, workers: [...before.workers, aWorker("D", { joining: true })] };
    const run = runRounds(joined, 20, { memory });
    expect(firstMovingRound(run.rounds)).to.equal(settleRounds);
  });

  it("waits the settle time when it has just become the planner", () => {
    const run = runRounds(fleet("AAAABBBBCCCC", { workers: { D: { joining: true } } }), 20);
    expect(firstMovingRound(run.rounds)).to.equal(settleRounds);
  });

  it("waits no longer than the limit when members come and go all the time", () => {
    const flapping = (snapshot: PlanSnapshot, round: number): PlanSnapshot =>
      round % 2 === 0
        ? snapshot
        : { ...snapshot, workers: [...snapshot.workers, aWorker(`x${String(round)}`)] };
    const start = fleet("A".repeat(20) + "B".repeat(20), { workers: { C: { joining: true } } });
    const run = runRounds(start, 30, { seenAs: flapping });
    expect(firstMovingRound(run.rounds)).to.equal(Math.ceil(config.settleLimitMs / pollMs));
  });

  it("takes a worker that begins to drain for a change of members", () => {
    const before = fleet("AAAABBBBC");
    const { memory } = plan(
      { ...before, workers: before.workers.map((w) => (w.workerId === "A" ? { ...w, draining: true } : w)) },
      settledMemory(before),
    );
    expect(memory.members).to.deep.equal(["B", "C"]);
    expect(memory.changedMs).to.equal(before.nowMs);
  });

  it("takes a worker that goes blind for no change of members", () => {
    const before = fleet("AAABBB");
    const blind = { ...before, workers: before.workers.map((w) => ({ ...w, blind: w.workerId === "A" })) };
    expect(plan(blind, settledMemory(before)).memory.changedMs).to.be.below(before.nowMs);
  });

  it("moves nothing while a worker drains, for newcomers neither", () => {
    const workers = { N: { joining: true }, L: { draining: true } };
    expect(allMoves(runRounds(fleet("AAAABBBCCDLL", { workers }), 40))).to.deep.equal([]);
  });

  it("is not held up by a worker that has left", () => {
    const workers = { L: { draining: true, live: false } };
    expect(allMoves(runRounds(fleet("AAAABBBCCD", { workers }), 40))).to.have.length(1);
  });

  it("moves no lease before its cool-down is over", () => {
    const nowMs = 1_000_000;
    const cooling = (coolUntilMs: number) =>
      fleet("AAAABBBCCD", {
        nowMs,
        leases: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [keyOf(i), { coolUntilMs }])),
      });
    expect(settledMoves(cooling(nowMs + 1))).to.deep.equal([]);
    expect(settledMoves(cooling(nowMs))).to.have.length(1);
  });
});

describe("plan: newcomers", () => {
  it("fills one to the mean in three rounds, by the fewest moves there can be", () => {
    const run = runRounds(evenFleet(1_000, 20, { workers: { new: { joining: true } } }), 30);
    expect(run.rounds.map((moves) => moves.length).filter((count) => count > 0)).to.deep.equal([16, 16, 15]);
    expect(countsOf(run.snapshot)["new"]).to.equal(47);
    expect(spread(Object.values(countsOf(run.snapshot)))).to.equal(1);
    expect(allMoves(run).every(({ why }) => why === "newcomer")).to.equal(true);
  });

  it("gives one at most a third of its first deficit a round, rounded up", () => {
    const run = runRounds(fleet("A".repeat(20), { workers: { B: { joining: true } } }), 20);
    expect(run.rounds.map((moves) => moves.length).filter((count) => count > 0)).to.deep.equal([4, 4, 2]);
  });

  it("fills ten at once without taking anything twice", () => {
    const joining = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`new${String(i)}`, { joining: true }]),
    );
    const run = runRounds(evenFleet(1_000, 10, { workers: joining }), 40);
    expect(allMoves(run)).to.have.length(500);
    expect(Object.values(countsOf(run.snapshot)).every((count) => count === 50)).to.equal(true);
  });

  it("takes from the most loaded", () => {
    const owners = "A".repeat(12) + "B".repeat(9) + "C".repeat(9);
    const run = runRounds(fleet(owners, { workers: { N: { joining: true } } }), 20);
    // The mean is 7.5: A gives most, and B and C about a lease each.
    const fromA = allMoves(run).filter(({ from }) => from === "A").length;
    expect(fromA).to.be.at.least(4);
    expect(spread(Object.values(countsOf(run.snapshot)))).to.be.at.most(1);
  });

  it("gives old members nothing that a newcomer has room for", () => {
    const moves = settledMoves(fleet("A".repeat(24) + "B".repeat(16), { workers: { N: { joining: true } } }));
    expect(new Set(arrows(moves))).to.deep.equal(new Set(["A>N"]));
  });

  it("gives one half of two leases, and of three leases one", () => {
    expect(arrows(allMoves(runRounds(fleet("AA", { workers: { B: { joining: true } } }), 30)))).to.deep.equal(
      ["A>B"],
    );
    expect(
      arrows(allMoves(runRounds(fleet("AAA", { workers: { B: { joining: true } } }), 30))),
    ).to.deep.equal(["A>B"]);
  });

  it("gives one nothing where each lease has a worker to itself", () => {
    expect(allMoves(runRounds(fleet("ABC", { workers: { D: { joining: true } } }), 30))).to.deep.equal([]);
  });

  it("fills one by weight to within a tenth of the mean", () => {
    const snapshot = evenFleet(400, 10, { weights: Array.from({ length: 400 }, (_, i) => 1 + (i % 7)) });
    const run = runRounds(
      { ...snapshot, workers: [...snapshot.workers, aWorker("new", { joining: true })] },
      20,
    );
    const loads = loadsOf(run.snapshot);
    const mean = loads.reduce((a, b) => a + b) / loads.length;
    expect(loads.at(-1)).to.be.within(0.95 * mean, 1.05 * mean);
    expect(Math.max(...loads) / mean).to.be.at.most(1.1);
  });

  it("says that one is filled when it has the mean but for one lease", () => {
    const snapshot = (owners: string) => fleet(owners, { workers: { N: { joining: true } } });
    expect(isFilled(snapshot("AAAAAAAANN"), "N")).to.equal(false);
    expect(isFilled(snapshot("AAAAAANNNN"), "N")).to.equal(true);
    expect(isFilled(snapshot("A"), "N")).to.equal(true);
    expect(isFilled(snapshot("A"), "stranger")).to.equal(false);
  });

  it("forgets the deficit of one that says it joins no more", () => {
    const start = fleet("A".repeat(20), { workers: { B: { joining: true } } });
    const during = runRounds(start, settleRounds + 1);
    expect(during.memory.firstDeficits.get("B")).to.equal(10);
    const after = plan(
      { ...during.snapshot, workers: during.snapshot.workers.map((w) => ({ ...w, joining: false })) },
      during.memory,
    );
    expect(after.memory.firstDeficits.size).to.equal(0);
  });
});

describe("plan: who may give and get", () => {
  for (const [what, special] of [
    ["draining", { draining: true, live: false }],
    ["blind", { blind: true }],
    ["dead", { live: false }],
    ["full", { maxLeases: 1 }],
  ] as const) {
    it(`gives nothing to a ${what} worker`, () => {
      const moves = settledMoves(fleet("AAAABBBCCD", { workers: { D: special } }));
      expect(moves.filter(({ to }) => to === "D")).to.deep.equal([]);
    });
  }

  it("takes nothing from a blind worker, which could not check the target", () => {
    expect(settledMoves(fleet("AAAAAAB", { workers: { A: { blind: true } } }))).to.deep.equal([]);
  });

  it("fills a worker up to its maxLeases and no further", () => {
    const run = runRounds(fleet("A".repeat(20), { workers: { B: { joining: true, maxLeases: 3 } } }), 40);
    expect(countsOf(run.snapshot)).to.deep.equal({ A: 17, B: 3 });
  });

  it("balances the others around a full worker, and rests", () => {
    const run = runRounds(
      fleet("A" + "B".repeat(20) + "C".repeat(9), { workers: { A: { maxLeases: 1 } } }),
      100,
    );
    const { B, C } = countsOf(run.snapshot);
    expect([B, C]).to.satisfy(([b, c]: [number, number]) => b + c === 29 && Math.abs(b - c) <= 3);
    expect(run.rounds.slice(60).flat()).to.deep.equal([]);
  });

  it("gives a worker no lease that its stuck processor still holds, but another", () => {
    const unfit = [keyOf(3), keyOf(2)];
    const moves = settledMoves(fleet("AAAABBBCCD", { workers: { D: { unfit } } }));
    expect(arrows(moves)).to.deep.equal(["A>D"]);
    expect(unfit).not.to.include(moves[0]?.leaseKey);
  });

  it("gives a lease that is unfit for the emptiest to the next", () => {
    const unfit = [0, 1, 2, 3].map(keyOf);
    const moves = settledMoves(fleet("AAAABBBCCD", { workers: { D: { unfit } } }));
    expect(arrows(moves)).to.deep.equal(["A>C"]);
  });

  it("counts a directive in flight at its target", () => {
    const leases = { [keyOf(0)]: { inFlightTo: "D" } };
    expect(settledMoves(fleet("AAAABBBCCD", { leases }))).to.deep.equal([]);
  });

  it("counts a directive to a worker that is gone at its owner", () => {
    const leases = { [keyOf(0)]: { inFlightTo: "gone" } };
    expect(arrows(settledMoves(fleet("AAAABBBCCD", { leases })))).to.deep.equal(["A>D"]);
  });

  it("moves no lease again that is in flight", () => {
    const leases = Object.fromEntries([0, 1, 2, 3].map((i) => [keyOf(i), { inFlightTo: "gone" }]));
    // A is the fullest, but nothing of it is left to move.
    expect(arrows(settledMoves(fleet("AAAABBBCCD", { leases })))).to.deep.equal(["B>D"]);
  });

  it("has at most maxMovesInFlight under way at a giver and at a receiver", () => {
    const snapshot = fleet("A".repeat(300), { workers: { B: { joining: true }, C: { joining: true } } });
    expect(settledMoves(snapshot)).to.have.length(config.maxMovesInFlight);
    const manyGivers = evenFleet(1_000, 4, { workers: { new: { joining: true } } });
    expect(settledMoves(manyGivers)).to.have.length(config.maxMovesInFlight);
  });

  it("counts what is in flight already against maxMovesInFlight", () => {
    const leases = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [keyOf(i), { inFlightTo: "B" }]));
    const snapshot = fleet("A".repeat(300), { leases, workers: { B: { joining: true } } });
    expect(settledMoves(snapshot)).to.have.length(config.maxMovesInFlight - 30);
  });

  it("ignores finished leases", () => {
    const leases = Object.fromEntries([0, 1, 2].map((i) => [keyOf(i), { finished: true }]));
    expect(settledMoves(fleet("AAAABC", { leases }))).to.deep.equal([]);
  });

  it("ignores leases that are free, whatever their rows still say", () => {
    const leases = Object.fromEntries([0, 1, 2].map((i) => [keyOf(i), { free: true }]));
    expect(settledMoves(fleet("AAAABC", { leases }))).to.deep.equal([]);
  });

  it("counts a lease that waits for its parents where somebody owns it", () => {
    const leases = { [keyOf(0)]: { waiting: true }, [keyOf(1)]: { waiting: true } };
    expect(arrows(settledMoves(fleet("AAAABBBCCD", { leases })))).to.deep.equal(["A>D"]);
  });

  it("reaches a tenth of the mean for Zipf weights after a join", () => {
    const weights = zipf(1_000, 0.6);
    const run = runRounds(
      evenFleet(1_000, 20, { weights, workers: { new: { joining: true } } }),
      settleRounds + 5,
    );
    const loads = loadsOf(run.snapshot);
    const mean = loads.reduce((a, b) => a + b) / loads.length;
    expect(Math.max(...loads) / mean).to.be.at.most(1.1);
  });
});
