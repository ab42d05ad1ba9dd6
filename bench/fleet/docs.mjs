// The fleet's part of docs/benchmarks.md and its pictures, from the results of one run, which are kept beside them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pretty } from "../pretty.mjs";
import { row, surroundings } from "../table.mjs";
import { blue, orange } from "../svg.mjs";
import { costPlot, timesPlot } from "./plot.mjs";
import { verdicts } from "./reach.mjs";

const folder = path.join(import.meta.dirname, "../../docs/benchmarks");
const results = path.join(folder, "fleet.json");

/** Rows of the picture; the KCL's spans are those of the table, in ms. */
const timeRows = [
  ["start", "start → first record", 3_000, [77_000, 92_000]],
  ["join", "join → fair share read", 12_000, [144_000, 173_000]],
  ["worker", "SIGKILL of a worker", 18_000, [85_000, 85_000]],
  ["planner", "SIGKILL of the planner", 18_000, [151_000, 198_000]],
  ["supervised", "SIGKILL, supervised", 5_000, undefined],
  ["stop", "SIGTERM", 3_000, [10_000, 30_000]],
  ["reshard", "split or merge", 3_000, undefined],
];
/** Measured on the same kind of rig: [leases, units a minute]. */
const kclUnits = { write: { 8: 151, 64: 1_167 }, read: { 8: 10.7, 64: 21 } };
const kclCounts = [8, 64];
const counts = [8, 64, 256];

/** Keeps the results of a run, for the page to be made of. */
export async function keep(run) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(results, await pretty(JSON.stringify(run), "json"));
}

/** Puts scenarios measured in a run of their own in the place of those of the whole run, and tells of it. */
export async function keepPart(scenarios, { date, versions, runs, tookMs, ...part }) {
  const whole = JSON.parse(readFileSync(results, "utf8"));
  const apart = { date, commit: versions.commit, tookMs };
  await keep({
    ...whole,
    ...part,
    machine: whole.machine,
    failoverMs: { ...whole.failoverMs, ...part.failoverMs },
    runs: { ...whole.runs, ...runs },
    apart: { ...whole.apart, ...Object.fromEntries(scenarios.map((name) => [name, apart])) },
  });
}

/** Draws the pictures, and says what is told of the fleet. */
export function fleetSection(run) {
  writeFileSync(path.join(folder, "times.svg"), timesPlot("Time to recover: one line a run", timesOf(run)));
  writeFileSync(
    path.join(folder, "cost.svg"),
    costPlot("Cost of two workers at rest, by number of leases", costsOf(run)),
  );
  return textOf(run);
}

const timesOf = ({ runs }) =>
  timeRows
    .filter(([key]) => runs[key]?.length > 0)
    .map(([key, name, limitMs, kclMs]) => ({ name, ms: runs[key], limitMs, kclMs }));

/** Its line ends where it was measured last. */
const kclLine = (kind) => kclCounts.map((leases) => [leases, kclUnits[kind][leases]]);

function costsOf({ wcuPerMinute, rcuPerMinute }) {
  const own = (units) =>
    counts.map((leases) => [leases, units[`leases${leases}`]]).filter(([, value]) => Number.isFinite(value));
  return [
    { name: "Leasehold, writes (measured)", colour: blue, points: own(wcuPerMinute) },
    { name: "Java KCL 3.5.1, writes", colour: orange, points: kclLine("write") },
    { name: "Leasehold, reads (measured)", colour: blue, dash: "5 4", points: own(rcuPerMinute) },
    {
      name: "Java KCL 3.5.1, reads",
      colour: orange,
      dash: "5 4",
      points: kclLine("read"),
    },
  ].filter(({ points }) => points.length > 0);
}

const seconds = (ms) => (ms / 1_000).toFixed(2);

function textOf(run) {
  const { date, tookMs, runs, residentBytes } = run;
  return `## Fleet

Made by \`npm run bench -- fleet --write-docs\`. Every figure of Leasehold's is from one run of that command on
${date}, which took ${(tookMs / 60_000).toFixed(0)} minutes; its raw results are [benchmarks/fleet.json](benchmarks/fleet.json).${apartOf(run)}

Real processes (\`leasehold run\`) on DynamoDB Local and kinesis-local, one machine, default options: leases of 10 s, idle
shards polled each second. Three workers and 64 shards unless a line says otherwise; a worker that is killed or stopped held
at least 20. Times are from the processors' own logs, on one monotonic clock. Each figure is the worst of its runs;
a first application, which warms the emulators up, is not measured.

${row("", "measured", "promised", "", "Java KCL 3.5.1")}
${row("---", "--:", "--:", "---", "--:")}
${verdicts(run)
  .map(({ name, shown, limit, kept, kcl }) =>
    row(name, shown, limit.replace("<=", "≤").replace(">=", "≥"), kept ? "kept" : "**not kept**", kcl),
  )
  .join("\n")}

The Java KCL's column was not measured by this command. It is from earlier measurements of the KCL 3.5.1 with its default
options on the same kind of rig (two cores, DynamoDB Local and kinesis-local, the application's own log), few runs each: hence
the spans. "From its source" means read in its code and not measured.

### Time to recover

![One line for every run, beside what is promised and what the Java KCL takes](benchmarks/times.svg)

Seconds of every run:

${row("scenario", "runs")}
${row("---", "---")}
${timesOf({ runs })
  .map(({ name, ms }) => row(name, ms.map(seconds).join(", ")))
  .join("\n")}

### Cost

![Capacity units a minute over the number of leases](benchmarks/cost.svg)

Two workers with even traffic and no checkpoints, counted by a proxy from the consumed capacity in the store's answers; a
refused condition counts as one write. 8 and 64 leases are shards, 256 are fixed partitions.

${row("leases", "WCU a minute", "RCU a minute")}
${row("--:", "--:", "--:")}
${counts.map((leases) => row(leases, run.wcuPerMinute[`leases${leases}`] ?? "–", run.rcuPerMinute[`leases${leases}`] ?? "–")).join("\n")}

The Java KCL's figures at 8 and 64 leases (151 and 1,167 WCU, 10.7 and 21 RCU) were measured as said above; at 256 it was
not measured. It writes every lease every 3.3 s; a Leasehold worker writes one row every 2.5 s, whatever it holds.

### Pause

A worker is frozen for 20 s in the middle of its work on some batches, while records come in. What it then writes to a table
of the application's, under its old fencing token, is refused by the store, because the next owner has written under a higher
one: ${pauseOf(run.pause)}

### Memory

${
  residentBytes === undefined
    ? "Not measured: the scenario failed."
    : `A worker with 32 idle shards has ${mebibytes(residentBytes.worker)} resident after a minute; a bare loop of the AWS SDK's own client over
the same shards (\`bench/fleet/sdk-loop.mjs\`) has ${mebibytes(residentBytes.loop)}.`
}

### Surroundings

${surroundings(run)}
`;
}

/** What another run of the command measured, as a sentence. */
function apartOf({ apart = {} }) {
  const told = Object.entries(apart).map(([name, { date, commit }]) => `${name} (${date}, commit ${commit})`);
  return told.length === 0 ? "" : `\nMeasured by \`--only\` in a run of their own: ${told.join(", ")}.`;
}

/** A record counts as lost whose work nobody has got into the table. */
function pauseOf({ refusedWrites, refusedCheckpoints, lost, rejoined }) {
  if (rejoined === null) return "not measured, the scenario failed.";
  return `${refusedWrites} late writes were refused, and ${refusedCheckpoints} late checkpoints by the worker or the store. Records whose work
never got into the table: ${lost}. The process ${rejoined ? "came back as a new worker" : "did not come back"}.`;
}

function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
