import { expect } from "chai";
import { selfTest } from "../../../src/testing/chaos/self-test.js";
import type { ChaosRun } from "../../../src/testing/chaos/journal.js";
import { seededRandom } from "../../../src/testing/seeded-random.js";
import { Pen } from "./journals.js";

const leaseDurationMs = 4_000;

function run(): ChaosRun {
  const times = (at: number) => ({ from: at, at: at + 1 });
  const a = new Pen("a").created(90).belief("l", 1, 100, 200).belief("m", 4, 120, 220);
  a.record("l", 1, "r1", times(110)).record("m", 4, "r2", times(130));
  const b = new Pen("b").created(290).belief("l", 2, 300, 400).record("l", 2, "r1", times(310));
  b.record("l", 2, "r3", times(320));
  return { journals: [a.journal(150), b.journal(), new Pen("c").journal()], put: ["r1", "r2", "r3"] };
}

describe("the self-test of a chaos run", () => {
  it("finds what it plants, wherever the seed plants it", () => {
    for (let seed = 0; seed < 100; seed++) {
      expect(selfTest(run(), leaseDurationMs, seededRandom(seed)), `seed ${String(seed)}`).to.deep.equal({
        ok: true,
        problems: [],
      });
    }
  });

  it("fails where there is no belief and no record to plant anything in: that run shows nothing", () => {
    const { ok, problems } = selfTest(
      { journals: [new Pen("a").journal()], put: [] },
      leaseDurationMs,
      seededRandom(1),
    );
    expect(ok).to.equal(false);
    expect(problems).to.have.length(5);
  });

  it("fails where the analysis cannot tell what was planted from what was there", () => {
    const { journals, put } = run();
    const second = new Pen("d").belief("l", 2, 300, 400).belief("l", 1, 100, 200).belief("m", 4, 120, 220);
    const all = [...journals, second.journal()];
    const verdicts = Array.from({ length: 20 }, (_, seed) =>
      selfTest({ journals: all, put }, leaseDurationMs, seededRandom(seed)),
    );
    expect(verdicts.some(({ ok }) => !ok)).to.equal(true);
  });

  it("changes nothing in the run that it is given", () => {
    const given = run();
    selfTest(given, leaseDurationMs, seededRandom(1));
    expect(given).to.deep.equal(run());
  });
});
