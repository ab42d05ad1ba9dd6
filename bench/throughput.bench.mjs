// What a record costs: Leasehold's worker, a bare loop of the AWS SDK's client and the Java KCL take turns at a canned
// stream, and what counts is how many records each gets through in a second of CPU.
//
//   npm run bench -- throughput [--json] [--only 1KiB-full-4,…] [--subjects bareSdk,…]
//                               [--runs 3] [--seconds 6] [--write-docs]
//   npm run bench -- throughput --flame     writes docs/benchmarks/throughput-flame.svg: where the worker's time goes
//   npm run bench -- throughput --curves    writes docs/benchmarks/throughput-curves.*: what the worker's options change
//
// Exit status 1 where a subject lost or skipped records, or did not come through.
import { parseArgs } from "node:util";
import { describeRig, installed } from "./fleet/surroundings.mjs";
import { writePage } from "./page.mjs";
import { cells, subjectNames } from "./throughput/cells.mjs";
import { measureCurves } from "./throughput/measure-curves.mjs";
import { keep, keepCurves, keepFlame, keepPart } from "./throughput/docs.mjs";
import { measure } from "./throughput/measure.mjs";
import { profileWorker } from "./throughput/profile-worker.mjs";
import { verdicts } from "./throughput/reach.mjs";
import { version as kclVersion } from "./throughput/subjects/kcl/fetch.mjs";
import { verdictTable } from "./verdicts.mjs";

function refuse(message) {
  console.error(`npm run bench -- throughput: ${message}`);
  process.exit(2);
}

function optionsOf(args) {
  try {
    return parseArgs({
      args,
      options: {
        json: { type: "boolean", default: false },
        only: { type: "string" },
        subjects: { type: "string" },
        runs: { type: "string", default: "3" },
        seconds: { type: "string", default: "6" },
        curves: { type: "boolean", default: false },
        flame: { type: "boolean", default: false },
        "write-docs": { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

const values = optionsOf(process.argv.slice(2));
const list = (text) => text?.split(",").map((name) => name.trim());
const cellNames = cells.map(({ name }) => name);
const wanted = list(values.only) ?? cellNames;
const subjects = list(values.subjects) ?? subjectNames;
const unknown = (given, known) => given.filter((name) => !known.includes(name));
if (unknown(wanted, cellNames).length > 0) {
  refuse(`--only ${unknown(wanted, cellNames).join(",")}: no such cell; there are ${cellNames.join(", ")}`);
}
if (unknown(subjects, subjectNames).length > 0) {
  refuse(
    `--subjects ${unknown(subjects, subjectNames).join(",")}: no such subject; there are ${subjectNames.join(", ")}`,
  );
}
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
if (!Number.isInteger(runs) || runs < 1) refuse(`--runs ${values.runs}: it must be a whole number from 1 up`);
if (!(seconds > 0)) refuse(`--seconds ${values.seconds}: it must be a number above 0`);
// Without this a signal would end the bench and leave its processes.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const say = (text) => console.error(`${new Date().toISOString().slice(11, 19)}  ${text}`);
const used = { "Java KCL": kclVersion, dynalite: installed("dynalite") };
if (values.flame) {
  keepFlame(await profileWorker({ windowMs: seconds * 1_000, say }));
  await writePage();
  process.exit(0);
}
if (values.curves) {
  const result = await measureCurves({ runs, windowMs: seconds * 1_000, say });
  await keepCurves({ ...describeRig(used), ...result });
  await writePage();
  if (values.json) console.log(JSON.stringify(result));
  process.exit(result.failures.length === 0 ? 0 : 1);
}
const result = await measure(
  cells.filter(({ name }) => wanted.includes(name)),
  subjects,
  { runs, windowMs: seconds * 1_000, say },
);
console.error(`\n${verdictTable(verdicts(result))}\n`);
if (values["write-docs"]) {
  const run = { ...describeRig(used), ...result };
  await (values.only === undefined ? keep(run) : keepPart(run));
  await writePage();
}
if (values.json) console.log(JSON.stringify(result));
process.exit(result.isComplete ? 0 : 1);
