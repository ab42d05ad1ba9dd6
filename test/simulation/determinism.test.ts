import { expect } from "chai";
import { useLightSignals } from "../../src/testing/light-signals.js";
import { drawScenario } from "../../src/testing/scenario-draw.js";
import { simulate } from "../../src/testing/simulator.js";

describe("a simulation's trace", function () {
  this.timeout(60_000);

  for (const seed of [4, 17, "any text"]) {
    it(`is the same byte for byte when seed ${seed} runs again`, async () => {
      const run = async (): Promise<string> =>
        (await simulate(drawScenario(seed), { trace: { keep: "all" } })).trace.text();
      const [first, second] = [await run(), await run()];
      expect(first.split("\n").length).to.be.greaterThan(1_000);
      // Not by the assertion library: its diff of two megabytes takes minutes.
      expect(first === second).to.equal(true);
    });
  }

  it("is the same with light signals as with Node's own", async () => {
    const run = async (): Promise<string> =>
      (await simulate(drawScenario(6), { trace: { keep: "all" } })).trace.text();
    const before = await run();
    const restore = useLightSignals();
    try {
      const after = await run();
      expect(before === after).to.equal(true);
    } finally {
      restore();
    }
  });

  it("differs between seeds", async () => {
    const digest = async (seed: number): Promise<string> => {
      const { trace } = await simulate(drawScenario(seed), { trace: { keep: "all" } });
      return trace.digest();
    };
    expect(await digest(1)).not.to.equal(await digest(2));
  });
});
