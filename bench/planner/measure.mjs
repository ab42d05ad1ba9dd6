// Every size and case, each in processes of its own: what one leaves behind costs the next nothing.
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { nowMs } from "../../scripts/host-clock.mjs";
import { cases, sizes } from "./sizes.mjs";
import { rounded } from "./stopwatch.mjs";

const run = promisify(execFile);
/** More than any plan makes, so that nothing is collected while memory is measured. */
const roomForGarbageMiB = 512;

async function child(script, nodeOptions, ...args) {
  const file = path.join(import.meta.dirname, script);
  const { stdout } = await run(process.execPath, [...nodeOptions, file, ...args.map(String)]);
  return JSON.parse(stdout);
}

async function measureCell({ leases, workers }, kind) {
  const of = [leases, workers, kind];
  const plans = await child("plans.mjs", ["--expose-gc"], ...of, "time");
  const room = `--max-semi-space-size=${roomForGarbageMiB}`;
  const memory = await child("plans.mjs", ["--expose-gc", room], ...of, "memory");
  const planner = await child("rounds.mjs", [], ...of, "planner");
  const worker = await child("rounds.mjs", [], ...of, "worker");
  return {
    leases,
    workers,
    case: kind,
    ...plans,
    ...planner,
    workerRoundMs: worker.roundMs,
    slowestWorkerRoundMs: worker.slowestRoundMs,
    ...memory,
  };
}

const grows = [
  "planMs",
  "unorderedPlanMs",
  "unchangedPlanMs",
  "roundMs",
  "slowestRoundMs",
  "workerRoundMs",
  "heapBytes",
];

/** How many times as much each figure is where leases and workers are ten times as many: 10 is linear. */
function growthOf(cells) {
  return cases.flatMap((kind) => {
    const own = cells.filter((cell) => cell.case === kind);
    return own.slice(1).map((cell, i) => ({
      case: kind,
      from: own[i].leases,
      to: cell.leases,
      ...Object.fromEntries(grows.map((name) => [name, rounded(cell[name] / own[i][name])])),
    }));
  });
}

/** @returns what the command prints */
export async function measure(say) {
  const startedAt = nowMs();
  const cells = [];
  for (const size of sizes) {
    for (const kind of cases) {
      say(`${size.leases} leases, ${size.workers} workers, ${kind}`);
      cells.push(await measureCell(size, kind));
    }
  }
  return { cells, growth: growthOf(cells), tookMs: Math.round(nowMs() - startedAt) };
}
