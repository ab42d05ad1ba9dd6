import { expect } from "chai";

interface Output {
  readonly code: number;
  readonly output: string;
}
interface Verdict {
  readonly passed: number;
  readonly failed: number;
}
type Verdicts = Record<
  "ofMocha" | "ofModel" | "ofTraces" | "ofMutants" | "ofHour" | "ofChaos",
  (output: Output) => Verdict
> & {
  ofSeeds(atLeast: number): (output: Output) => Verdict;
};

const verdicts = (await import(new URL("../../scripts/ci-verdicts.mjs", import.meta.url).href)) as Verdicts;

function printed(result: unknown, code = 0): Output {
  return { code, output: `> some script\n\n${JSON.stringify(result)}\n` };
}

describe("what a suite counts as in the whole run", () => {
  it("counts mocha's pending tests as failed", () => {
    const output = "  12 passing (3s)\n  2 pending\n";
    expect(verdicts.ofMocha({ code: 0, output })).to.deep.equal({ passed: 12, failed: 2 });
  });

  it("counts a run that ended badly, or in which nothing ran, as failed", () => {
    expect(verdicts.ofMocha({ code: 1, output: "  12 passing (3s)\n" })).to.deep.equal({
      passed: 12,
      failed: 1,
    });
    expect(verdicts.ofMocha({ code: 0, output: "" })).to.deep.equal({ passed: 0, failed: 1 });
    expect(verdicts.ofModel({ code: 0, output: "no object\n" })).to.deep.equal({ passed: 0, failed: 1 });
    expect(verdicts.ofModel(printed({ configs: [], mutants: [] }))).to.deep.equal({ passed: 0, failed: 1 });
  });

  it("counts a configuration that holds with an action never enabled as failed", () => {
    const configs = [
      { name: "a", ok: true, neverEnabled: [] },
      { name: "b", ok: true, neverEnabled: ["Take"] },
    ];
    const mutants = [{ name: "m", killed: true }];
    expect(verdicts.ofModel(printed({ configs, mutants }, 1))).to.deep.equal({ passed: 2, failed: 1 });
  });

  const spec = "Tenure";
  const corrupted = [
    { spec, what: "an epoch begun twice", refused: true },
    { spec, what: "a begin beside a tenure", refused: true },
  ];

  it("counts a trace that the model does not follow, and a corrupted one that it does, as failed", () => {
    const good = { specs: [spec], traces: [{ spec, accepted: true }], corrupted };
    expect(verdicts.ofTraces(printed(good))).to.deep.equal({ passed: 5, failed: 0 });
    const traces = [
      { spec, accepted: true },
      { spec, accepted: false },
    ];
    expect(verdicts.ofTraces(printed({ ...good, traces }, 1))).to.deep.equal({ passed: 5, failed: 1 });
    const accepted = [...corrupted, { spec, what: "an epoch begun twice", refused: false }];
    expect(verdicts.ofTraces(printed({ ...good, corrupted: accepted }, 1))).to.deep.equal({
      passed: 5,
      failed: 1,
    });
  });

  it("counts a spec that followed no trace, or was not seen to refuse two kinds of corrupted ones, as failed", () => {
    const traces = [{ spec, accepted: true }];
    const specs = [spec, "History"];
    expect(verdicts.ofTraces(printed({ specs, traces, corrupted }, 1))).to.deep.equal({
      passed: 5,
      failed: 1,
    });
    const once = { specs: [spec], traces, corrupted: corrupted.slice(1) };
    expect(verdicts.ofTraces(printed(once, 1))).to.deep.equal({ passed: 3, failed: 1 });
    const none = { specs: [], traces, corrupted };
    expect(verdicts.ofTraces(printed(none, 1))).to.deep.equal({ passed: 3, failed: 1 });
  });

  it("counts a mutant that lives, and a baseline that fails, as failed", () => {
    const mutants = [
      { name: "a", killed: true },
      { name: "b", killed: false },
    ];
    expect(verdicts.ofMutants(printed({ baseline: false, mutants }, 1))).to.deep.equal({
      passed: 1,
      failed: 2,
    });
  });

  it("counts seeds, too few of them, those that broke, and what they never met", () => {
    const run = { seeds: 10, violations: [] as object[], coverage: { crash: 3 } };
    expect(verdicts.ofSeeds(10)(printed(run))).to.deep.equal({ passed: 12, failed: 0 });
    expect(verdicts.ofSeeds(11)(printed(run))).to.deep.equal({ passed: 11, failed: 1 });
    const violations = [
      { seed: "7", invariant: "one-believer" },
      { seed: "7", invariant: "nothing-lost" },
    ];
    const bad = { ...run, violations, coverage: { crash: 3, split: 0 } };
    expect(verdicts.ofSeeds(10)(printed(bad, 1))).to.deep.equal({ passed: 11, failed: 2 });
  });

  it("counts an hour in which nothing was collected, or that was none, as failed", () => {
    const hour = { seeds: 1, virtualHours: 1.01, violations: [], coverage: { "worker-collected": 4 } };
    expect(verdicts.ofHour(printed(hour))).to.deep.equal({ passed: 4, failed: 0 });
    expect(verdicts.ofHour(printed({ ...hour, virtualHours: 0.04, coverage: {} }))).to.deep.equal({
      passed: 2,
      failed: 2,
    });
  });

  it("counts each promise of chaos", () => {
    const broken = { lost: 1, overlaps: 1, historyGaps: 1, traceViolations: 1, unexcusedEnds: 1, hanging: 1 };
    const none = Object.fromEntries(Object.keys(broken).map((name) => [name, 0]));
    const good = { records: 5, ...none, selfTest: true };
    expect(verdicts.ofChaos(printed(good))).to.deep.equal({ passed: 8, failed: 0 });
    for (const [name, times] of Object.entries({ ...broken, records: 0, selfTest: false })) {
      const bad = { ...good, [name]: times };
      expect(verdicts.ofChaos(printed(bad, 1)), name).to.deep.equal({ passed: 7, failed: 1 });
    }
    expect(verdicts.ofChaos(printed(good, 1))).to.deep.equal({ passed: 8, failed: 1 });
  });
});
