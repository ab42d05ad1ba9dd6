import { expect } from "chai";
import fc from "fast-check";
import { adoptionsFor, orphansOf } from "../../src/model/orphans.js";
import type { PlanSnapshot } from "../../src/model/plan-snapshot.js";
import { ranked } from "../../src/model/rendezvous.js";
import { anyFleet, deepFreeze } from "./plan-arbitraries.js";
import {
  applyAdoptions,
  aWorker,
  config,
  countsOf,
  evenFleet,
  fleet,
  keyOf,
  loadsOf,
  pollMs,
  seeded,
  shuffled,
  spread,
  workerIds,
  zipf,
} from "./plan-fleet.js";

/** What each worker takes, if all see the same and every orphan is `ageMs` old. */
function adoptions(snapshot: PlanSnapshot, ageMs = 0): Map<string, string[]> {
  const firstSeenMs = new Map(orphansOf(snapshot).map(({ leaseKey }) => [leaseKey, snapshot.nowMs - ageMs]));
  return new Map(
    snapshot.workers.map(({ workerId }) => [workerId, adoptionsFor(workerId, firstSeenMs, snapshot)]),
  );
}

/** Who takes each orphan that is new. Fails where two would. */
function takersOf(snapshot: PlanSnapshot, ageMs = 0): Map<string, string> {
  const takers = new Map<string, string>();
  for (const [workerId, keys] of adoptions(snapshot, ageMs)) {
    for (const key of keys) {
      expect(takers.get(key), `${key} is taken by ${workerId} too`).to.equal(undefined);
      takers.set(key, workerId);
    }
  }
  return takers;
}

function orphansOnly(leases: number, workers: number, weights?: readonly number[]): PlanSnapshot {
  return fleet(Array<undefined>(leases).fill(undefined), {
    workers: Object.fromEntries(workerIds(workers).map((id) => [id, {}])),
    ...(weights === undefined ? {} : { weights }),
  });
}

/** The fleet after the death of one worker was fenced. */
function withoutWorker(snapshot: PlanSnapshot, dead: string): PlanSnapshot {
  return {
    ...snapshot,
    workers: snapshot.workers.map((w) => (w.workerId === dead ? { ...w, live: false } : w)),
    leases: snapshot.leases.map((l) => (l.owner === dead ? { ...l, free: true } : l)),
  };
}

describe("orphans", () => {
  it("are the free leases that are neither finished nor waiting", () => {
    const snapshot = fleet("A..B..", {
      leases: {
        [keyOf(1)]: { finished: true },
        [keyOf(2)]: { waiting: true },
        [keyOf(3)]: { free: true },
      },
    });
    expect(orphansOf(snapshot).map(({ leaseKey }) => leaseKey)).to.deep.equal([keyOf(3), keyOf(4), keyOf(5)]);
  });

  it("are none where everything is owned", () => {
    expect(orphansOf(fleet("AABB"))).to.deep.equal([]);
  });
});

describe("adoptionsFor", () => {
  it("deals 64 leases of a cold start to three workers so that none has two more than another", () => {
    const snapshot = orphansOnly(64, 3);
    const takers = takersOf(snapshot);
    expect(takers.size).to.equal(64);
    expect(spread(Object.values(countsOf(applyAdoptions(snapshot, takers))))).to.be.at.most(1);
  });

  it("deals the leases of a dead worker evenly to the others", () => {
    const snapshot = withoutWorker(evenFleet(1_000, 20), "w007");
    const takers = takersOf(snapshot);
    expect(takers.size).to.equal(50);
    expect(spread(Object.values(countsOf(applyAdoptions(snapshot, takers))))).to.equal(1);
  });

  it("gives orphans first to whoever has least", () => {
    const snapshot = fleet("AAAAAA....", { workers: { B: {}, C: {} } });
    const takers = takersOf(snapshot);
    expect([...takers.values()].sort()).to.deep.equal(["B", "B", "C", "C"]);
  });

  it("deals Zipf weights so that nobody has a tenth more than the mean", () => {
    const snapshot = orphansOnly(1_000, 20, zipf(1_000, 0.6));
    const loads = loadsOf(applyAdoptions(snapshot, takersOf(snapshot)));
    expect((Math.max(...loads) * loads.length) / loads.reduce((a, b) => a + b)).to.be.at.most(1.1);
  });

  it("takes the heaviest first", () => {
    const weights = [1, 5, 3, 2, 4];
    const snapshot = fleet(".....", { workers: { A: {} }, weights });
    const order = adoptionsFor("A", new Map(), snapshot).map((key) => weights[Number(key.slice(1))]);
    expect(order).to.deep.equal([5, 4, 3, 2, 1]);
  });

  it("follows rendezvous rank where all have the same", () => {
    const ids = workerIds(4);
    const snapshot = orphansOnly(1, 4);
    expect(takersOf(snapshot).get(keyOf(0))).to.equal(ranked(keyOf(0), ids)[0]);
  });

  it("lets rank r try when the orphan is r polls old, and not before", () => {
    const order = ranked(keyOf(0), workerIds(3));
    const snapshot = orphansOnly(1, 3);
    const triers = (ageMs: number): string[] =>
      [...adoptions(snapshot, ageMs)].filter(([, keys]) => keys.length > 0).map(([id]) => id);
    expect(triers(pollMs - 1)).to.have.members(order.slice(0, 1));
    expect(triers(pollMs)).to.have.members(order.slice(0, 2));
    expect(triers(2 * pollMs - 1)).to.have.members(order.slice(0, 2));
    expect(triers(2 * pollMs)).to.have.members(order);
  });

  it("lets everybody try what is older than three polls", () => {
    const snapshot = orphansOnly(1, 8);
    const triers = (ageMs: number): number =>
      [...adoptions(snapshot, ageMs).values()].filter((keys) => keys.length > 0).length;
    expect(triers(3 * pollMs)).to.equal(4);
    expect(triers(3 * pollMs + 1)).to.equal(8);
  });

  it("begins with what is its own by rank, also when everything is old", () => {
    const snapshot = orphansOnly(60, 3);
    const own = adoptionsFor("w001", new Map(), snapshot);
    const old = adoptions(snapshot, 4 * pollMs).get("w001") ?? [];
    expect(old).to.have.length(60);
    expect(old.slice(0, own.length)).to.deep.equal(own);
  });

  it("gives nobody by rank more than its maxLeases", () => {
    const snapshot = fleet("A......", { workers: { A: { maxLeases: 2 }, B: {} } });
    const takers = [...takersOf(snapshot).values()];
    expect(takers.filter((id) => id === "A")).to.have.length(1);
    expect(takers).to.have.length(6);
  });

  it("holds a worker below its maxLeases also for what another should have taken", () => {
    const snapshot = fleet("......", { workers: { A: { maxLeases: 2 }, B: {} } });
    expect(adoptions(snapshot, pollMs).get("A")).to.have.length(2);
    expect(adoptions(snapshot, pollMs).get("B")).to.have.length(6);
  });

  it("leaves new orphans where all are at their maxLeases", () => {
    const snapshot = fleet("A...", { workers: { A: { maxLeases: 1 } } });
    expect(adoptionsFor("A", new Map(), snapshot)).to.deep.equal([]);
  });

  it("goes beyond maxLeases, up to hardMaxLeases, for what is older than three polls", () => {
    const snapshot = fleet("A.....", { workers: { A: { maxLeases: 1, hardMaxLeases: 3 } } });
    expect(adoptions(snapshot, 3 * pollMs).get("A")).to.have.length(0);
    expect(adoptions(snapshot, 3 * pollMs + 1).get("A")).to.have.length(2);
  });

  it("goes beyond hardMaxLeases by one lease a round for what is older than T", () => {
    const snapshot = fleet("AAA.....", { workers: { A: { maxLeases: 1, hardMaxLeases: 3 } } });
    expect(adoptions(snapshot, config.expiryMs).get("A")).to.have.length(0);
    expect(adoptions(snapshot, config.expiryMs + 1).get("A")).to.have.length(1);
  });

  it("lets a blind worker wait for three polls, and keeps it out of the ranks", () => {
    const snapshot = fleet("......", { workers: { A: { blind: true }, B: {} } });
    expect([...takersOf(snapshot).values()]).to.deep.equal(Array(6).fill("B"));
    expect(adoptions(snapshot, 3 * pollMs).get("A")).to.deep.equal([]);
    expect(adoptions(snapshot, 3 * pollMs + 1).get("A")).to.have.length(6);
  });

  it("gives a draining worker nothing, however old the orphan", () => {
    const snapshot = fleet("..", { workers: { A: { draining: true } } });
    expect(adoptions(snapshot, 10 * config.expiryMs).get("A")).to.deep.equal([]);
  });

  it("gives nothing to a worker that is fenced or not in the snapshot", () => {
    const snapshot = fleet("..", { workers: { A: { live: false } } });
    expect(adoptions(snapshot, 10 * config.expiryMs).get("A")).to.deep.equal([]);
    expect(adoptionsFor("stranger", new Map(), snapshot)).to.deep.equal([]);
  });

  it("never gives a worker the lease that its stuck processor still holds", () => {
    const snapshot = fleet(".", { workers: { A: { unfit: [keyOf(0)] }, B: {} } });
    expect([...takersOf(snapshot)]).to.deep.equal([[keyOf(0), "B"]]);
    expect(adoptions(snapshot, 10 * config.expiryMs).get("A")).to.deep.equal([]);
  });

  it("takes an orphan that nobody has noted for new", () => {
    const snapshot = orphansOnly(30, 3);
    expect(adoptionsFor("w000", new Map(), snapshot)).to.deep.equal(adoptions(snapshot, 0).get("w000"));
  });

  it("counts what is on its way out against the cap, since it may stay after all", () => {
    const leases = { [keyOf(0)]: { inFlightTo: "B" } };
    const snapshot = fleet("AB..", { leases, workers: { A: { maxLeases: 2 }, B: { maxLeases: 2 } } });
    expect([...takersOf(snapshot).values()]).to.deep.equal(["A"]);
  });

  it("counts a directive in flight at its target", () => {
    const leases = { [keyOf(0)]: { inFlightTo: "B" }, [keyOf(1)]: { inFlightTo: "B" } };
    const snapshot = fleet("AA..", { leases, workers: { B: {} } });
    expect([...takersOf(snapshot).values()]).to.deep.equal(["A", "A"]);
  });

  it("ends even when what each takes lands at different times", () => {
    // Workers take one lease each in turn, and each looks at the rows anew before it goes on.
    let snapshot = orphansOnly(64, 3);
    const random = seeded(3);
    while (orphansOf(snapshot).length > 0) {
      for (const id of shuffled(workerIds(3), random)) {
        const [key] = adoptionsFor(id, new Map(), snapshot);
        if (key !== undefined) snapshot = applyAdoptions(snapshot, new Map([[key, id]]));
      }
    }
    expect(spread(Object.values(countsOf(snapshot)))).to.be.at.most(1);
  });

  describe("in any fleet", () => {
    it("has each new orphan taken by exactly one worker where caps allow it", () => {
      fc.assert(
        fc.property(anyFleet({ maxLeases: 120, maxWorkers: 25, caps: false }), (snapshot) => {
          fc.pre(snapshot.workers.some((w) => w.live && !w.draining && !w.blind));
          expect([...takersOf(snapshot).keys()].sort()).to.deep.equal(
            orphansOf(snapshot).map(({ leaseKey }) => leaseKey),
          );
        }),
        { numRuns: 60 },
      );
    });

    it("has no new orphan taken by two, and no cap exceeded", () => {
      fc.assert(
        fc.property(anyFleet({ maxLeases: 120, maxWorkers: 25, caps: true }), (snapshot) => {
          const before = countsOf(snapshot);
          const after = countsOf(applyAdoptions(snapshot, takersOf(snapshot)));
          for (const { workerId, maxLeases } of snapshot.workers) {
            if (maxLeases === undefined) continue;
            const most = Math.max(maxLeases, before[workerId] ?? 0);
            expect(after[workerId] ?? 0).to.be.at.most(most);
          }
        }),
        { numRuns: 60 },
      );
    });

    it("has some worker try each orphan older than T, unless all drain or are unfit", () => {
      fc.assert(
        fc.property(anyFleet({ maxLeases: 40, maxWorkers: 10, caps: true }), (snapshot) => {
          const live = snapshot.workers.filter((w) => w.live && !w.draining);
          fc.pre(live.length > 0);
          // One beyond the caps a round: round by round all must go.
          let now = { ...snapshot, workers: snapshot.workers.map((w) => ({ ...w, unfit: [] })) };
          for (let left = orphansOf(now).length; left > 0;) {
            const takers = new Map<string, string>();
            for (const [id, keys] of adoptions(now, config.expiryMs + 1))
              for (const k of keys) takers.set(k, id);
            now = { ...now, ...applyAdoptions(now, takers), workers: now.workers };
            const next = orphansOf(now).length;
            expect(next).to.be.below(left);
            left = next;
          }
        }),
        { numRuns: 40 },
      );
    });

    it("gives the same answer whatever the order of the rows, and changes none", () => {
      fc.assert(
        fc.property(anyFleet({ maxLeases: 80, maxWorkers: 15, caps: true }), fc.nat(), (snapshot, seed) => {
          const random = seeded(seed);
          const mixed = {
            ...snapshot,
            workers: shuffled(snapshot.workers, random),
            leases: shuffled(snapshot.leases, random),
          };
          const me = snapshot.workers[0]?.workerId ?? "";
          expect(adoptionsFor(me, new Map(), deepFreeze(mixed))).to.deep.equal(
            adoptionsFor(me, new Map(), deepFreeze(snapshot)),
          );
        }),
        { numRuns: 60 },
      );
    });
  });

  it("spreads what a crash leaves over the fleet as if nobody had died", () => {
    for (const workers of [3, 10, 50]) {
      const snapshot = withoutWorker(evenFleet(500, workers), "w001");
      expect(spread(Object.values(countsOf(applyAdoptions(snapshot, takersOf(snapshot)))))).to.be.at.most(1);
    }
  });

  it("lets a worker that has just joined take its share of a cold start", () => {
    const snapshot = orphansOnly(9, 2);
    const joined = { ...snapshot, workers: [...snapshot.workers, aWorker("late", { joining: true })] };
    expect(countsOf(applyAdoptions(joined, takersOf(joined)))["late"]).to.equal(3);
  });
});
