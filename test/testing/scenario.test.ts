import { expect } from "chai";
import { clockRateBound, resolveProtocol } from "../../src/model/config.js";
import { faultEndMs, type FaultKind } from "../../src/testing/faults.js";
import { drawScenario, healedAtMs, ownedWithinMs, themes } from "../../src/testing/scenario.js";

const seeds = Array.from({ length: 200 }, (_, i) => i);

describe("a drawn scenario", () => {
  it("is the same for the same seed, and plain data", () => {
    const scenario = drawScenario(5);
    expect(drawScenario("5")).to.deep.equal(scenario);
    expect(drawScenario(6)).not.to.deep.equal(scenario);
    expect(JSON.parse(JSON.stringify(scenario))).to.deep.equal(scenario);
  });

  for (const theme of themes) {
    it(`has 3 to 8 machines within the bound, 8 to 32 shards and 120 s (${theme})`, () => {
      for (const seed of seeds) {
        const { machines, shards, runMs, protocol } = drawScenario(seed, { theme });
        expect(machines.length).to.be.within(3, 8);
        expect(shards).to.be.within(8, 32);
        expect(runMs).to.equal(120_000);
        for (const { rate } of machines) expect(Math.abs(rate - 1)).to.be.at.most(clockRateBound);
        expect(() => resolveProtocol(protocol)).not.to.throw();
      }
    });

    it(`lets every fault end in time for healing, and healing in time for the end (${theme})`, () => {
      for (const seed of seeds) {
        const scenario = drawScenario(seed, { theme });
        for (const fault of scenario.faults) {
          expect(fault.atMs).to.be.at.least(12_000);
          expect(faultEndMs(fault)).to.be.at.most(0.58 * 120_000 + 1e-6);
        }
        const ownedBy = healedAtMs(scenario) + ownedWithinMs(resolveProtocol(scenario.protocol));
        expect(ownedBy).to.be.below(scenario.runMs);
      }
    });
  }

  it("has an outage of the store in every seed, and every kind of fault but deleted tables in some", () => {
    const kinds = new Set<FaultKind>();
    for (const seed of seeds) {
      const { faults } = drawScenario(seed);
      expect(faults.some(({ kind }) => kind === "store-outage")).to.equal(true);
      for (const { kind } of faults) kinds.add(kind);
    }
    expect([...kinds].sort()).to.deep.equal([
      "crash",
      "failing-processor",
      "forced-fence",
      "merge",
      "pause",
      "split",
      "stale-reads",
      "start",
      "stop",
      "store-lossy",
      "store-outage",
      "store-slow",
      "store-throttled",
      "stream-outage",
      "stuck-processor",
      "suspend",
      "trim",
      "wall-jump",
    ]);
  });

  it("takes its shape from who asks", () => {
    const scenario = drawScenario(1, { machines: [2, 2], shards: [4, 4], faults: [0, 0], runMs: 60_000 });
    expect(scenario.machines).to.have.length(2);
    expect(scenario).to.include({ shards: 4, runMs: 60_000 });
    expect(scenario.faults.map(({ kind }) => kind)).to.deep.equal(["store-outage"]);
  });
});
