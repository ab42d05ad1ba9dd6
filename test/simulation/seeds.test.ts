import { expect } from "chai";
import { drawScenario } from "../../src/testing/scenario-draw.js";
import { simulate, type SimulationResult } from "../../src/testing/simulator.js";

/**
 * A few seeds, in groups, so that a failure shows while the rest still runs, and coverage is measured; the message of a
 * failure names its seed. The many run compiled and in several processes: `npm run sim`, 300 of them in `npm test`.
 */
const groups = 2;
const seedsInGroup = 3;

describe("a fleet under faults, simulated", function () {
  this.timeout(120_000);
  const results: SimulationResult[] = [];

  for (let group = 0; group < groups; group++) {
    const first = group * seedsInGroup + 1;
    it(`holds every invariant in seeds ${first} to ${first + seedsInGroup - 1}`, async () => {
      for (let seed = first; seed < first + seedsInGroup; seed++) {
        results.push(await simulate(drawScenario(seed)));
      }
    });
  }

  for (let first = 1; first <= 4; first += 2) {
    it(`holds them while workers come and go and answers are lost, in seeds ${first} to ${first + 1}`, async () => {
      for (let seed = first; seed < first + 2; seed++) {
        results.push(await simulate(drawScenario(seed, { theme: "rolling" })));
      }
    });
  }

  for (let first = 1; first <= 2; first += 1) {
    it(`holds them in fleets of 9 to 20 workers, which observe by threes, in seed ${first}`, async () => {
      const result = await simulate(drawScenario(`large ${first}`, { machines: [9, 20] }));
      expect(result.emitted.get("observer-assigned")).to.be.greaterThan(0);
      results.push(result);
    });
  }

  it("saw enough happen to mean something", () => {
    const emitted = (type: Parameters<SimulationResult["emitted"]["get"]>[0]): number =>
      results.reduce((sum, { emitted: counts }) => sum + (counts.get(type) ?? 0), 0);
    for (const type of [
      "fenced",
      "belief-lapsed",
      "handed-off",
      "released",
      "checkpoint-refused",
      "change-failed",
      "reconciled",
      "partition-ended",
      "planner-elected",
      "directive-posted",
      "lease-lost-told",
      "force-fenced",
    ] as const) {
      expect(emitted(type), type).to.be.greaterThan(0);
    }
    const busy = results.filter(({ ownerChanges }) => ownerChanges > 20);
    expect(busy.length).to.be.at.least(results.length - 2);
  });
});
