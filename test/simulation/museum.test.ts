import { expect } from "chai";
import { drawScenario } from "../../src/testing/scenario.js";
import { simulate } from "../../src/testing/simulator.js";

/** Bugs that a simulation found, by the seeds that found them. They stay, so that the bugs do not come back. */
describe("the museum of simulated bugs", function () {
  this.timeout(60_000);

  for (const seed of [139, 143]) {
    it(`a start whose tables' answer was lost hung for 15 minutes, and the dead fleet's leases with it (rolling ${seed})`, async () => {
      const result = await simulate(drawScenario(seed, { theme: "rolling" }));
      expect(result.ownedAfterMs).to.be.at.least(0);
    });
  }

  for (const seed of ["m2", "m4", "m7"]) {
    it(`a merge's child began before its other parent had a row (${seed})`, async () => {
      // A shard is split and one half merged with its neighbour, whose end is reached before the split one's.
      const result = await simulate({
        ...drawScenario(seed, { machines: [2, 2], shards: [2, 2], faults: [0, 0] }),
        protocol: {},
        conditions: { latencyMs: [1, 8] },
        workMs: [10, 300],
        putEveryMs: 20,
        faults: [
          { kind: "split", atMs: 20_000, pick: 0.1 },
          { kind: "merge", atMs: 20_001.5, pick: 0.99 },
        ],
        runMs: 60_000,
        produceUntilMs: 50_000,
      });
      expect(result.emitted.get("partition-ended")).to.equal(3);
    });
  }
});
