// Removes one rule of the protocol at a time from the code that ships, and sees that a safety test or an invariant of
// the simulation notices. The rules are test/mutants/*.patch; scripts/mutants/mutant.mjs says what stands in one.
//
//   npm run mutants -- --only NAME --json     some of them; the last line of stdout is one object
//   node scripts/mutants.mjs --folder DIR     those of another folder
//
// A mutant must compile and pass the happy path, and then fail by what its head names and by nothing else. What is to
// notice it passes on the sources as they are: that is the baseline. Everything happens in private copies of the tree.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { checkBaseline } from "./mutants/baseline.mjs";
import { Compiler } from "./mutants/compiler.mjs";
import { Copies } from "./mutants/copies.mjs";
import { complaintOf, happyPath, Judge, verdictOf } from "./mutants/judge.mjs";
import { readMutants } from "./mutants/mutant.mjs";
import { applyPatch } from "./mutants/patch.mjs";

const root = path.join(import.meta.dirname, "..");
const startedAt = Date.now();
const tell = (line) => process.stderr.write(`${line}\n`);
const secondsSince = (at) => ((Date.now() - at) / 1_000).toFixed(1);

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    json: { type: "boolean", default: false },
    folder: { type: "string", default: path.join(root, "test/mutants") },
  },
});
const all = readMutants(values.folder);
const unknown = values.only?.filter((name) => !all.some((mutant) => mutant.name === name)) ?? [];
if (unknown.length > 0) {
  const names = all.map(({ name }) => name).join(", ");
  tell(`--only ${unknown.join(", ")}: no such mutant; there are ${names}`);
  process.exit(2);
}
const mutants = all.filter(({ name }) => values.only?.includes(name) ?? true);
const patched = mutants.filter(({ model }) => model === undefined);

const copies = new Copies(root);
process.on("exit", () => copies.remove());
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));
const compiler = new Compiler(root);

/** Two at a time, where there are two cores. */
async function side(work) {
  const sides = Array.from({ length: Math.min(2, availableParallelism()) }, (_, i) =>
    work(`side-${String(i)}`),
  );
  await Promise.all(sides);
}

/** @returns why a mutant may not be looked at, or by what it was noticed */
async function look(mutant, copy) {
  let files;
  try {
    files = applyPatch(copy, mutant.text);
  } catch (error) {
    return { why: error.message };
  }
  const changed = files.map((file) => [file, readFileSync(path.join(copy, file), "utf8")]);
  const [problem] = compiler.check(changed);
  if (problem !== undefined) return { why: `it does not compile: ${problem}` };
  const judge = new Judge(copy);
  try {
    const complaint = complaintOf(happyPath, await judge.run(happyPath));
    if (complaint !== undefined) return { why: `it fails on the happy path: ${complaint}` };
    const seen = { by: [], seeds: null };
    for (const killer of mutant.killers) {
      const { by, seeds, why } = verdictOf(killer, await judge.run(killer));
      if (why !== undefined) return { why };
      seen.by.push(by);
      seen.seeds = seeds ?? seen.seeds;
    }
    return { by: seen.by.join("; "), seeds: seen.seeds };
  } finally {
    judge.stop();
  }
}

/** Killed by TLC, which `npm run spec` sees to, if there is such a mutant. */
function inModel({ name, model, reason }) {
  if (existsSync(path.join(root, "spec/mutants", `${model}.json`))) {
    return { name, killed: true, by: `spec ${model}`, seeds: null, why: reason };
  }
  return { name, killed: false, by: null, seeds: null, why: `there is no spec/mutants/${model}.json` };
}

const problems = await checkBaseline(patched, copies.make("baseline"), side);
for (const problem of problems) tell(`baseline: ${problem}`);
tell(`baseline: ${problems.length === 0 ? "all green" : "NOT GREEN"}  ${secondsSince(startedAt)} s`);

const results = mutants.filter(({ model }) => model !== undefined).map(inModel);
const queue = [...patched];
await side(async (place) => {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const since = Date.now();
    const { by = null, seeds = null, why } = await look(mutant, copies.make(place));
    const killed = by !== null;
    results.push({ name: mutant.name, killed, by, seeds, ...(why === undefined ? {} : { why }) });
    tell(
      `${killed ? "killed" : "SURVIVES"}  ${mutant.name}  ${secondsSince(since)} s  ${by ?? why}${seeds === null ? "" : ` (${String(seeds)} seeds)`}`,
    );
  }
});
results.sort((a, b) => (a.name < b.name ? -1 : 1));

const dead = results.filter(({ killed }) => killed).length;
tell(`${String(dead)} of ${String(results.length)} killed in ${secondsSince(startedAt)} s`);
if (values.json) {
  console.log(JSON.stringify({ baseline: problems.length === 0, mutants: results }));
} else {
  for (const { name, killed, by, seeds, why } of results) {
    const how = killed ? "killed" : "SURVIVES";
    console.log(`${name.padEnd(40)} ${how.padEnd(8)} ${String(seeds ?? "").padStart(3)}  ${by ?? why}`);
  }
}
const ok = problems.length === 0 && results.length > 0 && dead === results.length;
process.exitCode = ok ? 0 : 1;
