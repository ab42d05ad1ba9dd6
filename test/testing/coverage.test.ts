import { existsSync } from "node:fs";
import { expect } from "chai";
import {
  coverageNames,
  coverageNamesWithoutHours,
  coverageOf,
  elsewhere,
  mergeCoverage,
} from "../../src/testing/coverage.js";
import { drawScenario, scenarioOfSeed } from "../../src/testing/scenario-draw.js";
import { simulate } from "../../src/testing/simulator.js";

describe("the coverage of simulations", function () {
  this.timeout(60_000);

  it("names everything once, and what needs an hour apart from the rest", () => {
    expect(new Set(coverageNames).size).to.equal(coverageNames.length);
    expect(coverageNames).to.include.members(["fault:tables-deleted", "resumed", "worker-collected"]);
    expect(coverageNames.filter((name) => !coverageNamesWithoutHours.includes(name))).to.deep.equal([
      "worker-collected",
    ]);
  });

  it("says of what no simulation reaches which test holds it", () => {
    for (const [name, why] of Object.entries(elsewhere)) {
      expect(coverageNames).not.to.include(name);
      const file = /test\/[\w/.-]+\.test\.ts$/.exec(why)?.[0] ?? "none";
      expect(existsSync(new URL(`../../${file}`, import.meta.url)), `${name}: ${file}`).to.equal(true);
    }
  });

  it("counts what occurred, leaves out what did not, and adds up", async () => {
    const quiet = await simulate({ ...drawScenario(1, { machines: [3, 3], shards: [8, 8] }), faults: [] });
    const counts = coverageOf(quiet);
    expect(counts.get("created")).to.equal(8);
    expect(counts.get("worker-created")).to.equal(3);
    expect(counts.get("fault:crash")).to.equal(undefined);
    expect(counts.get("belief-lapsed")).to.equal(undefined);
    const busy = await simulate(scenarioOfSeed(2, { hours: false }));
    const all = new Map(counts);
    mergeCoverage(all, coverageOf(busy));
    expect(all.get("created")).to.equal(8 + (coverageOf(busy).get("created") ?? NaN));
  });

  it("counts a fault only where there was something for it to act on", async () => {
    const crash = { kind: "crash", worker: 0, atMs: 15_000 } as const;
    const scenario = {
      ...drawScenario(1, { machines: [3, 3], shards: [8, 8] }),
      faults: [crash, { ...crash, atMs: 16_000 }],
    };
    expect(coverageOf(await simulate(scenario)).get("fault:crash")).to.equal(1);
  });
});
