// `npm run spec:traces`: whether what the shipped code told is a behaviour of the model. Events of simulated seeds, or of a
// file of them, are projected on spec/Tenure.tla, one lease a trace, and TLC looks for a behaviour that tells the same
// (spec/traces/TenureTrace.tla). Each trace is corrupted as well, and must then be refused.
//
//   npm run spec:traces                    a sample of seeds
//   npm run spec:traces -- --seed 17       that seed, more than one if repeated; needs the build, as `npm run sim` does
//   npm run spec:traces -- --file F        lines of JSON: { at, source, event } or { at, source, died: true }; a chaos run
//                                          leaves them in .cache/chaos/last-trace.ndjson
//   npm run spec:traces -- --json          one object on the last line of stdout
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { fetchTlc } from "./spec/fetch.mjs";
import { readOutput } from "./spec/output.mjs";
import { configOf, corruptionsOf, eventsOf, leasesIn, moduleOf, project } from "./spec/projection.mjs";
import { assertJava } from "./spec/tlc.mjs";

const root = path.join(import.meta.dirname, "..");
const sample = ["3", "5", "8"];
const leasesEach = 2;
/** Enough for a take or a raise in a fleet that was fenced; each more makes TLC look at many times as many orders. */
const unseen = 4;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seed: { type: "string", multiple: true },
    file: { type: "string", multiple: true },
  },
});

async function output(command, args, cwd = root) {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", 2] });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

const linesOf = (text) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));

async function eventsOfSeed(seed) {
  return eventsOf(linesOf(await output(process.execPath, ["scripts/sim.mjs", "--seed", seed, "--trace"])));
}

function eventsOfFile(file) {
  const lines = linesOf(readFileSync(file, "utf8")).sort((a, b) => a.at - b.at);
  return eventsOf(lines);
}

/** @returns whether there is a behaviour that tells the trace */
async function followed(trace) {
  const scratch = path.join(root, ".cache/tlc/runs");
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(path.join(scratch, "trace-"));
  writeFileSync(path.join(folder, "Told.tla"), moduleOf(trace));
  writeFileSync(path.join(folder, "Told.cfg"), configOf(trace, unseen));
  const library = ["spec", "spec/traces"].map((place) => path.join(root, place)).join(path.delimiter);
  const java = ["-XX:+UseParallelGC", "-Xmx2g", `-Djava.io.tmpdir=${folder}`, `-DTLA-Library=${library}`];
  const options = ["-tool", "-deadlock", "-fp", "0", "-workers", "1", "-metadir", folder];
  try {
    const text = await output("java", [...java, "-cp", fetchTlc(), "tlc2.TLC", ...options, "Told"], folder);
    const { completed, violated, states } = readOutput(text, []);
    if (violated !== "NotFollowed" && (violated !== undefined || !completed)) {
      throw new Error(`TLC came to no answer about the trace: ${violated ?? text.slice(-2_000)}`);
    }
    return { accepted: violated === "NotFollowed", states };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

fetchTlc();
await assertJava();
const files = values.file ?? [];
const seeds = values.seed ?? (files.length > 0 ? [] : sample);
const sources = [
  ...seeds.map((seed) => ({ of: `seed ${seed}`, read: () => eventsOfSeed(seed) })),
  ...files.map((file) => ({ of: file, read: () => eventsOfFile(file) })),
];
const traces = [];
const corrupted = [];
for (const { of, read } of sources) {
  const events = await read();
  for (const lease of leasesIn(events).slice(0, leasesEach)) {
    const trace = project(events, lease);
    const { accepted, states } = await followed(trace);
    traces.push({ of, lease, steps: trace.steps.length, states, accepted });
    console.error(
      `${accepted ? "ok  " : "FAIL"} ${of}, ${lease}: ${trace.steps.length} steps, ${states} states`,
    );
    for (const { what, trace: wrong } of corruptionsOf(trace)) {
      const refused = !(await followed(wrong)).accepted;
      corrupted.push({ of, lease, what, refused });
      console.error(
        `${refused ? "ok  " : "FAIL"} ${of}, ${lease}, corrupted (${what}): ${refused ? "refused" : "accepted"}`,
      );
    }
  }
}
const ok =
  traces.length > 0 && traces.every(({ accepted }) => accepted) && corrupted.every(({ refused }) => refused);
if (values.json) console.log(JSON.stringify({ ok, traces, corrupted }));
process.exitCode = ok ? 0 : 1;
