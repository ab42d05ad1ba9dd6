import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import { Throughput, Utilisation } from "../../src/processing/averages.js";
import { checkProcessor, resolveProcessing, type ProcessingOptions } from "../../src/processing/options.js";

describe("processing options", () => {
  it("default to automatic checkpoints and retries from 1 s to 60 s, for ever", () => {
    expect(resolveProcessing()).to.deep.equal({
      checkpointing: "automatic",
      firstMs: 1_000,
      longestMs: 60_000,
      onError: undefined,
    });
  });

  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [{ checkpointing: "sometimes" }, /checkpointing is "sometimes": it must be "automatic" or "explicit"/],
    [{ retry: 5 }, /retry is 5/],
    [{ retry: { firstMs: 0 } }, /retry\.firstMs is 0/],
    [{ retry: { firstMs: 1.5 } }, /retry\.firstMs is 1\.5/],
    [{ retry: { firstMs: "1000" } }, /retry\.firstMs is "1000"/],
    [
      { retry: { firstMs: 5_000, longestMs: 1_000 } },
      /retry\.longestMs is 1000: it must be an integer from 5000/,
    ],
    [{ retry: { first: 1 } }, /retry\.first is no processing option; known are firstMs, longestMs/],
    [{ onError: "retry" }, /onError is "retry": it must be a function/],
    [{ checkpoints: 1 }, /checkpoints is no processing option/],
  ];
  for (const [options, message] of wrong) {
    it(`refuse ${JSON.stringify(options)} by name and value`, () => {
      expect(() => resolveProcessing(options as ProcessingOptions))
        .to.throw(message)
        .with.property("code", "invalid-option");
    });
  }

  it("raise the longest back-off to the first one when only that is given", () => {
    expect(resolveProcessing({ retry: { firstMs: 90_000 } }).longestMs).to.equal(90_000);
  });

  for (const processor of [undefined, null, 5, "x", {}, { process: 1 }]) {
    it(`refuse ${typeof processor === "object" ? JSON.stringify(processor) : String(processor)} as a processor`, () => {
      try {
        checkProcessor(processor as never);
        expect.fail("not refused");
      } catch (error) {
        expect(hasCode(error, "invalid-option")).to.equal(true);
      }
    });
  }
});

describe("averages", () => {
  it("of throughput come to the rate of a steady stream", () => {
    const throughput = new Throughput(undefined, 0);
    for (let t = 0; t <= 10_000; t += 100) throughput.add({ bytes: 1_024 }, t);
    expect(throughput.kBps(10_000)).to.be.closeTo(10, 0.5);
    for (let t = 10_100; t <= 300_000; t += 100) throughput.add({ bytes: 1_024 }, t);
    expect(throughput.kBps(300_000)).to.be.closeTo(10, 0.2);
  });

  it("of throughput go on with an earlier owner's figure, and fade", () => {
    const throughput = new Throughput(100, 0);
    expect(throughput.kBps(0)).to.equal(100);
    expect(throughput.kBps(60_000)).to.be.closeTo(100 / Math.E, 0.01);
    expect(throughput.extra(0)).to.deep.equal({ throughputKBps: 100 });
  });

  it("of utilisation weigh by time, not by the number of changes", () => {
    const utilisation = new Utilisation(0);
    utilisation.set(1, 0);
    for (let t = 0; t < 1_000; t += 10) utilisation.set(1, t);
    expect(utilisation.mean(30_000)).to.be.closeTo(1 - 1 / Math.E, 0.001);
    utilisation.set(0, 30_000);
    expect(utilisation.mean(300_000)).to.be.lessThan(0.001);
  });
});
