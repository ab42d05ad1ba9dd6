// The planner's part of docs/benchmarks.md, from the results of one run, which are kept beside it.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pretty } from "../pretty.mjs";
import { row } from "../table.mjs";
import { verdicts } from "./reach.mjs";
import { measuredRounds } from "./sizes.mjs";

const folder = path.join(import.meta.dirname, "../../docs/benchmarks");

const columns = [
  ["leases", ({ leases }) => leases.toLocaleString("en-US")],
  ["workers", ({ workers }) => workers.toLocaleString("en-US")],
  ["case", (cell) => cell.case],
  ["plan", ({ planMs }) => milliseconds(planMs)],
  ["unordered", ({ unorderedPlanMs }) => milliseconds(unorderedPlanMs)],
  ["unchanged", ({ unchangedPlanMs }) => milliseconds(unchangedPlanMs)],
  ["heap", ({ heapBytes }) => mebibytes(heapBytes)],
  ["kept", ({ keptBytes }) => mebibytes(keptBytes)],
  ["planner's round", ({ roundMs }) => milliseconds(roundMs)],
  ["mean", ({ meanRoundMs }) => milliseconds(meanRoundMs)],
  ["slowest", ({ slowestRoundMs }) => milliseconds(slowestRoundMs)],
  ["loop held", ({ slowestRoundHeldMs }) => milliseconds(slowestRoundHeldMs)],
  ["worker's round", ({ workerRoundMs }) => milliseconds(workerRoundMs)],
  ["slowest", ({ slowestWorkerRoundMs }) => milliseconds(slowestWorkerRoundMs)],
];

/** All figures, as a table for people. */
export function cellTable({ cells }) {
  const lines = [
    columns.map(([name]) => name),
    ...cells.map((cell) => columns.map(([, show]) => show(cell))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => line.map((text, i) => text.padStart(widths[i])).join("  ")).join("\n");
}

export async function keep(run) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "planner.json"), await pretty(JSON.stringify(run), "json"));
}

/** What is told of the planner. */
export function plannerSection(run) {
  const { date, machine, versions, cells, growth, tookMs } = run;
  return `## The planner at scale

Made by \`npm run bench -- planner --write-docs\`, which took ${(tookMs / 60_000).toFixed(0)} minutes on ${date}; its raw results are
[benchmarks/planner.json](benchmarks/planner.json).

${row("", "measured", "aim", "")}
${row("---", "--:", "--:", "---")}
${verdicts(run)
  .map(({ name, shown, limit, kept }) =>
    row(name, shown, limit.replace("<=", "≤"), kept ? "reached" : "**not reached**"),
  )
  .join("\n")}

Times are medians, in milliseconds of the processor's time, of all threads of the process: on a machine that does nothing else
the clock shows as much or less. Three cases: one worker joins, one dies, nothing happens.

- **plan**: \`plan()\` from nothing known of the leases, which a planner keeps in the order of their keys: its first.
  **unordered**: the same with leases as a scan of the table brings them, which a leaver plans with once.
  **unchanged**: with what a planner has kept of the round before, no row having changed since.
- **heap**: what one \`plan()\` from nothing takes before anything is collected, MiB; **kept**: what of it the planner keeps.
- **planner's round**: a worker that ships is the planner of such a fleet, on the memory store and a virtual clock; the others
  are rows that beat and do what their mail says, and every second a tenth of the leases is checkpointed, with another throughput. A
  scan brings new objects, as one of a table does; making them is the store's work and not counted, and what is checkpointed
  meanwhile is kept in numbers, since a real table leaves no rows of before for the worker to collect. One round is all that it does in one \`pollIntervalMs\`: the read of the fleet,
  what follows from it, the plan, its directives, scans and beats when they are due. Medians over ${measuredRounds} rounds from the event on,
  their **mean**, and the slowest of them: one in which all leases are scanned, weighed or dealt anew, or in which V8 goes over
  its whole heap. With 100,000 leases that is about once in 65 rounds, most of it on the collector's own threads, and many runs
  measure none. **loop held**: for how long at most a round held the event loop, those threads left out.
- **worker's round**: the same for a worker that is not the planner and reads its share of the fleet.

${row(...columns.map(([name]) => name))}
${row(...columns.map(() => "--:"))}
${cells.map((cell) => row(...columns.map(([, show]) => show(cell)))).join("\n")}

How many times as much each is where leases and workers are ten times as many (10 is linear).

${row("case", "leases", "plan", "unordered", "unchanged", "heap", "planner's round", "slowest", "worker's round")}
${row("---", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:")}
${growth
  .map((figures) =>
    row(
      figures.case,
      `${figures.from.toLocaleString("en-US")} → ${figures.to.toLocaleString("en-US")}`,
      ...[
        "planMs",
        "unorderedPlanMs",
        "unchangedPlanMs",
        "heapBytes",
        "roundMs",
        "slowestRoundMs",
        "workerRoundMs",
      ].map((name) => figures[name].toFixed(1)),
    ),
  )
  .join("\n")}

Measured with Node ${versions.node} at commit ${versions.commit} on ${machine.cores} cores (${machine.cpu}, ${machine.system}).
`;
}

/** What an earlier run has not measured it does not say. */
const milliseconds = (ms) => ms?.toFixed(ms < 10 ? 2 : 0) ?? "–";
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
