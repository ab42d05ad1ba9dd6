// What a record costs: Leasehold's worker, a bare loop of the AWS SDK's client and the Java KCL take turns at a canned
// stream, and what counts is how many records each gets through in a second of CPU.
//
//   npm run bench -- throughput [--json] [--only 1KiB-full-4,…] [--subjects bareSdk,…]
//                               [--runs 3] [--seconds 4] [--write-docs] [--again]
//   npm run bench -- throughput --flame     draws where the worker's time goes: docs/benchmarks/throughput-flame.svg
//   npm run bench -- throughput --curves    measures what the worker's options change: docs/benchmarks/throughput-curves.*;
//                               [--only processes,…] some of them
//
// With --write-docs each cell is kept and shown as soon as it is measured, and one that was measured whole before, of the same
// commit, is not measured again but with --again: a run that was broken off is gone on with by the same command.
// Exit status 1 where a subject that is wanted lost or skipped records, or did not come through in a cell: it has no figure
// there, with the reason beside it, and all else is kept.
import { optionsOf, refuseFor, say } from "./command.mjs";
import { describeRig, installed } from "./fleet/surroundings.mjs";
import { writePage } from "./page.mjs";
import { cells, inTurn, subjectNames } from "./throughput/cells.mjs";
import { curves } from "./throughput/curves.mjs";
import { measureCurves } from "./throughput/measure-curves.mjs";
import { measure } from "./throughput/measure.mjs";
import { profileWorker } from "./throughput/profile-worker.mjs";
import { verdicts } from "./throughput/reach.mjs";
import { keepCell, keepCurve, keepFlame, keptCells, resultOf } from "./throughput/results.mjs";
import { checkpointMs } from "./throughput/run.mjs";
import { isMeasured } from "./throughput/schedule.mjs";
import { version as kclVersion } from "./throughput/subjects/kcl/fetch.mjs";
import { verdictTable } from "./verdicts.mjs";

const refuse = refuseFor("throughput");
const values = optionsOf(refuse, {
  only: { type: "string" },
  subjects: { type: "string" },
  runs: { type: "string", default: "3" },
  seconds: { type: "string", default: "4" },
  again: { type: "boolean", default: false },
  curves: { type: "boolean", default: false },
  flame: { type: "boolean", default: false },
});
const list = (text) => text?.split(",").map((name) => name.trim());
const cellNames = cells.map(({ name }) => name);
const choices = [...cellNames, ...(values.curves ? curves.map(({ name }) => name) : [])];
const only = list(values.only) ?? choices;
const wanted = cellNames.filter((name) => only.includes(name));
const subjects = list(values.subjects) ?? subjectNames;
const unknown = (given, known) => given.filter((name) => !known.includes(name));
if (unknown(only, choices).length > 0) {
  refuse(
    `--only ${unknown(only, choices).join(",")}: no such thing to measure; there are ${choices.join(", ")}`,
  );
}
if (unknown(subjects, subjectNames).length > 0) {
  refuse(
    `--subjects ${unknown(subjects, subjectNames).join(",")}: no such subject; there are ${subjectNames.join(", ")}`,
  );
}
if (values["write-docs"] && values.subjects !== undefined) {
  refuse("--write-docs with --subjects: a row of the page has all of them; leave one of the two out");
}
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
if (!Number.isInteger(runs) || runs < 1) refuse(`--runs ${values.runs}: it must be a whole number from 1 up`);
if (!(seconds * 1_000 >= 2 * checkpointMs)) {
  refuse(
    `--seconds ${values.seconds}: it must be ${(2 * checkpointMs) / 1_000} or more, so that checkpoints fall into it`,
  );
}
// Without this a signal would end the bench and leave its processes.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const windowMs = seconds * 1_000;
const writesDocs = values["write-docs"];
const rig = describeRig({ "Java KCL": kclVersion, dynalite: installed("dynalite") });

/** Prints what was measured. */
function tell(result) {
  if (values.json) console.log(JSON.stringify(result));
}

/** The cells that are wanted, of which some may be there already. */
async function measureCells() {
  const asked = { commit: rig.versions.commit, runs, windowMs, subjects };
  const kept = writesDocs && !values.again ? keptCells().filter((cell) => isMeasured(cell, asked)) : [];
  const had = kept.filter(({ cell }) => wanted.includes(cell));
  if (had.length > 0) say(`measured before, of this commit: ${had.map(({ cell }) => cell).join(", ")}`);
  const names = had.map(({ cell }) => cell);
  const missing = cells.filter(({ name }) => wanted.includes(name) && !names.includes(name));
  async function onCell(cell) {
    if (!writesDocs) return;
    await keepCell(rig, cell);
    await writePage();
  }
  const fresh = await measure(inTurn(missing), subjects, { runs, windowMs, say, onCell });
  const of = (name) => [...fresh, ...had].find(({ cell }) => cell === name);
  return resultOf(wanted.map(of), subjects);
}

let isComplete = true;
if (values.curves) {
  const asked = curves.filter(({ name }) => only.includes(name));
  const onCurve = (curve) => keepCurve(rig, curve);
  const result = await measureCurves(asked, { runs, windowMs, say, onCurve });
  isComplete &&= result.isComplete;
  for (const { name, isWhole } of result.curves) {
    if (!isWhole) console.error(`${name} is incomplete: what was kept of it before stays as it is`);
  }
  if (!writesDocs) tell({ ...rig, ...result });
}
if (values.flame) keepFlame(await profileWorker({ windowMs, say }));
if (writesDocs || values.curves || values.flame) await writePage();
if (wanted.length > 0 && (writesDocs || !(values.curves || values.flame))) {
  const result = await measureCells();
  isComplete &&= result.isComplete;
  console.error(`\n${verdictTable(verdicts(result))}\n`);
  for (const { cell, subject, error } of result.failures)
    console.error(`${cell}: ${subject} FAILED: ${error}`);
  tell({ ...rig, ...result, windowMs });
}
process.exit(isComplete ? 0 : 1);
