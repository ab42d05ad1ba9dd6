import { expect } from "chai";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { levelOf, openBooks, type Books } from "../../src/model/plan-books.js";
import { Ledger } from "../../src/model/plan-ledger.js";
import { emptyPlanMemory, plan, type PlanMemory } from "../../src/model/plan.js";
import type { PlanLease, PlanSnapshot } from "../../src/model/plan-snapshot.js";
import { compareKeys } from "../../src/model/rendezvous.js";
import { anyFleet } from "./plan-arbitraries.js";
import { applyMoves, evenFleet, fleet, keyOf, pollMs, seeded, workerIds } from "./plan-fleet.js";

const bounds = { maxLeases: 80, maxWorkers: 9, caps: true };

/** The same fleet, with some leases changed in what a round may change: owners, directives, rest, what some weigh. */
function changed(snapshot: PlanSnapshot, seed: number, share: number): PlanSnapshot {
  const random = seeded(seed);
  const ids = snapshot.workers.map(({ workerId }) => workerId);
  const anyId = (): string | undefined => ids[Math.floor(random() * ids.length)];
  return {
    ...snapshot,
    leases: snapshot.leases.map((lease): PlanLease => {
      if (random() > share) return lease;
      const to = random() < 0.4 ? anyId() : undefined;
      return {
        ...lease,
        owner: anyId(),
        epoch: lease.epoch + 1,
        free: random() < 0.2,
        inFlightTo: to,
        coolUntilMs: random() < 0.5 ? snapshot.nowMs + 10_000 : undefined,
        ...(random() < 0.3 ? { weight: random() * 1_000 } : {}),
      };
    }),
  };
}

/** The same fleet as a scan shows it: every lease another object, and its weight another. */
function scanned(snapshot: PlanSnapshot, seed: number): PlanSnapshot {
  const random = seeded(seed);
  return {
    ...snapshot,
    leases: snapshot.leases.map((lease) => ({ ...lease, weight: (lease.weight ?? 100) * (0.5 + random()) })),
  };
}

/** The same fleet with the weights of the leases apart, `leases` being those of `before` where nothing else differs. */
function apart(snapshot: PlanSnapshot, before?: PlanSnapshot): PlanSnapshot {
  const leases = snapshot.leases.map(({ weight: _, ...rest }): PlanLease => rest);
  const isAsBefore = before !== undefined && isDeepStrictEqual(leases, before.leases);
  return {
    ...snapshot,
    leases: isAsBefore ? before.leases : leases,
    weights: Float64Array.from(snapshot.leases, ({ weight }) => weight ?? NaN),
  };
}

/** All that a ledger says. */
function said(ledger: Ledger, ids: readonly string[]) {
  const { leases, total, heaviest } = ledger;
  const weights = leases.map((_, place) => ledger.weightAt(place));
  return { leases, weights, total, heaviest, shares: ids.map((id) => ledger.share(id)) };
}

function idsOf({ workers }: PlanSnapshot): string[] {
  return workers.map(({ workerId }) => workerId);
}

/** Books kept the plain way: one lease after the other, at whoever it counts. */
function plainBooks({ workers, leases, nowMs }: PlanSnapshot, { ledger }: Books): unknown {
  const rows = new Map(workers.map((worker) => [worker.workerId, worker]));
  const of = new Map(
    workers.map(({ workerId }) => [
      workerId,
      { load: 0, leases: 0, giving: 0, receiving: 0, movable: [] as { key: string; weight: number }[] },
    ]),
  );
  const weighed = ledger.leases.map((_, place) => ledger.at(place));
  expect(weighed.length).to.equal(leases.filter(({ finished }) => !finished).length);
  for (const { lease, weight } of weighed) {
    const { leaseKey, owner, inFlightTo, free, coolUntilMs } = lease;
    if (free || owner === undefined) continue;
    const target = inFlightTo === undefined ? undefined : rows.get(inFlightTo);
    const arrives = target?.live === true && !target.draining;
    const bearer = of.get(arrives ? target.workerId : owner);
    if (bearer !== undefined) bearer.load += weight;
    const giver = of.get(owner);
    const receiver = of.get(inFlightTo ?? "");
    if (giver !== undefined) giver.leases++;
    if (arrives && receiver !== undefined && receiver !== giver) receiver.leases++;
    if (inFlightTo === undefined) {
      if ((coolUntilMs ?? 0) <= nowMs) giver?.movable.push({ key: leaseKey, weight });
      continue;
    }
    if (giver !== undefined) giver.giving++;
    if (receiver !== undefined) receiver.receiving++;
  }
  for (const { movable } of of.values())
    movable.sort((a, b) => a.weight - b.weight || (a.key < b.key ? -1 : 1));
  return Object.fromEntries(of);
}

function booksAsTold({ accounts }: Books): unknown {
  return Object.fromEntries(
    [...accounts].map(([id, { load, leases, giving, receiving, movable }]) => [
      id,
      {
        load,
        leases,
        giving,
        receiving,
        movable: movable.map(({ lease, weight }) => ({ key: lease.leaseKey, weight })),
      },
    ]),
  );
}

/** The level by a look at every lease, heaviest first. */
function plainLevel(books: Books): number {
  let open = [...books.targets];
  let mean = books.meanLoad;
  for (let before = 0; before !== open.length && open.length > 0;) {
    before = open.length;
    const limit = mean;
    const rest = open.filter(({ leases, cap, load }) => leases < cap || load >= limit);
    if (rest.length === 0 || rest.length === before) break;
    open = rest;
    mean = rest.reduce((sum, { load }) => sum + load, 0) / rest.length;
  }
  const sharing = new Set(open.map(({ worker }) => worker.workerId));
  const weights = books.ledger
    .select(({ owner, inFlightTo, free }) => !free && sharing.has(inFlightTo ?? owner ?? ""))
    .map(({ weight }) => weight)
    .sort((a, b) => b - a);
  let workers = open.length;
  let load = mean * workers;
  for (const weight of weights) {
    if (workers === 0 || weight <= load / workers + books.epsilon) break;
    load -= weight;
    workers--;
  }
  return workers === 0 ? 0 : Math.max(0, load / workers);
}

describe("the ledger of a plan", () => {
  it("is the same to the last bit whether it was kept from an earlier round or made anew", () => {
    fc.assert(
      fc.property(
        anyFleet(bounds),
        fc.nat(),
        fc.double({ min: 0, max: 0.15, noNaN: true }),
        (start, seed, share) => {
          let snapshot = start;
          let kept = Ledger.of(snapshot);
          for (let round = 0; round < 6; round++) {
            snapshot = (round % 3 === 2 ? scanned : changed)(snapshot, seed + round, share);
            kept = Ledger.of(snapshot, kept);
            const ids = idsOf(snapshot);
            expect(said(kept, ids)).to.deep.equal(said(Ledger.of(snapshot), ids));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("is the same to the last bit with weights that are kept apart, whatever was kept", () => {
    fc.assert(
      fc.property(anyFleet(bounds), fc.nat(), (start, seed) => {
        let snapshot = start;
        let shown = apart(start);
        let kept = Ledger.of(shown);
        for (let round = 0; round < 6; round++) {
          snapshot = round % 2 === 0 ? scanned(snapshot, seed + round) : changed(snapshot, seed + round, 0.1);
          shown = apart(snapshot, shown);
          kept = Ledger.of(shown, kept);
          const ids = idsOf(snapshot);
          expect(said(kept, ids)).to.deep.equal(said(Ledger.of(shown), ids));
          const { weights, shares } = said(Ledger.of(snapshot), ids);
          expect(said(kept, ids)).to.deep.include({ weights, shares });
        }
      }),
      { numRuns: 150 },
    );
  });

  it("is the same where the list is known to stand in the order of the keys, whatever was kept", () => {
    fc.assert(
      fc.property(anyFleet(bounds), fc.nat(), (start, seed) => {
        let snapshot = start;
        let kept: Ledger | undefined;
        for (let round = 0; round < 4; round++) {
          const leases = [...snapshot.leases].sort((a, b) => compareKeys(a.leaseKey, b.leaseKey));
          kept = Ledger.of({ leases, inOrder: true }, kept);
          const ids = idsOf(snapshot);
          expect(said(kept, ids)).to.deep.equal(said(Ledger.of(snapshot), ids));
          snapshot = changed(snapshot, seed + round, 0.1);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("keeps the lists of those whose leases only weigh otherwise", () => {
    const before = evenFleet(100, 10);
    const weights = new Float64Array(100).fill(7);
    const ledger = Ledger.of({ ...before, weights });
    const after = Ledger.of({ ...before, weights: weights.map((weight, i) => weight + i) }, ledger);
    expect(after.total).to.equal(700 + 4_950);
    for (const id of workerIds(10)) expect(after.share(id).own, id).to.equal(ledger.share(id).own);
  });

  it("keeps nobody in mind who has nothing any more", () => {
    const before = evenFleet(20, 20);
    const moved = before.leases.map((lease, i) => (i === 0 ? { ...lease, owner: "w001" } : lease));
    const after = Ledger.of({ leases: moved }, Ledger.of(before));
    expect(after.share("w000")).to.equal(Ledger.of({ leases: [] }).share("w000"));
  });

  it("is the very same while the rows are", () => {
    const { leases } = evenFleet(100, 10);
    const ledger = Ledger.of({ leases });
    expect(Ledger.of({ leases }, ledger)).to.equal(ledger);
    expect(Ledger.of({ leases: [...leases] }, ledger)).to.not.equal(ledger);
  });

  it("counts anew only for workers whose leases changed", () => {
    const before = evenFleet(100, 10);
    const ledger = Ledger.of(before);
    const leases = before.leases.map((lease, i) => (i === 0 ? { ...lease, owner: "w001", epoch: 2 } : lease));
    const after = Ledger.of({ leases }, ledger);
    expect(after.share("w000").own.length).to.equal(9);
    expect(after.share("w001").own.length).to.equal(11);
    for (const id of workerIds(10).slice(2)) expect(after.share(id), id).to.equal(ledger.share(id));
  });

  for (const [what, change] of [
    ["weighs more", { weight: 70 }],
    ["is finished", { finished: true }],
    ["is another", { leaseKey: "s9999" }],
  ] as const) {
    it(`weighs all anew when one lease ${what}`, () => {
      const before = evenFleet(100, 10, {
        weights: Array.from({ length: 100 }, (_, i) => (i === 50 ? 0 : 40)),
      });
      const leases = before.leases.map((lease, i) => (i === 0 ? { ...lease, ...change } : lease));
      const kept = Ledger.of({ leases }, Ledger.of(before));
      expect(said(kept, idsOf(before))).to.deep.equal(said(Ledger.of({ leases }), idsOf(before)));
    });
  }

  it("has one worker own more than a call takes arguments", () => {
    const before = evenFleet(150_000, 1);
    const leases = before.leases.map((lease, i): PlanLease =>
      i === 0 ? { ...lease, owner: "w001" } : i === 1 ? { ...lease, inFlightTo: "w001" } : lease,
    );
    const { accounts, ledger } = openBooks({ ...before, leases }, Ledger.of(before));
    expect(ledger.share("w000").own.length).to.equal(149_998);
    // The directive's target has no row: its lease stays a load of its owner.
    expect(accounts.get("w000")).to.include({ load: 149_999, giving: 1 });
  });

  it("weighs all anew when a lease has come or gone", () => {
    const before = evenFleet(100, 10);
    for (const leases of [before.leases.slice(1), [...before.leases, ...fleet("A").leases.map(renamed)]]) {
      const kept = Ledger.of({ leases }, Ledger.of(before));
      expect(said(kept, idsOf(before))).to.deep.equal(said(Ledger.of({ leases }), idsOf(before)));
    }
  });
});

function renamed(lease: PlanLease): PlanLease {
  return { ...lease, leaseKey: keyOf(9_999) };
}

describe("the books of a plan", () => {
  it("say of each worker what a look at one lease after the other says", () => {
    fc.assert(
      fc.property(anyFleet(bounds), fc.nat(), (start, seed) => {
        for (const snapshot of [start, changed(start, seed, 0.3)]) {
          const books = openBooks(snapshot);
          expect(booksAsTold(books)).to.deep.equal(plainBooks(snapshot, books));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("tell the level that a look at every lease tells", () => {
    fc.assert(
      fc.property(anyFleet(bounds), fc.nat(), (start, seed) => {
        for (const snapshot of [start, changed(start, seed, 0.3)]) {
          const books = openBooks(snapshot);
          expect(levelOf(books)).to.equal(plainLevel(books));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("plans with what was kept of the last round", () => {
  it("are those made from nothing, round after round", () => {
    fc.assert(
      fc.property(
        anyFleet(bounds),
        fc.nat(),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        (start, seed, share) => {
          let snapshot: PlanSnapshot = {
            ...start,
            workers: start.workers.map((worker) => ({ ...worker, live: worker.live && !worker.draining })),
          };
          let memory: PlanMemory = emptyPlanMemory;
          for (let round = 0; round < 14; round++) {
            const kept = plan(snapshot, memory);
            const anew = plan(snapshot, { ...memory, ledger: undefined });
            expect(kept.moves).to.deep.equal(anew.moves);
            expect(kept.memory).to.deep.equal(anew.memory);
            memory = kept.memory;
            const next = applyMoves(snapshot, kept.moves);
            snapshot = {
              ...(round % 3 === 0 ? changed(next, seed + round, share) : next),
              nowMs: next.nowMs + pollMs,
            };
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
