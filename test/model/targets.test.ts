import { expect } from "chai";
import { seeded, shuffled, zipf } from "./plan-fleet.js";
import { SimulatedFleet } from "./simulated-fleet.js";

/*
 * The protocol's targets ("Assignment"), set before anything was tuned: 1,000 leases, 20 workers. Each seed has its own
 * phase of the event against the planner's round and its own times of handoffs. The shipped classes answer to the same
 * figures in test/simulation/targets.suite.ts.
 */
const leases = 1_000;
const workers = 20;
const seeds = [101, 102, 103, 104, 105, 106];
/** What a handoff may take here, from the plan to the new owner. */
const handoffMs = 1_500;

/** Runs on. @returns from when on max/mean stayed at 1.1 or below */
function balancedAfterMs(fleet: SimulatedFleet, ms: number): number {
  const from = fleet.nowMs;
  let lastMs = 0;
  while (fleet.nowMs - from < ms) {
    fleet.run(250);
    if (fleet.maxToMean > 1.1) lastMs = fleet.nowMs - from;
  }
  return lastMs;
}

describe("the protocol's targets, by the plan's functions alone", () => {
  for (const seed of seeds) {
    it(`a join moves at most 1.05 times the fewest leases, and nothing moves at rest (seed ${String(seed)})`, () => {
      const fleet = new SimulatedFleet({ seed, leases, workers });
      fleet.run(60_000);
      expect(fleet.changes).to.equal(0);
      const newcomer = fleet.join();
      fleet.run(60_000);
      const fewest = Math.floor(leases / (workers + 1));
      expect(fleet.changes).to.be.within(fewest, 1.05 * fewest);
      expect(fleet.counts[newcomer]).to.be.at.least(fewest);
    });

    it(`loads are within a tenth five rounds after a fleet has settled that doubled (seed ${String(seed)})`, () => {
      const fleet = new SimulatedFleet({ seed, leases, workers: workers / 2 });
      for (let i = 0; i < workers / 2; i++) fleet.join();
      // Until the newcomers have beaten: nobody sees them before.
      fleet.run(100);
      const { settleMs, pollIntervalMs } = fleet.config;
      // The planner sees them in its next round, and what the last round gives takes as long as a handoff does.
      expect(balancedAfterMs(fleet, 60_000)).to.be.at.most(settleMs + 6 * pollIntervalMs + handoffMs);
      expect(fleet.changes).to.be.within(leases / 2, 1.05 * (leases / 2));
    });

    it(`after a crash all is owned again within T + 2p and even at once (seed ${String(seed)})`, () => {
      const fleet = new SimulatedFleet({ seed, leases, workers });
      const { expiryMs, pollIntervalMs } = fleet.config;
      const from = fleet.nowMs;
      fleet.crash(fleet.ids()[seed % workers] ?? "");
      fleet.run(expiryMs + 2 * pollIntervalMs);
      expect(fleet.ownedAtMs - from).to.be.within(expiryMs, expiryMs + 2 * pollIntervalMs);
      expect(fleet.maxToMean).to.be.at.most(1.1);
      expect(fleet.changes).to.equal(leases / workers);
    });

    it(`Zipf loads come within a tenth, also with a newcomer (seed ${String(seed)})`, () => {
      const weights = shuffled(zipf(leases, 0.6), seeded(seed));
      const fleet = new SimulatedFleet({ seed, leases, workers, weights });
      fleet.run(60_000);
      expect(fleet.maxToMean).to.be.at.most(1.1);
      fleet.join();
      fleet.run(100);
      const { settleMs, pollIntervalMs } = fleet.config;
      expect(balancedAfterMs(fleet, 60_000)).to.be.at.most(settleMs + 6 * pollIntervalMs + handoffMs);
    });
  }

  it("noise of 30 % on equal loads moves nothing", () => {
    const fleet = new SimulatedFleet({
      seed: 107,
      leases,
      workers,
      weights: Array.from({ length: leases }, () => 100),
      noise: (weight, random) => weight * (0.7 + 0.6 * random()),
    });
    fleet.run(120_000);
    expect(fleet.changes).to.equal(0);
  });
});
