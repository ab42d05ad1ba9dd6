// How long a fleet of real processes takes, on embedded emulators, from the processors' own log:
//
//   npm run bench -- reach [--json] [--shards 8] [--idle-seconds 60]
//
// Every worker is `leasehold run` with bench/handler.mjs; times are wall times of one machine. Prints what each scenario
// took beside what is promised; exit status 1 where a promise is not kept.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, "..", "dist");
const { startDynalite } = await import(path.join(dist, "embedded/dynalite.js"));
const { startKinesisLocal } = await import(path.join(dist, "embedded/kinesis-local.js"));
const { DemoStream } = await import(path.join(dist, "embedded/demo-stream.js"));
const { systemClock } = await import(path.join(dist, "runtime/system.js"));

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    shards: { type: "string", default: "8" },
    "idle-seconds": { type: "string", default: "60" },
  },
});
const shards = Number(values.shards);
if (!Number.isSafeInteger(shards) || shards < 4 || shards > 64) {
  console.error(`--shards ${values.shards}: a whole number from 4 to 64`);
  process.exit(2);
}
const idleMs = Number(values["idle-seconds"]) * 1000;

/** What is promised, in ms (the last in changes of owner). */
const promised = {
  startMs: 3_000,
  joinMs: 12_000,
  killMs: 18_000,
  killPlannerMs: 18_000,
  killSupervisedMs: 5_000,
  stopMs: 3_000,
  stopDuplicates: 0,
  splitMs: 3_000,
  mergeMs: 3_000,
  idleMoves: 0,
};
const measured = {};
const say = (text) => console.error(`${new Date().toISOString().slice(11, 23)}  ${text}`);

const folder = mkdtempSync(path.join(tmpdir(), "leasehold-reach-"));
const logFile = path.join(folder, "log.jsonl");
writeFileSync(logFile, "");
const application = "reach";
const streamName = "reach";
const children = new Set();

say("starting the emulators");
const dynalite = await startDynalite();
const kinesis = await startKinesisLocal({ streams: { [streamName]: shards } });
const stream = new DemoStream({
  endpoint: kinesis.endpoint,
  region: kinesis.region,
  streamName,
  clock: systemClock,
});

const env = {
  ...process.env,
  AWS_REGION: kinesis.region,
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint,
  AWS_ENDPOINT_URL_KINESIS: kinesis.endpoint,
  LEASEHOLD_BENCH_LOG: logFile,
  NODE_NO_WARNINGS: "1",
};

/** The handlers' lines so far, oldest first. Appends of different processes may be a moment out of order. */
const lines = () =>
  readFileSync(logFile, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line));

function cli(...args) {
  const child = spawn(process.execPath, [path.join(dist, "cli/main.js"), ...args], {
    env,
    stdio: ["ignore", "pipe", process.env.LEASEHOLD_BENCH_VERBOSE === undefined ? "ignore" : "inherit"],
  });
  children.add(child);
  child.startedAt = Date.now();
  child.gone = once(child, "exit").then(() => children.delete(child));
  return child;
}

const run = (label, ...more) =>
  cli(
    "run",
    "--application",
    application,
    "--stream",
    streamName,
    "--handler",
    path.join(here, "handler.mjs"),
    "--label",
    label,
    ...more,
  );

async function status() {
  const child = cli("status", "--application", application, "--json");
  let output = "";
  child.stdout.on("data", (data) => (output += String(data)));
  await child.gone;
  return JSON.parse(output.trim().split("\n").at(-1));
}

async function until(what, seconds, condition) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
}

/** Leases by the process that handed over their last batch, as the log shows it. */
function readers() {
  const owner = new Map();
  for (const line of lines()) {
    if (line.what === "batch") owner.set(line.lease, line);
    if (line.what === "ended") owner.delete(line.lease);
  }
  return owner;
}

/** When each of the leases was first read by another process than `pid` after `since`; undefined until all were. */
function readElsewhere(leases, pids, since) {
  const first = new Map();
  for (const line of lines()) {
    if (line.what !== "batch" || line.at < since || pids.has(line.pid) || !leases.has(line.lease)) continue;
    if (!first.has(line.lease)) first.set(line.lease, line.at);
  }
  return first.size === leases.size ? Math.max(...first.values()) - since : undefined;
}

const leasesOf = (pid) =>
  new Set([...readers()].filter(([, line]) => line.pid === pid).map(([lease]) => lease));
const settled = (workers) => async () => {
  const { leases } = await status();
  const open = leases.filter(({ state }) => state !== "finished");
  const counts = new Map();
  for (const { owner, state } of open) {
    if (state !== "owned") return false;
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts.size === workers && Math.max(...counts.values()) - Math.min(...counts.values()) <= 1;
};

/** Each of three reads its fair share: the log shows a move only with the first batch read after it. */
const allRead = (processes) => () =>
  processes.every(({ child }) => leasesOf(child.pid).size >= Math.floor(shards / 3));

/** Which process a worker id belongs to is what its row says of its label: here label and process are one. */
const pidOf = (workerId, processes) =>
  processes.find(({ label }) => workerId.startsWith(`${label}-`))?.child.pid;

function duplicates(since) {
  const seen = new Map();
  let twice = 0;
  for (const line of lines()) {
    if (line.what !== "batch") continue;
    for (const record of line.records) {
      const key = `${line.lease}/${record}`;
      if (seen.has(key) && line.at >= since) twice += 1;
      seen.set(key, line.at);
    }
  }
  return twice;
}

let producing = true;
const producer = (async () => {
  for (let i = 0; producing; i++) {
    // Two records for every smallest shard there can be: children of a split find some too.
    const records = Array.from({ length: shards * 2 }, (_, k) => ({
      data: Buffer.from(`record ${i} ${k}`),
      partitionKey: `k${k}`,
      place: (k + 0.5) / (shards * 2),
    }));
    await stream.put(records, new AbortController().signal);
    await sleep(300);
  }
})();

try {
  const a = { label: "a", child: run("a", "--no-supervise") };
  await until("first record", 30, () => lines().find(({ what }) => what === "batch"));
  measured.startMs = lines().find(({ what }) => what === "batch").at - a.child.startedAt;
  say(`start → first record: ${measured.startMs} ms`);
  await until("all shards read", 30, () => readers().size === shards);

  const b = { label: "b", child: run("b", "--no-supervise") };
  await until("fair share", 60, settled(2));
  const joined = [...(await status()).leases]
    .filter(({ owner }) => owner.startsWith("b-"))
    .map(({ leaseKey }) => leaseKey);
  measured.joinMs = await until("moved shards read", 30, () =>
    readElsewhere(new Set(joined), new Set([a.child.pid]), b.child.startedAt),
  );
  say(`join → fair share read: ${measured.joinMs} ms (${joined.length} shards)`);

  const before = (await status()).leases.map(({ leaseKey, epoch }) => `${leaseKey} ${epoch}`).join();
  say(`idle for ${idleMs / 1000} s`);
  await sleep(idleMs);
  const after = (await status()).leases.map(({ leaseKey, epoch }) => `${leaseKey} ${epoch}`).join();
  measured.idleMoves = before === after ? 0 : 1;
  say(`moves while nothing changed: ${measured.idleMoves}`);

  const c = { label: "c", child: run("c", "--no-supervise") };
  await until("three share", 60, settled(3));
  const processes = [a, b, c];

  await until("three read", 30, allRead(processes));
  const planner = (await status()).planner;
  const victim = processes.find(({ label }) => !planner.startsWith(`${label}-`));
  let held = leasesOf(victim.child.pid);
  let since = Date.now();
  victim.child.kill("SIGKILL");
  measured.killMs = await until("killed worker's shards read", 60, () =>
    readElsewhere(held, new Set([victim.child.pid]), since),
  );
  say(`SIGKILL → last of ${held.size} shards read elsewhere: ${measured.killMs} ms`);

  const d = { label: "d", child: run("d", "--no-supervise") };
  processes.splice(processes.indexOf(victim), 1, d);
  await until("three share again", 60, settled(3));
  await until("three read again", 30, allRead(processes));
  const plannerPid = pidOf((await status()).planner, processes);
  const plannerProcess = processes.find(({ child }) => child.pid === plannerPid);
  held = leasesOf(plannerPid);
  since = Date.now();
  plannerProcess.child.kill("SIGKILL");
  measured.killPlannerMs = await until("killed planner's shards read", 60, () =>
    readElsewhere(held, new Set([plannerPid]), since),
  );
  say(`SIGKILL of the planner → last of ${held.size} shards read elsewhere: ${measured.killPlannerMs} ms`);

  const e = { label: "e", child: run("e", "--no-supervise") };
  processes.splice(processes.indexOf(plannerProcess), 1, e);
  await until("three share once more", 60, settled(3));
  await until("three read once more", 30, allRead(processes));
  const leaver = processes[0];
  held = leasesOf(leaver.child.pid);
  since = Date.now();
  leaver.child.kill("SIGTERM");
  measured.stopMs = await until("stopped worker's shards read", 60, () =>
    readElsewhere(held, new Set([leaver.child.pid]), since),
  );
  await leaver.child.gone;
  await sleep(2_000);
  measured.stopDuplicates = duplicates(since);
  say(
    `SIGTERM → all ${held.size} shards read elsewhere: ${measured.stopMs} ms, ${measured.stopDuplicates} records twice`,
  );

  const [first, second, third] = await stream.openShards();
  since = Date.now();
  await stream.split(first);
  measured.splitMs = await until("split's children read", 30, () => childrenRead(first.shardId));
  say(`split: parent's end → first read of its last child: ${measured.splitMs} ms`);
  await stream.merge(second, third);
  measured.mergeMs = await until("merge's child read", 30, () => childrenRead(third.shardId, second.shardId));
  say(`merge: last parent's end → first read of the child: ${measured.mergeMs} ms`);

  say("stopping the fleet; a supervised one takes over");
  for (const { child } of processes) child.kill("SIGTERM");
  const supervised = run("s", "--workers", "3");
  await until("supervised fleet shares", 90, settled(3));
  const gone = new Set([a, b, c, d, e].map((process) => process.child.pid));
  const reading = () =>
    new Set([...readers().values()].map(({ pid }) => pid).filter((pid) => !gone.has(pid)));
  await until(
    "supervised fleet reads",
    30,
    () => reading().size === 3 && [...readers().values()].every(({ pid }) => !gone.has(pid)),
  );
  const [child] = reading();
  held = leasesOf(child);
  since = Date.now();
  process.kill(child, "SIGKILL");
  measured.killSupervisedMs = await until("its shards read", 60, () =>
    readElsewhere(held, new Set([child]), since),
  );
  say(
    `SIGKILL of a supervised worker → last of ${held.size} shards read elsewhere: ${measured.killSupervisedMs} ms`,
  );
  supervised.kill("SIGTERM");
  await supervised.gone;
} finally {
  producing = false;
  await producer.catch(() => undefined);
  for (const child of children) child.kill("SIGKILL");
  stream.close();
  await Promise.all([dynalite.stop(), kinesis.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

function childrenRead(...parents) {
  const all = lines();
  const ends = parents.map((parent) => all.find(({ what, lease }) => what === "ended" && lease === parent));
  if (ends.includes(undefined)) return undefined;
  const keys = new Set(ends.flatMap((end) => end.children));
  const first = new Map();
  for (const line of all) {
    if (line.what === "batch" && keys.has(line.lease) && !first.has(line.lease))
      first.set(line.lease, line.at);
  }
  const endedAt = Math.max(...ends.map((end) => end.at));
  return keys.size > 0 && first.size === keys.size ? Math.max(...first.values()) - endedAt : undefined;
}

const rows = Object.entries(promised).map(([name, limit]) => ({
  name,
  measured: measured[name],
  limit,
  kept: measured[name] <= limit,
}));
const ok = rows.every(({ kept }) => kept);
console.error("");
for (const { name, measured: value, limit, kept } of rows) {
  console.error(
    `${name.padEnd(18)} ${String(value).padStart(8)}   promised <= ${String(limit).padStart(6)}   ${kept ? "kept" : "NOT KEPT"}`,
  );
}
if (values.json) console.log(JSON.stringify({ ok, shards, ...measured }));
process.exit(ok ? 0 : 1);
