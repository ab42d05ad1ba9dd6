import { expect } from "chai";

interface Output {
  readonly code: number;
  readonly output: string;
}
interface Counts {
  readonly passed: number;
  readonly failed: number;
}
interface Verdict extends Counts {
  readonly failures: readonly string[];
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

function countsOf({ passed, failed }: Verdict): Counts {
  return { passed, failed };
}

describe("what a suite counts as in the whole run", () => {
  it("counts mocha's pending tests as failed", () => {
    const output = "  12 passing (3s)\n  2 pending\n";
    expect(countsOf(verdicts.ofMocha({ code: 0, output }))).to.deep.equal({ passed: 12, failed: 2 });
  });

  it("counts a run that ended badly, or in which nothing ran, as failed", () => {
    expect(countsOf(verdicts.ofMocha({ code: 1, output: "  12 passing (3s)\n" }))).to.deep.equal({
      passed: 12,
      failed: 1,
    });
    expect(countsOf(verdicts.ofMocha({ code: 0, output: "" }))).to.deep.equal({ passed: 0, failed: 1 });
    expect(countsOf(verdicts.ofModel({ code: 0, output: "no object\n" }))).to.deep.equal({
      passed: 0,
      failed: 1,
    });
    expect(countsOf(verdicts.ofModel(printed({ configs: [], mutants: [] })))).to.deep.equal({
      passed: 0,
      failed: 1,
    });
  });

  it("counts a configuration that holds with an action never enabled as failed", () => {
    const configs = [
      { name: "a", ok: true, neverEnabled: [] },
      { name: "b", ok: true, neverEnabled: ["Take"] },
    ];
    const mutants = [{ name: "m", killed: true }];
    expect(countsOf(verdicts.ofModel(printed({ configs, mutants }, 1)))).to.deep.equal({
      passed: 2,
      failed: 1,
    });
  });

  const spec = "Tenure";
  const corrupted = [
    { spec, what: "an epoch begun twice", refused: true },
    { spec, what: "a begin beside a tenure", refused: true },
  ];

  it("counts a trace that the model does not follow, and a corrupted one that it does, as failed", () => {
    const good = { specs: [spec], traces: [{ spec, accepted: true }], corrupted };
    expect(countsOf(verdicts.ofTraces(printed(good)))).to.deep.equal({ passed: 5, failed: 0 });
    const traces = [
      { spec, accepted: true },
      { spec, accepted: false },
    ];
    expect(countsOf(verdicts.ofTraces(printed({ ...good, traces }, 1)))).to.deep.equal({
      passed: 5,
      failed: 1,
    });
    const accepted = [...corrupted, { spec, what: "an epoch begun twice", refused: false }];
    expect(countsOf(verdicts.ofTraces(printed({ ...good, corrupted: accepted }, 1)))).to.deep.equal({
      passed: 5,
      failed: 1,
    });
  });

  it("counts a spec that followed no trace, or was not seen to refuse two kinds of corrupted ones, as failed", () => {
    const traces = [{ spec, accepted: true }];
    const specs = [spec, "History"];
    expect(countsOf(verdicts.ofTraces(printed({ specs, traces, corrupted }, 1)))).to.deep.equal({
      passed: 5,
      failed: 1,
    });
    const once = { specs: [spec], traces, corrupted: corrupted.slice(1) };
    expect(countsOf(verdicts.ofTraces(printed(once, 1)))).to.deep.equal({ passed: 3, failed: 1 });
    const none = { specs: [], traces, corrupted };
    expect(countsOf(verdicts.ofTraces(printed(none, 1)))).to.deep.equal({ passed: 3, failed: 1 });
  });

  it("counts a mutant that lives, and a baseline that fails, as failed", () => {
    const mutants = [
      { name: "a", killed: true },
      { name: "b", killed: false },
    ];
    expect(countsOf(verdicts.ofMutants(printed({ baseline: false, mutants }, 1)))).to.deep.equal({
      passed: 1,
      failed: 2,
    });
  });

  it("counts seeds, too few of them, those that broke, and what they never met", () => {
    const run = { seeds: 10, violations: [] as object[], coverage: { crash: 3 } };
    expect(countsOf(verdicts.ofSeeds(10)(printed(run)))).to.deep.equal({ passed: 12, failed: 0 });
    expect(countsOf(verdicts.ofSeeds(11)(printed(run)))).to.deep.equal({ passed: 11, failed: 1 });
    const violations = [
      { seed: "7", invariant: "one-believer" },
      { seed: "7", invariant: "nothing-lost" },
    ];
    const bad = { ...run, violations, coverage: { crash: 3, split: 0 } };
    expect(countsOf(verdicts.ofSeeds(10)(printed(bad, 1)))).to.deep.equal({ passed: 11, failed: 2 });
  });

  it("counts an hour in which nothing was collected, or that was none, as failed", () => {
    const hour = { seeds: 1, virtualHours: 1.01, violations: [], coverage: { "worker-collected": 4 } };
    expect(countsOf(verdicts.ofHour(printed(hour)))).to.deep.equal({ passed: 4, failed: 0 });
    expect(countsOf(verdicts.ofHour(printed({ ...hour, virtualHours: 0.04, coverage: {} })))).to.deep.equal({
      passed: 2,
      failed: 2,
    });
  });

  it("counts each promise of chaos", () => {
    const broken = { lost: 1, overlaps: 1, historyGaps: 1, traceViolations: 1, unexcusedEnds: 1, hanging: 1 };
    const none = Object.fromEntries(Object.keys(broken).map((name) => [name, 0]));
    const good = { records: 5, ...none, selfTest: true, failures: [] };
    expect(countsOf(verdicts.ofChaos(printed(good)))).to.deep.equal({ passed: 8, failed: 0 });
    for (const [name, times] of Object.entries({ ...broken, records: 0, selfTest: false })) {
      const bad = { ...good, [name]: times };
      expect(countsOf(verdicts.ofChaos(printed(bad, 1))), name).to.deep.equal({ passed: 7, failed: 1 });
    }
    expect(countsOf(verdicts.ofChaos(printed(good, 1)))).to.deep.equal({ passed: 8, failed: 1 });
  });
});

describe("what failed in a suite, as the whole run says at its end", () => {
  const first = [
    "  1) a fleet in bad weather",
    "       keeps every owner:",
    "",
    "      AssertionError: expected 3 to equal 2",
    "      + expected - actual",
    "",
    "      -3",
    "      +2",
    "      ",
    "      at Context.<anonymous> (test/weather.test.ts:4:5)",
  ];
  const second = ["  2) a fleet", "       starts:", "     Error: no", "said in two lines"];
  const listed = [
    "  7 passing (3s)",
    "  2 failing",
    "",
    ...first,
    "",
    ...second,
    "",
    "",
    "",
    "=== failed: fleets",
  ];

  it("is mocha's titles and errors, without what else was printed", () => {
    const { passed, failed, failures } = verdicts.ofMocha({ code: 2, output: listed.join("\n") });
    expect({ passed, failed }).to.deep.equal({ passed: 7, failed: 2 });
    expect(failures).to.deep.equal([
      first.filter((line) => line.trim() !== "").join("\n"),
      second.join("\n"),
    ]);
  });

  it("is that of several runs of mocha in one output", () => {
    const output = [...listed, "  1 passing (1s)", "  1 failing", "", "  1) another:", "     Error: x"].join(
      "\n",
    );
    const { failures } = verdicts.ofMocha({ code: 2, output });
    expect(failures).to.have.length(3);
    expect(failures[2]).to.equal("  1) another:\n     Error: x");
  });

  it("is cut after fifteen lines", () => {
    const stack = Array.from({ length: 40 }, (_, i) => `      at f${String(i)} (x.ts:1:1)`);
    const output = ["  1 passing", "  1 failing", "", "  1) a test:", "     Error: deep", ...stack].join(
      "\n",
    );
    const [failure = ""] = verdicts.ofMocha({ code: 1, output }).failures;
    expect(failure.split("\n")).to.have.length(15);
    expect(failure).to.match(/^ {2}1\) a test:\n {5}Error: deep\n/);
  });

  it("is what it said last where it ended badly and named nothing", () => {
    const output = `  12 passing (3s)\n${"noise\n".repeat(40)}\n=== failed: lint\n`;
    const [failure = "", ...more] = verdicts.ofMocha({ code: 1, output }).failures;
    expect(more).to.deep.equal([]);
    expect(failure)
      .to.match(/^ended with status 1, and said last:\n/)
      .and.match(/\n=== failed: lint$/);
    expect(failure.split("\n")).to.have.length(16);
    expect(verdicts.ofChaos({ code: 1, output: "Error: no port\n" }).failures[0]).to.match(/no port$/);
    expect(verdicts.ofMocha({ code: 0, output: "" }).failures[0]).to.match(/^nothing ran/);
  });

  it("is each claim of a tool's result that is not so, with what it says", () => {
    const clean = { records: 5, lost: 0, overlaps: 0, historyGaps: 0, traceViolations: 0, unexcusedEnds: 0 };
    const chaos = { ...clean, hanging: 0, selfTest: true };
    const hurt = { ...chaos, lost: 2, hanging: 1, failures: ["lost: r1, r2", "hanging: w1 did not end"] };
    expect(verdicts.ofChaos(printed(hurt, 1)).failures).to.deep.equal([
      "lost: 2",
      "hanging: 1",
      "lost: r1, r2",
      "hanging: w1 did not end",
    ]);
    // What is in no figure makes it fail all the same, and is said.
    const idle = { ...chaos, failures: Array.from({ length: 30 }, (_, i) => `too few of ${String(i)}`) };
    const { failed, failures } = verdicts.ofChaos(printed(idle, 1));
    expect(failed).to.equal(1);
    expect(failures).to.have.length(10).and.to.include("too few of 0");
    const violations = [
      { seed: 7, invariant: "one-believer" },
      { seed: 7, invariant: "nothing-lost" },
    ];
    const seeds = { seeds: 10, violations, coverage: { split: 0, crash: 2 } };
    expect(verdicts.ofSeeds(11)(printed(seeds, 1)).failures).to.deep.equal([
      "seed 7 breaks one-believer, nothing-lost",
      "at least 11 seeds: 10",
      "split is met",
    ]);
    const mutants = [{ name: "m1", killed: false, by: null, why: "no trace" }];
    expect(verdicts.ofMutants(printed({ baseline: true, mutants }, 1)).failures).to.deep.equal([
      "m1 is killed: no trace",
    ]);
    const configs = [{ name: "Tenure", ok: false, neverEnabled: [], faults: ["violated: S1"] }];
    expect(verdicts.ofModel(printed({ configs, mutants }, 1)).failures).to.deep.equal([
      "Tenure holds, and all of it happens: violated: S1",
      "m1 is killed: nothing broke",
    ]);
    const corrupted = [{ spec: "Tenure", of: "seed 3", lease: "s1", what: "an epoch", refused: false }];
    expect(
      verdicts.ofTraces(printed({ specs: ["Tenure"], traces: [], corrupted }, 1)).failures,
    ).to.deep.equal([
      "Tenure follows some trace, and refuses two ways to corrupt one: 1 tried",
      "Tenure: seed 3, s1, corrupted (an epoch), is refused",
    ]);
    const hour = { seeds: 1, virtualHours: 0.5, violations, coverage: { "worker-collected": 1 } };
    expect(verdicts.ofHour(printed(hour, 1)).failures).to.deep.equal([
      "an hour: 0.5",
      "nothing broken: one-believer, nothing-lost",
    ]);
  });

  it("is counted one for one, pending tests apart", () => {
    const { failed, failures } = verdicts.ofMocha({ code: 0, output: "  2 passing\n  3 pending\n" });
    expect({ failed, failures }).to.deep.equal({ failed: 3, failures: ["3 pending"] });
  });
});
