import { expect } from "chai";
import { resolveProtocol } from "../../../src/model/config.js";
import { drawSchedule, leastFaults, type ChaosAct } from "../../../src/testing/chaos/schedule.js";

const leaseDurationMs = 4_000;
const { expiryMs } = resolveProtocol({ leaseDurationMs });

type ActOf<Kind extends ChaosAct["kind"]> = Extract<ChaosAct, { readonly kind: Kind }>;

const draw = (seed: number, minutes = 3) => drawSchedule({ seed, minutes, leaseDurationMs });
const of = <Kind extends ChaosAct["kind"]>(acts: readonly ChaosAct[], kind: Kind) =>
  acts.filter((act): act is ActOf<Kind> => act.kind === kind);

describe("the schedule of a chaos run", () => {
  it("has at least 10 kills, 5 pauses and 2 reshards in three minutes, whatever the seed", () => {
    for (let seed = 0; seed < 200; seed++) {
      const acts = draw(seed);
      expect(of(acts, "kill").length, `seed ${String(seed)}`).to.be.at.least(10);
      expect(of(acts, "pause").length).to.be.at.least(5);
      expect(of(acts, "reshard").length).to.be.at.least(2);
      expect(of(acts, "stop").length).to.be.at.least(1);
      expect(of(acts, "proxy").length).to.be.at.least(3);
    }
  });

  it("asks for the same of a run in proportion to its length, and plans more than it asks for", () => {
    expect(leastFaults(3)).to.include({ kill: 10, pause: 5, reshard: 2 });
    expect(leastFaults(30)).to.include({ kill: 100, pause: 50, reshard: 20 });
    for (const minutes of [0.5, 1, 3, 30]) {
      const acts = draw(7, minutes);
      for (const kind of ["kill", "pause", "stop", "reshard", "proxy"] as const) {
        expect(of(acts, kind).length, kind).to.be.at.least(leastFaults(minutes)[kind]);
      }
      expect(of(acts, "kill").length).to.be.above(leastFaults(minutes).kill);
    }
  });

  it("has pauses that a belief may survive and pauses that none can, splits and merges, of every kind of process", () => {
    for (let seed = 0; seed < 200; seed++) {
      const acts = draw(seed);
      const pauses = of(acts, "pause").map(({ forMs }) => forMs);
      expect(pauses.some((forMs) => forMs < expiryMs)).to.equal(true);
      expect(pauses.some((forMs) => forMs > expiryMs)).to.equal(true);
      expect(new Set(of(acts, "reshard").map(({ how }) => how))).to.deep.equal(new Set(["split", "merge"]));
      const victims = new Set(of(acts, "kill").map(({ victim }) => victim));
      expect(victims).to.deep.equal(new Set(["solo", "child", "supervisor"]));
      expect(new Set(of(acts, "stop").map(({ victim }) => victim)).size).to.equal(2);
    }
  });

  it("kills several at once, and some that stand still", () => {
    for (let seed = 0; seed < 200; seed++) {
      const acts = draw(seed);
      expect(of(acts, "kill").some(({ count }) => count > 1)).to.equal(true);
      expect(new Set(of(acts, "pause").map(({ endsBy }) => endsBy)).size).to.equal(2);
    }
  });

  it("begins every act within the run, in order, and spreads each kind over all of it", () => {
    for (let seed = 0; seed < 200; seed++) {
      const acts = draw(seed);
      const times = acts.map(({ atMs }) => atMs);
      expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
      expect(times[0]).to.be.at.least(0);
      expect(times.at(-1)).to.be.at.most(180_000);
      const kills = of(acts, "kill").map(({ atMs }) => atMs);
      const gaps = kills.slice(1).map((atMs, i) => atMs - kills[i]!);
      expect(Math.max(...gaps)).to.be.at.most((2 * 180_000) / kills.length);
    }
  });

  it("draws the same for the same seed, and something else for another", () => {
    expect(draw(3)).to.deep.equal(draw(3));
    expect(draw(3)).to.not.deep.equal(draw(4));
  });

  it("meets every kind of weather in a run of some minutes", () => {
    const names = new Set(of(draw(1, 4), "proxy").map(({ weather }) => weather.name));
    expect(names.size).to.equal(10);
  });
});
