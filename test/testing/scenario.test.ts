import { expect } from "chai";
import { clockRateBound, resolveProtocol } from "../../src/model/config.js";
import { faultEndMs, faultKinds, type Fault } from "../../src/testing/faults.js";
import { healedAtMs, oldestReadMs, ownedWithinMs } from "../../src/testing/scenario.js";
import { drawScenario, scenarioOfSeed, themes } from "../../src/testing/scenario-draw.js";

const warmUpMs = 15_000;
const seeds = Array.from({ length: 200 }, (_, i) => i);

describe("how old a scenario's reads may be", () => {
  const usual = { ...drawScenario(1), conditions: { staleMs: 300 }, faults: [] };

  it("is what its usual day has, none where that has none", () => {
    expect(oldestReadMs(usual)).to.equal(300);
    expect(oldestReadMs({ ...usual, conditions: {} })).to.equal(0);
  });

  it("is not known where a fault ages them", () => {
    const ageing: readonly Fault[] = [
      { kind: "stale-reads", atMs: 1, forMs: 1, upToMs: 5_000 },
      { kind: "index-lag", atMs: 1, forMs: 1, upToMs: 5_000 },
      { kind: "two-planners", atMs: 1, forMs: 1 },
    ];
    for (const fault of ageing) expect(oldestReadMs({ ...usual, faults: [fault] })).to.equal(undefined);
  });
});

describe("the time that healing may take", () => {
  const protocol = { leaseDurationMs: 10_000 };
  const { expiryMs, pollIntervalMs, settleMs, attemptTimeoutMs } = resolveProtocol(protocol);
  const oneMs = expiryMs + 4 * pollIntervalMs + settleMs + 2 * attemptTimeoutMs;
  const within = (...faults: readonly Fault[]): number =>
    ownedWithinMs({ ...drawScenario(1), protocol, faults });
  const crash = (worker: number, atMs: number): Fault => ({ kind: "crash", worker, atMs });
  const outage = (endMs: number): Fault => ({
    kind: "store-outage",
    atMs: endMs - 1_000,
    forMs: 1_000,
    of: "all",
    how: "silent",
  });

  it("has one expiry in it where nobody, or one worker alone, dies", () => {
    expect(within()).to.equal(oneMs);
    expect(within(crash(0, 50_000))).to.equal(oneMs);
    expect(within({ kind: "pause", worker: 0, atMs: 50_000, forMs: 1_000 })).to.equal(oneMs);
    expect(within(crash(0, 50_000 - expiryMs - 1), crash(1, 50_000))).to.equal(oneMs);
  });

  it("has two where the observers of the dead may have died with them, or have to count anew", () => {
    const twoMs = oneMs + expiryMs;
    expect(within({ kind: "death-with-observers", worker: 0, atMs: 50_000 })).to.equal(twoMs);
    expect(within({ kind: "cold-start", atMs: 50_000, forMs: 1_000 })).to.equal(twoMs);
    expect(within(crash(0, 50_000 - expiryMs), crash(1, 50_000))).to.equal(twoMs);
    expect(within(crash(0, 50_000), crash(1, 50_000))).to.equal(twoMs);
    expect(within(outage(50_000))).to.equal(twoMs);
    expect(within({ kind: "store-slow", worker: 2, atMs: 50_000, forMs: 1_000, factor: 9 })).to.equal(twoMs);
  });

  it("has one where the last expiry before healing had no such thing", () => {
    const last = crash(3, 50_000);
    const earlyMs = 50_000 - expiryMs - 1;
    expect(within(outage(earlyMs), last)).to.equal(oneMs);
    expect(within(crash(0, earlyMs), crash(1, earlyMs), last)).to.equal(oneMs);
    expect(within({ kind: "death-with-observers", worker: 0, atMs: earlyMs }, last)).to.equal(oneMs);
    expect(within(outage(earlyMs + 1), last)).to.equal(oneMs + expiryMs);
  });
});

describe("a drawn scenario", () => {
  it("is the same for the same seed, and plain data", () => {
    const scenario = drawScenario(5);
    expect(drawScenario("5")).to.deep.equal(scenario);
    expect(drawScenario(6)).not.to.deep.equal(scenario);
    expect(JSON.parse(JSON.stringify(scenario))).to.deep.equal(scenario);
  });

  for (const theme of themes) {
    it(`has 3 to 12 machines within the bound, 8 to 64 shards and 120 s after the warm-up (${theme})`, () => {
      for (const seed of seeds) {
        const { machines, shards, runMs, protocol } = drawScenario(seed, { theme });
        expect(machines.length).to.be.within(theme === "crowded" ? 10 : 3, 12);
        expect(shards).to.be.within(8, 64);
        expect(runMs).to.equal(warmUpMs + 120_000);
        for (const { rate } of machines) expect(Math.abs(rate - 1)).to.be.at.most(clockRateBound);
        expect(() => resolveProtocol(protocol)).not.to.throw();
      }
    });

    it(`lets every fault end in time for healing, and healing in time for the end (${theme})`, () => {
      for (const seed of seeds) {
        const scenario = drawScenario(seed, { theme });
        for (const fault of scenario.faults) {
          expect(fault.atMs).to.be.at.least(warmUpMs);
          expect(faultEndMs(fault)).to.be.at.most(warmUpMs + 0.45 * 120_000 + 1e-6);
        }
        const ownedBy = healedAtMs(scenario) + ownedWithinMs(scenario);
        expect(ownedBy).to.be.below(scenario.runMs);
      }
    });
  }

  it("has an outage of the store in every seed of no theme, and every kind of fault in some seed", () => {
    for (const seed of seeds) {
      const kinds = drawScenario(seed).faults.map(({ kind }) => kind);
      expect(kinds, String(seed)).to.include("store-outage");
    }
    const drawn = seeds.flatMap((seed) => scenarioOfSeed(seed, { hours: false }).faults);
    expect([...new Set(drawn.map(({ kind }) => kind))].sort()).to.deep.equal([...faultKinds].sort());
  });

  it("has outages from half a lease to ten", () => {
    const shares = seeds.flatMap((seed) => {
      const { faults, protocol } = drawScenario(seed);
      return faults.flatMap((fault) =>
        fault.kind === "store-outage" ? [fault.forMs / (protocol.leaseDurationMs ?? NaN)] : [],
      );
    });
    expect(Math.min(...shares)).to.be.within(0.5, 0.6);
    expect(Math.max(...shares)).to.be.within(7, 10);
  });

  it("has four faults or more, of two kinds or more", () => {
    for (const seed of seeds) {
      const kinds = scenarioOfSeed(seed, { hours: false }).faults.map(({ kind }) => kind);
      expect(kinds.length, String(seed)).to.be.at.least(4);
      expect(new Set(kinds).size, String(seed)).to.be.at.least(2);
    }
  });

  it("is an hour long for one seed in 50, with 20 machines or more and faults through two thirds of it", () => {
    const long = seeds.filter((seed) => scenarioOfSeed(seed, { hours: true }).runMs > 1_000_000);
    expect(long).to.deep.equal([0, 50, 100, 150]);
    for (const seed of long) {
      const { machines, runMs, faults, protocol } = scenarioOfSeed(seed, { hours: true });
      expect(machines.length).to.be.at.least(20);
      expect(runMs).to.equal(3_600_000);
      for (let atMs = 0; atMs < 2_100_000; atMs += 300_000) {
        const during = faults.filter((fault) => fault.atMs >= atMs && fault.atMs < atMs + 300_000);
        expect(during, `seed ${String(seed)} from ${String(atMs)}`).not.to.be.empty;
      }
      expect(() => resolveProtocol(protocol)).not.to.throw();
    }
    expect(seeds.every((seed) => scenarioOfSeed(seed, { hours: false }).runMs < 200_000)).to.equal(true);
  });

  it("takes its shape from who asks", () => {
    const scenario = drawScenario(1, { machines: [2, 2], shards: [4, 4], faults: [0, 0], runMs: 60_000 });
    expect(scenario.machines).to.have.length(2);
    expect(scenario).to.include({ shards: 4, runMs: 60_000 });
    expect(scenario.faults.map(({ kind }) => kind)).to.deep.equal(["store-outage"]);
  });
});
