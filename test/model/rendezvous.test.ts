import { expect } from "chai";
import fc from "fast-check";
import { plannerRank, ranked, rankOf, rendezvousScore } from "../../src/model/rendezvous.js";
import { keyOf, workerIds } from "./plan-fleet.js";

const anyIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 20 });

describe("rendezvous", () => {
  it("gives the same score whenever it is asked, also in another version that runs beside it", () => {
    expect(rendezvousScore("worker-1", "shardId-000000000000")).to.equal(183_419_942_783_113);
    expect(rendezvousScore("wörker", "")).to.equal(1_015_583_572_016_559);
  });

  it("gives scores that are exact integers of at most 53 bits", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (workerId, leaseKey) => {
        const score = rendezvousScore(workerId, leaseKey);
        expect(Number.isSafeInteger(score) && score >= 0).to.equal(true);
      }),
    );
  });

  it("gives the rank that the worker has in the order", () => {
    fc.assert(
      fc.property(anyIds, fc.string(), (ids, leaseKey) => {
        const order = ranked(leaseKey, ids);
        expect(order.map((id) => rankOf(id, leaseKey, ids))).to.deep.equal(order.map((_, i) => i));
      }),
    );
  });

  it("orders alike whatever the order of the input, and changes no input", () => {
    fc.assert(
      fc.property(anyIds, fc.string(), (ids, leaseKey) => {
        const given = Object.freeze([...ids]);
        expect(ranked(leaseKey, given)).to.deep.equal(ranked(leaseKey, [...ids].reverse()));
      }),
    );
  });

  it("keeps everybody else's order when a worker goes", () => {
    fc.assert(
      fc.property(anyIds, fc.string(), (ids, leaseKey) => {
        const gone = ids[0];
        const rest = ids.filter((id) => id !== gone);
        expect(ranked(leaseKey, rest)).to.deep.equal(ranked(leaseKey, ids).filter((id) => id !== gone));
      }),
    );
  });

  it("ranks a worker that is not in the list where it would stand", () => {
    const ids = workerIds(6);
    for (const id of ids) {
      expect(
        rankOf(
          id,
          "s",
          ids.filter((other) => other !== id),
        ),
      ).to.equal(rankOf(id, "s", ids));
    }
  });

  it("deals leases with like names about evenly to workers with like names", () => {
    const ids = workerIds(10);
    const firsts = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      const first = ranked(`shardId-${String(i).padStart(12, "0")}`, ids)[0] ?? "";
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    // A fair die of ten sides has a standard deviation of 30 here.
    for (const id of ids) expect(firsts.get(id)).to.be.within(880, 1_120);
  });

  it("chooses the second independently of the first", () => {
    const ids = workerIds(5);
    const seconds = new Map<string, number>();
    for (let i = 0; i < 5_000; i++) {
      const [first, second] = ranked(keyOf(i), ids);
      if (first === "w000") seconds.set(second ?? "", (seconds.get(second ?? "") ?? 0) + 1);
    }
    for (const id of ids.slice(1)) expect(seconds.get(id)).to.be.within(190, 310);
  });

  it("meets no equal scores among a hundred thousand pairs", () => {
    const scores = new Set<number>();
    for (const id of workerIds(100))
      for (let i = 0; i < 1_000; i++) scores.add(rendezvousScore(id, keyOf(i)));
    expect(scores.size).to.equal(100_000);
  });

  it("stands exactly one worker first for the planner lease", () => {
    fc.assert(
      fc.property(anyIds, (ids) => {
        const ranks = ids.map((id) => plannerRank(id, ids)).sort((a, b) => a - b);
        expect(ranks).to.deep.equal(ids.map((_, i) => i));
      }),
    );
  });

  it("moves the planner's first rank only when the first goes", () => {
    const ids = workerIds(8);
    const first = ids.find((id) => plannerRank(id, ids) === 0);
    const second = ids.find((id) => plannerRank(id, ids) === 1) ?? "";
    expect(
      plannerRank(
        second,
        ids.filter((id) => id !== first),
      ),
    ).to.equal(0);
  });
});
