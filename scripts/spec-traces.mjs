// `npm run spec:traces`: whether what the shipped code told is a behaviour of the model. Events of simulated seeds, or of a
// file of them, are projected on the variables of each spec (scripts/spec/projections/), and TLC looks for a behaviour of
// that spec that tells the same (spec/traces/). Each trace is corrupted as well, in several ways, and must then be refused.
//
//   npm run spec:traces                    a sample of seeds
//   npm run spec:traces -- --seed 17       that seed, more than one if repeated; needs the build, as `npm run sim` does
//   npm run spec:traces -- --file F        lines of JSON: { at, source, event } or { at, source, died: true }; a chaos run
//                                          leaves them in .cache/chaos/last-trace.ndjson
//   npm run spec:traces -- --spec History  that spec alone, more than one if repeated
//   npm run spec:traces -- --most 5        traces of each spec and source; default 2
//   npm run spec:traces -- --file F --lease-duration-ms 10000
//                                          that of the fleet that told it; default 4000, as in a chaos run
//   npm run spec:traces -- --json          one object on the last line of stdout
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt } from "./ensure-built.mjs";
import { fetchTlc } from "./spec/fetch.mjs";
import { follow, output } from "./spec/follow.mjs";
import { projections } from "./spec/projections.mjs";
import { assertJava } from "./spec/tlc.mjs";
import { eventsOf } from "./spec/trace-events.mjs";

const root = path.join(import.meta.dirname, "..");
/** By spec: seeds that tell much of it in little. */
const sample = {
  Belief: ["3", "5", "7"],
  Tenure: ["3", "5", "8"],
  Checkpoint: ["3", "8", "115"],
  History: ["3", "8", "115"],
  Fleet: ["3", "5"],
};

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seed: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
    spec: { type: "string", multiple: true },
    most: { type: "string", default: "2" },
    "lease-duration-ms": { type: "string", default: "4000" },
  },
});
const specs = values.spec ?? Object.keys(projections);
const unknown = specs.filter((spec) => projections[spec] === undefined);
if (unknown.length > 0) {
  throw new Error(`--spec ${unknown.join(", ")}: one of ${Object.keys(projections).join(", ")}`);
}
const most = Number(values.most);
if (!Number.isInteger(most) || most < 1) throw new Error(`--most ${values.most}: a whole number from 1 up`);

const linesOf = (text) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));

async function ofSeed(seed) {
  const wanted = isSample ? specs.filter((spec) => sample[spec].includes(seed)) : specs;
  const { scenarioOfSeed } = await import("../dist/testing/scenario-draw.js");
  const { configOf } = await import("../dist/testing/scenario.js");
  const scenario = scenarioOfSeed(seed, { hours: true });
  const isExplicit = scenario.checkpointing === "explicit";
  const text = await output(process.execPath, ["scripts/sim.mjs", "--seed", seed, "--trace"], root);
  return {
    of: `seed ${seed}`,
    events: eventsOf(linesOf(text)),
    isExplicit,
    times: configOf(scenario),
    wanted,
  };
}

/** Of a file nobody knows whether its processors checkpoint for themselves. */
async function ofFile(file) {
  const { resolveProtocol } = await import("../dist/model/config.js");
  const times = resolveProtocol({ leaseDurationMs: Number(values["lease-duration-ms"]) });
  const lines = linesOf(readFileSync(file, "utf8")).sort((a, b) => a.at - b.at);
  return { of: file, events: eventsOf(lines), isExplicit: true, times, wanted: specs };
}

async function judge({ spec, of, trace }) {
  const { corruptionsOf, runOf } = projections[spec];
  const wrong = corruptionsOf(trace);
  const { followed, states } = await follow(runOf([trace, ...wrong.map((one) => one.trace)]));
  const [accepted, ...others] = followed;
  const { lease, steps } = trace;
  const refusals = wrong.map(({ what }, at) => ({ spec, of, lease, what, refused: !others[at] }));
  const told = `${spec}: ${of}, ${lease}`;
  console.error(
    `${accepted ? "ok  " : "FAIL"} ${told}: ${steps.length} steps, ${states} states with those corrupted`,
  );
  for (const { what, refused } of refusals) {
    console.error(
      `${refused ? "ok  " : "FAIL"} ${told}, corrupted (${what}): ${refused ? "refused" : "accepted"}`,
    );
  }
  return { trace: { spec, of, lease, steps: steps.length, states, accepted }, refusals };
}

fetchTlc();
await assertJava();
const files = values.file ?? [];
const isSample = values.seed === undefined && files.length === 0;
const seeds = values.seed ?? (isSample ? [...new Set(specs.flatMap((spec) => sample[spec]))] : []);
ensureBuilt();
const jobs = [];
for (const source of [
  ...seeds.map((seed) => () => ofSeed(seed)),
  ...files.map((file) => () => ofFile(file)),
]) {
  const { of, events, isExplicit, times, wanted } = await source();
  for (const spec of wanted) {
    for (const trace of projections[spec].tracesIn(events, { most, isExplicit, times })) {
      jobs.push({ spec, of, trace });
    }
  }
}
const judged = new Array(jobs.length);
let next = 0;
await Promise.all(
  Array.from({ length: Math.min(4, availableParallelism()) }, async () => {
    while (next < jobs.length) {
      const at = next++;
      judged[at] = await judge(jobs[at]);
    }
  }),
);
const traces = judged.map(({ trace }) => trace);
const corrupted = judged.flatMap(({ refusals }) => refusals);
/** Of a spec that no trace was followed on, or that was never seen to refuse one, nothing is known. */
const idle = specs.filter(
  (spec) =>
    !traces.some((one) => one.spec === spec) ||
    new Set(corrupted.filter((one) => one.spec === spec).map(({ what }) => what)).size < 2,
);
if (idle.length > 0) console.error(`FAIL no trace followed, or too few corrupted: ${idle.join(", ")}`);
const ok =
  idle.length === 0 && traces.every(({ accepted }) => accepted) && corrupted.every(({ refused }) => refused);
if (values.json) console.log(JSON.stringify({ ok, specs, traces, corrupted }));
process.exitCode = ok ? 0 : 1;
