// What a suite's output counts as, passed and failed. A run that ended badly without naming a failure, or that counted
// nothing at all, is one failure: silence is not success.
import { countsIn } from "./mocha-counts.mjs";

function verdict({ passed, failed }, code) {
  const silent = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: silent ? 1 : failed };
}

/** Mocha's counts, with everything that is not plain success counted as failure. */
export function ofMocha({ code, output }) {
  const { passing, pending, failing } = countsIn(output);
  return verdict({ passed: passing, failed: failing + pending }, code);
}

/** The one object that a tool prints as its last line under `--json`, counted by `count`. */
export function ofJson(count) {
  return ({ code, output }) => {
    const last = output.trimEnd().split("\n").at(-1) ?? "";
    let result;
    try {
      result = JSON.parse(last);
    } catch {
      // A tool that died before its last line; what it said is on the screen already.
      return { passed: 0, failed: 1 };
    }
    return verdict(count(result), code);
  };
}

function tally(outcomes) {
  const passed = outcomes.filter((good) => good).length;
  return { passed, failed: outcomes.length - passed };
}

/** Each configuration of the model, and each mutant of it. */
export const ofModel = ofJson(({ configs, mutants }) =>
  tally([
    ...configs.map(({ ok, neverEnabled }) => ok && neverEnabled.length === 0),
    ...mutants.map(({ killed }) => killed === true),
  ]),
);

/**
 * Each trace of the code that the model follows, and each corrupted one that it refuses; and of each spec that it followed
 * some, and refused what was corrupted in two ways at least.
 */
export const ofTraces = ofJson(({ specs, traces, corrupted }) =>
  tally([
    specs.length > 0,
    ...specs.map((spec) => {
      const ways = new Set(corrupted.filter((one) => one.spec === spec).map(({ what }) => what));
      return traces.some((one) => one.spec === spec) && ways.size >= 2;
    }),
    ...traces.map(({ accepted }) => accepted === true),
    ...corrupted.map(({ refused }) => refused === true),
  ]),
);

/** Each mutant of the code, and the code itself. */
export const ofMutants = ofJson(({ baseline, mutants }) =>
  tally([baseline === true, ...mutants.map(({ killed }) => killed === true)]),
);

/** Each seed, that there were enough of them, and that each fault and transition was met. */
export function ofSeeds(atLeast) {
  return ofJson(({ seeds, violations, coverage }) => {
    const bad = new Set(violations.map(({ seed }) => seed)).size;
    const others = tally([seeds >= atLeast, ...Object.values(coverage).map((times) => times > 0)]);
    return { passed: seeds - bad + others.passed, failed: bad + others.failed };
  });
}

/** One seed of an hour: it is long enough for dead workers' rows to be collected. */
export const ofHour = ofJson(({ seeds, virtualHours, violations, coverage }) =>
  tally([seeds === 1, virtualHours >= 1, violations.length === 0, coverage["worker-collected"] > 0]),
);

/** What must be 0 after chaos, and what must be so. */
export const ofChaos = ofJson(({ records, selfTest, ...of }) =>
  tally([
    records > 0,
    of.lost === 0,
    of.overlaps === 0,
    of.historyGaps === 0,
    of.traceViolations === 0,
    of.unexcusedEnds === 0,
    of.hanging === 0,
    selfTest === true,
  ]),
);
