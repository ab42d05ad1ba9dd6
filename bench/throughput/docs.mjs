// The throughput's part of docs/benchmarks.md and its pictures, from the results that are kept beside them.
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import { row, surroundings } from "../table.mjs";
import { headline, shapeText } from "./cells.mjs";
import { curves } from "./curves.mjs";
import { curvesPlot, ratioPlot } from "./plot.mjs";
import { verdicts } from "./reach.mjs";
import { flame, folder, keptCurves } from "./results.mjs";
import { minutes } from "./schedule.mjs";
import { checkpointMs } from "./run.mjs";
import { failoverMs, heapPercent } from "./subjects/kcl/options.mjs";

const columns = {
  bareSdk: "bare SDK",
  leasehold: "Leasehold",
  leaseholdZeroCopy: "zeroCopy",
  kcl: "Java KCL",
};

/** Draws the picture, and says what is told of the throughput. */
export function throughputSection(run) {
  const { cells, tookMs } = run;
  writeFileSync(
    path.join(folder, "throughput.svg"),
    ratioPlot("Records a CPU second, as a multiple of the bare SDK loop's", cells),
  );
  const rounds = Math.min(...cells.map(({ runs }) => runs.length));
  const windowMs = Math.min(...cells.map((cell) => cell.windowMs));
  return `## Throughput

Made by \`npm run bench -- throughput --write-docs\`, which took ${minutes(tookMs)}; raw results:
[benchmarks/throughput.json](benchmarks/throughput.json). Measured ${measuredOf(cells, ({ cell }) => cell)}.

What a record costs: how many of them get through in a second of CPU, user and system, of the process that reads them.
In every cell the subjects take turns (rounds: ${rounds}), a process for each run, against one stream that answers from
memory (\`bench/throughput/canned/\`), on loopback without TLS. A run is measured over ${windowMs / 1_000} s, or until each shard was read in them, after every
shard was read and 3 s more for Node, 15 s for the JVM. Figures are medians. Every subject reads the first and the last byte of
each record; what they add up to, and the sequence numbers, show that none was lost or skipped.

${row("", "measured", "aim", "")}
${row("---", "--:", "--:", "---")}
${verdicts(run)
  .map(({ name, shown, limit, kept }) =>
    row(name, shown, limit.replace("<=", "≤").replace(">=", "≥"), kept ? "reached" : "**not reached**"),
  )
  .join("\n")}

- **bare SDK**: the AWS SDK's client and a loop for each shard, without a pause, without leases or checkpoints.
- **Leasehold**: a worker with its default options, its leases on dynalite, a checkpoint of every shard each ${checkpointMs / 1_000} s
  instead of 10 s, so that the window holds some (the bench reads the lease rows at its begin and its end, and refuses a run in
  which fewer than half of them moved); **zeroCopy** the same with that option.
- **Java KCL**: ${cells.some(({ kcl }) => kcl) ? kclText : "not measured."}

Leasehold and the KCL read a shard five times a second at most, as Kinesis allows, the bare loop as often as it can: so
records a second are a comparison only where a CPU is full.

![Bars for each cell: how many times as many records as the bare loop](benchmarks/throughput.svg)

Thousands of records a CPU second, in brackets the least and the most of the rounds:

${row("records", "a call", "shards", ...Object.values(columns), "Leasehold to bare", "zeroCopy to bare", "Leasehold to KCL")}
${row("---", "--:", "--:", ...Object.values(columns).map(() => "--:"), "--:", "--:", "--:")}
${cells
  .map((cell) =>
    row(
      ...shapeOf(cell),
      ...Object.keys(columns).map((name) => costOf(cell[name])),
      times(cell.ratios.toBareSdk),
      times(cell.ratios.zeroCopyToBareSdk),
      times(cell.ratios.toKcl),
    ),
  )
  .join("\n")}

Thousands of records a second, the most memory that was resident (MiB), and the largest share of a core that the canned
stream took while one of them read:

${row("records", "a call", "shards", ...Object.values(columns).flatMap((name) => [`${name}: k/s`, "MiB"]), "stream")}
${row("---", "--:", "--:", ...Object.values(columns).flatMap(() => ["--:", "--:"]), "--:")}
${cells
  .map((cell) =>
    row(
      ...shapeOf(cell),
      ...Object.keys(columns).flatMap((name) => paceOf(cell[name])),
      `${(cell.serverShare * 100).toFixed(1)} %`,
    ),
  )
  .join("\n")}

${notesOf(cells)}An answer of Kinesis has 10 MiB at most, so that 409 records of 25 KiB are a full one, whatever is asked for. The canned
stream sends 320 MB a second at most.
${
  existsSync(flame)
    ? `
### Where the time goes

Made by \`npm run bench -- throughput --flame\`: Leasehold's process in the cell ${headline}, from top to bottom who calls whom,
as wide as its share of the busy time. Opened by itself, the picture names every box.

![A flame graph of a worker at full load](benchmarks/throughput-flame.svg)
`
    : ""
}
${keptCurves().length === 0 ? "" : curvesSection(keptCurves())}
### Surroundings of the throughput

${surroundings(run)}
`;
}

function curvesSection(measured) {
  const drawn = measured.flatMap(({ name, points }) => {
    const { title, about, figures } = curves.find((curve) => curve.name === name);
    // One that was kept before a figure was added to it has none.
    const known = figures.filter((figure) => points.every((point) => point[figure] !== undefined));
    return known.map((figure) => ({
      title,
      about,
      figure,
      points: points.map((point) => ({ value: point.value, ...point[figure] })),
    }));
  });
  const file = path.join(folder, "throughput-curves.svg");
  writeFileSync(file, curvesPlot("What the worker's options change", drawn));
  return `### Options

Made by \`npm run bench -- throughput --curves\`: one option of a worker at a time, all else by default. A dot is the median of
${Math.min(...measured.map(({ runs }) => runs))} runs, the line through it goes from the least to the most. Raw results:
[benchmarks/throughput-curves.json](benchmarks/throughput-curves.json). Measured ${measuredOf(measured, ({ name }) => name)}.

![Small plots, one for each option](benchmarks/throughput-curves.svg)
`;
}

const manyShards = { shards: 64 };
const kclText = `the KCL 3.5.1, polling, its leases on DynamoDB Local, with the JVM's defaults (a heap of a quarter of the memory) and
its own, and as many checkpoints, but for 200 ms between two reads of a shard: Leasehold's pace, and the least that it takes.
With ${manyShards.shards} shards what it reads ahead fills that heap, and it loses leases, which by default are lost after 10 s without a renewal: there
it has ${heapPercent(manyShards)} % of the memory and ${failoverMs(manyShards) / 1_000} s. Each run comes back to an application that was there, for a new one of the KCL's takes
a minute and a half to start.`;

const times = (ratio) => (ratio === null ? "–" : `${ratio.toFixed(2)} ×`);
const thousands = (value) => (value < 10_000 ? (value / 1_000).toFixed(1) : (value / 1_000).toFixed(0));

function shapeOf(cell) {
  const { record, answer } = shapeText(cell);
  return [record, answer, cell.shards];
}

function costOf(subject) {
  if (!subject) return "–";
  const [least, most] = subject.spread.map(thousands);
  return `${thousands(subject.recordsPerCpuSecond)} (${least}–${most})`;
}

function paceOf(subject) {
  if (!subject) return ["–", "–"];
  return [thousands(subject.recordsPerSecond), (subject.residentBytes / 2 ** 20).toFixed(0)];
}

function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** When each was measured, and of which sources. */
function measuredOf(items, nameOf) {
  const byRun = grouped(items, ({ measured: { date, commit } }) => `on ${date}, commit ${commit}`);
  if (byRun.size === 1) return [...byRun.keys()][0];
  return [...byRun].map(([when, of]) => `${when}: ${of.map(nameOf).join(", ")}`).join("; ");
}

/** What did not come through, and what had to be made again, with the reason. */
function notesOf(cells) {
  const notes = cells.flatMap(({ cell, failures, runs, ...medians }) =>
    [...grouped(failures, ({ subject }) => subject)].map(([subject, of]) => {
      const had = medians[subject]?.rounds ?? 0;
      const came =
        had === 0 ? "not measured" : had < runs.length ? `${had} of ${runs.length} rounds` : "made again";
      const reasons = [...new Set(of.map(({ error }) => error))].join("; ");
      return `- ${columns[subject]}, ${cell}: ${came}, ${of.length} ${of.length === 1 ? "run" : "runs"} failed (${reasons})`;
    }),
  );
  return notes.length === 0
    ? ""
    : `Runs that failed were made once more, and are in no figure:\n\n${notes.join("\n")}\n\n`;
}
