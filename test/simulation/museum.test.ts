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
});
