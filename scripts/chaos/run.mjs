// One chaos run: a fleet of real processes on a stream under traffic, what is done to it, and what became of it.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openHistory, openInspector } from "../../dist/index.js";
import { resolveProtocol } from "../../dist/model/config.js";
import { analyse } from "../../dist/testing/chaos/analysis.js";
import { unexcusedEnds } from "../../dist/testing/chaos/ends.js";
import { drawSchedule, leastFaults } from "../../dist/testing/chaos/schedule.js";
import { selfTest } from "../../dist/testing/chaos/self-test.js";
import { checkRun, traceOf } from "../../dist/testing/chaos/trace.js";
import { seededRandom } from "../../dist/testing/index.js";
import { Acts } from "./acts.mjs";
import { nowMs } from "../host-clock.mjs";
import { Crew } from "./crew.mjs";
import { Journals } from "./journals.mjs";
import { Producer } from "./producer.mjs";
import { Rig } from "./rig.mjs";

const application = "chaos";
const shards = 6;
/** Short, so that much happens in a minute: D = 4 s, T = 5 s. */
const leaseDurationMs = 4_000;
const progressEveryMs = 10_000;
/** Until the fleet is whole at first, and until all is worked at last: far more than it takes. */
const wholeSeconds = 180;
const drainSeconds = 180;
const lookEveryMs = 500;
/** Into every shard, when nothing is done to anybody any more: what is open then must be worked. */
const lastRecords = 64;

/** @returns the figures, and `failures`: why the run is none that proves anything, or what it disproves */
export async function chaos({ minutes, seed, folders, say }) {
  const { safetyMarginMs } = resolveProtocol({ leaseDurationMs });
  const rig = await Rig.start(shards);
  const journals = new Journals(folders.journals);
  const inspector = openInspector({ application, dynamodb: { client: rig.dynamodb } });
  let crew;
  // Whatever ends this process: no worker goes on without it.
  const onExit = () => crew?.abandon();
  process.on("exit", onExit);
  try {
    crew = await Crew.of({
      ...{ rig, application, leaseDurationMs, journals, say },
      ...{ folder: folders.run, packageFolder: folders.package },
      settings: {
        folder: folders.journals,
        believesMs: leaseDurationMs - safetyMarginMs,
        sink: rig.sink,
        owner: process.pid,
      },
    });
    const producer = new Producer(rig.stream);
    const acts = new Acts({ rig, crew, say });
    const progress = setInterval(() => {
      tell({ journals, producer, acts, inspector, say }).catch((error) =>
        say(`no progress: ${error.message}`),
      );
    }, progressEveryMs);
    let isDrained;
    try {
      crew.start();
      producer.start();
      await whole({ inspector, crew, rig });
      say(`the fleet is whole: ${crew.size} workers; seed ${seed} does its acts for ${minutes} min`);
      await acts.run(drawSchedule({ seed, minutes, leaseDurationMs }));
      say("all is done to the fleet that was to be done; it gets the time to work what is left");
      await producer.stop();
      await producer.some(lastRecords);
      isDrained = await within(drainSeconds, () => {
        journals.update();
        return producer.put.every((id) => journals.worked.has(id));
      });
    } finally {
      clearInterval(progress);
    }
    const hanging = await crew.end();
    const verdict = await verifyHistory(rig);
    // Beside the journals, for whoever looks into a run that failed.
    const besides = { seed, minutes, kills: crew.kills, faults: acts.done, put: producer.put };
    writeFileSync(path.join(folders.run, "run.json"), JSON.stringify(besides));
    const run = { journals: journals.all(crew.kills), put: producer.put };
    // Kept whatever comes of the run: others follow it as well.
    writeFileSync(folders.trace, `${traceOf(run).join("\n")}\n`);
    say(`what its processes told is in ${folders.trace}; npm run spec:traces -- --file takes it`);
    return report({ run, acts, crew, verdict, hanging, isDrained, minutes, seed, say });
  } finally {
    onExit();
    process.off("exit", onExit);
    journals.close();
    inspector.close();
    await rig.stop();
  }
}

/** Everything open is owned, and nobody is missing. */
async function whole({ inspector, crew, rig }) {
  const open = await rig.stream.openShards();
  const isWhole = await within(wholeSeconds, async () => {
    const status = await statusOf(inspector);
    if (status === undefined) return false;
    const live = status.workers.filter(({ state }) => state === "live");
    const owned = status.leases.filter(({ state }) => state === "owned");
    return live.length === crew.size && owned.length === open.length;
  });
  if (!isWhole) throw new Error(`the fleet was not whole within ${wholeSeconds} s: its logs are kept`);
}

async function statusOf(inspector) {
  try {
    return await inspector.status();
  } catch (error) {
    // Its tables are being made.
    if (error.code === "table-missing") return undefined;
    throw error;
  }
}

async function within(seconds, isSo) {
  const until = nowMs() + seconds * 1_000;
  while (!(await isSo())) {
    if (nowMs() > until) return false;
    await sleep(lookEveryMs);
  }
  return true;
}

async function tell({ journals, producer, acts, inspector, say }) {
  journals.update();
  const status = await statusOf(inspector);
  const held = new Map();
  for (const { owner, state } of status?.leases ?? []) {
    if (state === "finished") continue;
    const who = state === "owned" ? owner.replace(/-[^-]+$/, "") : "nobody";
    held.set(who, (held.get(who) ?? 0) + 1);
  }
  const owners = [...held].map(([who, leases]) => `${who} ${leases}`).join(", ");
  const faults = Object.entries(acts.done).map(([kind, times]) => `${kind} ${times}`);
  say(`${faults.join(", ")}; put ${producer.put.length}, worked ${journals.worked.size}; leases: ${owners}`);
}

async function verifyHistory(rig) {
  const history = openHistory({ application, dynamodb: { client: rig.dynamodb } });
  try {
    return await history.verify();
  } finally {
    history.close();
  }
}

function report({ run, acts, crew, verdict, hanging, isDrained, minutes, seed, say }) {
  const analysis = analyse(run);
  const trace = checkRun(run, leaseDurationMs);
  const self = selfTest(run, leaseDurationMs, seededRandom(`self-test ${seed}`));
  const failures = [];
  const { records, lost, duplicates, overlaps, refusedWrites, orphanMs, orphans } = analysis;
  for (const overlap of overlaps) failures.push(`overlap: ${JSON.stringify(overlap)}`);
  if (lost.length > 0) failures.push(`lost: ${lost.slice(0, 20).join(", ")}${lost.length > 20 ? ", …" : ""}`);
  if (!isDrained) failures.push(`not all records were worked within ${drainSeconds} s of the last act`);
  for (const { leaseKey, kind, text } of verdict.problems)
    failures.push(`history: ${leaseKey} ${kind}: ${text}`);
  for (const { rule, at, source, event, expected } of trace.violations) {
    failures.push(`trace: ${rule} at ${at} by ${source}: ${JSON.stringify(event)}: ${expected}`);
  }
  failures.push(...self.problems.map((problem) => `self-test: ${problem}`));
  for (const [kind, least] of Object.entries(leastFaults(minutes))) {
    const times = acts.done[kind];
    if (times < least) failures.push(`too few of ${kind}: ${times}, and ${minutes} min need ${least}`);
  }
  const faulted = crew.slots.reduce((sum, { way }) => sum + way.faulted, 0);
  const { ends, hanging: children } = crew.ends();
  const hung = [...hanging, ...children];
  for (const one of hung)
    failures.push(`hanging: ${one} did not end when it was asked to, and had to be killed`);
  const unexcused = unexcusedEnds(ends, run.journals, [...acts.weather, ...crew.pauses]);
  failures.push(...unexcused.map((end) => `ended: ${end}`));
  say(
    `${run.journals.length} processes, ${verdict.epochs} tenures of ${verdict.leases} leases in the history, ` +
      `${trace.events} events of which ${trace.violations.length} are not allowed, ${orphans} times a lease had nobody, ${faulted} requests met a fault; ` +
      `ended by themselves: ${ends.map(({ label, how }) => `${label} (${how})`).join(", ") || "none"}; hanging: ${hung.join(", ") || "none"}`,
  );
  const result = {
    records,
    lost: lost.length,
    duplicates,
    overlaps: overlaps.length,
    refusedWrites,
    historyGaps: verdict.problems.length,
    traceViolations: trace.violations.length,
    orphanMs,
    unexcusedEnds: unexcused.length,
    hanging: hung.length,
    selfTest: self.ok,
    faults: acts.done,
  };
  return { result, failures };
}
