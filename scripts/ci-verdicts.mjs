// What a suite's output counts as, passed and failed, and what failed of it. A run that ended badly without naming a
// failure, or that counted nothing at all, is one failure: silence is not success.
import { failuresIn, lastWords } from "./failures-in.mjs";
import { countsIn } from "./mocha-counts.mjs";

/** So many of the sentences that a tool says of its failures. */
const mostSaid = 10;

/** @param failures a text for each failure: its name, and the first lines of why */
function verdict({ passed, failed, failures }, { code, output }) {
  if (failed > 0 || (code === 0 && passed > 0)) return { passed, failed, failures };
  if (failures.length > 0) return { passed, failed: 1, failures };
  const why = code === 0 ? "nothing ran" : `ended with status ${String(code)}`;
  return { passed, failed: 1, failures: [`${why}, and said last:\n${lastWords(output)}`] };
}

/** Mocha's counts, with everything that is not plain success counted as failure. */
export function ofMocha({ code, output }) {
  const { passing, pending, failing } = countsIn(output);
  const failures = failuresIn(output);
  if (pending > 0) failures.push(`${String(pending)} pending`);
  return verdict({ passed: passing, failed: failing + pending, failures }, { code, output });
}

/** The one object that a tool prints as its last line under `--json`, counted by `count`. */
export function ofJson(count) {
  return ({ code, output }) => {
    const last = output.trimEnd().split("\n").at(-1) ?? "";
    let result;
    try {
      result = JSON.parse(last);
    } catch {
      // A tool that died before its last line.
      return verdict({ passed: 0, failed: 0, failures: [] }, { code: code === 0 ? 1 : code, output });
    }
    return verdict(count(result), { code, output });
  };
}

/** @param outcomes what is claimed, and whether it is so */
function tally(outcomes) {
  const failures = outcomes.flatMap(([claim, isSo]) => (isSo ? [] : [claim]));
  return { passed: outcomes.length - failures.length, failed: failures.length, failures };
}

/** Each configuration of the model, and each mutant of it. */
export const ofModel = ofJson(({ configs, mutants }) =>
  tally([
    ...configs.map(({ name, ok, neverEnabled, faults = [] }) => [
      `${name} holds, and all of it happens: ${[...faults, ...neverEnabled].join("; ")}`,
      ok && neverEnabled.length === 0,
    ]),
    ...mutants.map(({ name, killed, by }) => [
      `${name} is killed: ${by ?? "nothing broke"}`,
      killed === true,
    ]),
  ]),
);

/**
 * Each trace of the code that the model follows, and each corrupted one that it refuses; and of each spec that it followed
 * some, and refused what was corrupted in two ways at least.
 */
export const ofTraces = ofJson(({ specs, traces, corrupted }) =>
  tally([
    ["it is told which specs follow", specs.length > 0],
    ...specs.map((spec) => {
      const ways = new Set(corrupted.filter((one) => one.spec === spec).map(({ what }) => what));
      return [
        `${spec} follows some trace, and refuses two ways to corrupt one: ${String(ways.size)} tried`,
        traces.some((one) => one.spec === spec) && ways.size >= 2,
      ];
    }),
    ...traces.map(({ spec, of, lease, accepted }) => [
      `${spec}: ${of}, ${lease} is followed`,
      accepted === true,
    ]),
    ...corrupted.map(({ spec, of, lease, what, refused }) => [
      `${spec}: ${of}, ${lease}, corrupted (${what}), is refused`,
      refused === true,
    ]),
  ]),
);

/** Each mutant of the code, and the code itself. */
export const ofMutants = ofJson(({ baseline, mutants }) =>
  tally([
    ["the code itself passes", baseline === true],
    ...mutants.map(({ name, killed, why }) => [
      `${name} is killed${why === undefined ? "" : `: ${why}`}`,
      killed === true,
    ]),
  ]),
);

/** Each seed, that there were enough of them, and that each fault and transition was met. */
export function ofSeeds(atLeast) {
  return ofJson(({ seeds, violations, coverage }) => {
    const broken = new Map();
    for (const { seed, invariant } of violations) broken.set(seed, [...(broken.get(seed) ?? []), invariant]);
    const others = tally([
      [`at least ${String(atLeast)} seeds: ${String(seeds)}`, seeds >= atLeast],
      ...Object.entries(coverage).map(([name, times]) => [`${name} is met`, times > 0]),
    ]);
    return {
      passed: seeds - broken.size + others.passed,
      failed: broken.size + others.failed,
      failures: [
        ...[...broken].map(([seed, invariants]) => `seed ${String(seed)} breaks ${invariants.join(", ")}`),
        ...others.failures,
      ],
    };
  });
}

/** One seed of an hour: it is long enough for dead workers' rows to be collected. */
export const ofHour = ofJson(({ seeds, virtualHours, violations, coverage }) =>
  tally([
    [`one seed: ${String(seeds)}`, seeds === 1],
    [`an hour: ${String(virtualHours)}`, virtualHours >= 1],
    [`nothing broken: ${violations.map(({ invariant }) => invariant).join(", ")}`, violations.length === 0],
    ["worker-collected is met", coverage["worker-collected"] > 0],
  ]),
);

/** What must be 0 after chaos, and what must be so. */
export const ofChaos = ofJson(({ records, selfTest, failures, ...of }) => {
  const counts = tally([
    [`records: ${String(records)}`, records > 0],
    ...["lost", "overlaps", "historyGaps", "traceViolations", "unexcusedEnds", "hanging"].map((name) => [
      `${name}: ${String(of[name])}`,
      of[name] === 0,
    ]),
    [`selfTest: ${String(selfTest)}`, selfTest === true],
  ]);
  // What it says of them, and of what is in no figure: that too little was done, or not all worked in time.
  return { ...counts, failures: [...counts.failures, ...failures.slice(0, mostSaid)] };
});
