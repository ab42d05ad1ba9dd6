// One run of one subject against a canned stream: its figures over the window, and whether it read what was there.
import { existsSync, readFileSync } from "node:fs";
import { residentBytes } from "../fleet/memory.mjs";
import { sumsOf } from "./canned/records.mjs";
import { Child } from "./child.mjs";

/** From its start until it has read each shard and is warm. On a machine with time for it, none takes a third of that. */
const startWithinMs = 120_000;
/** Of a shard, this many answers may be under way or read ahead, and this many records: what is missing beyond was lost. */
const answersAhead = 8;
const recordsAhead = 60_000;
/** And never more than so many full answers. */
const bytesAhead = answersAhead * 10 * 2 ** 20;
/** How often every subject with leases writes a shard's checkpoint: often enough for the window. */
export const checkpointMs = 2_000;

/** A subject has lost or skipped records, or got others than were sent. */
export class LostRecords extends Error {}

/** A subject did not write the checkpoints that it is measured with. */
export class NoCheckpoints extends Error {}

/** @returns {Promise<object>} records (each once), repeated, checkpointedShards, seconds, cpuSeconds, the rates of them, residentBytes and serverShare */
export async function runOnce(subject, cell, server, windowMs) {
  const leases = await subject.leases(cell);
  const before = await server.stats();
  const { processes = 1 } = subject;
  const env = {
    ...process.env,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "bench",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_ENDPOINT_URL_DYNAMODB: leases.endpoint,
    AWS_ENDPOINT_URL_KINESIS: server.endpoint,
    NODE_NO_WARNINGS: "1",
    BENCH_STREAM: "canned",
    BENCH_APPLICATION: leases.application,
    BENCH_ALONE: processes === 1 ? "yes" : "no",
    BENCH_LIMIT: String(cell.limit),
    BENCH_BLOCK: String(cell.size),
    BENCH_SHARDS: String(shardsOfEach(cell, processes)),
    BENCH_CHECKPOINT_MS: String(checkpointMs),
    ...subject.env?.(cell),
    BENCH_WARM_UP_MS: String(subject.warmUpMs),
    BENCH_WINDOW_MS: String(windowMs),
  };
  const children = Array.from({ length: processes }, () => new Child(subject.command, subject.args, env));
  try {
    await Promise.all(children.map((child) => said(child, "ready", startWithinMs + subject.warmUpMs)));
    const serverFrom = await server.stats();
    for (const child of children) child.say("begin");
    const checkpointsFrom = await leases.checkpoints?.();
    const told = await Promise.all(children.map((child) => said(child, "to", 2 * windowMs + 60_000)));
    const checkpointsTo = await leases.checkpoints?.();
    const after = await server.stats();
    const peaks = children.map(({ pid }) => peakResidentBytes(pid));
    const repeated = checkRead(cell, mergedRuns(told.map(({ read }) => read)), before.records, after.records);
    const checkpointedShards = checkpointsFrom && checkMoved(cell, checkpointsFrom, checkpointsTo);
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    // Those that were read once more, because a lease changed hands, count for nothing, whenever that was.
    const records = sum(told.map((each) => each.records)) - repeated;
    const cpuSeconds = sum(told.map((each) => each.cpuSeconds));
    return {
      records,
      ...(repeated > 0 ? { repeated } : {}),
      ...(checkpointedShards === undefined ? {} : { checkpointedShards }),
      seconds: told[0].seconds,
      cpuSeconds,
      recordsPerCpuSecond: Math.round(records / cpuSeconds),
      recordsPerSecond: Math.round(
        sum(told.map((each) => each.records / each.seconds)) - repeated / told[0].seconds,
      ),
      residentBytes: sum(peaks),
      serverShare: (after.cpuSeconds - serverFrom.cpuSeconds) / (after.seconds - serverFrom.seconds),
      ...(told[0].heapBytes === undefined ? {} : { heapBytes: told[0].heapBytes }),
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await leases.end();
  }
}

/** A fleet at rest need not be even to the last shard: a process is there once it has read most of its share. */
function shardsOfEach({ shards }, processes) {
  return processes === 1 ? shards : Math.floor((0.8 * shards) / processes);
}

async function said(child, event, withinMs) {
  const line = await child.line(withinMs);
  const told = JSON.parse(line);
  if (told.event === "lost") throw new LostRecords(line);
  if (told.event !== event) throw new Error(`it said ${line}, where ${event} was due`);
  return told;
}

/** The most that it ever had; where the system does not tell, what it has at the window's end. */
function peakResidentBytes(pid) {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return residentBytes(pid);
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, "utf8"))[1]) * 1_024;
}

/** What the processes of a run have read, as if one had: the runs of a shard in the order of its records. */
export function mergedRuns(reads) {
  if (reads.length === 1) return reads[0];
  return reads.flat().sort((a, b) => a.start - b.start);
}

/**
 * Checkpoints were written meanwhile, of half the shards at least: of some a window on a busy machine may see none.
 * @param from, to what the lease table held at two moments, by shard
 * @returns of how many shards
 * @throws NoCheckpoints
 */
export function checkMoved({ shards }, from, to) {
  const moved = [...to].filter(([shardId, checkpoint]) => from.get(shardId) !== checkpoint).length;
  if (moved < shards / 2) throw new NoCheckpoints(`checkpoints of ${moved} of ${shards} shards moved`);
  return moved;
}

/**
 * Every record of every shard, from the first on, was read whole: their bytes add up, and the server has sent them, and
 * little more.
 * @param read runs of records without a gap: { shardId, start, records, sum }, those of a shard in the order of their reading
 * @returns how many were read more than once
 * @throws LostRecords
 */
export function checkRead({ recordBytes, size, shards }, read, sentBefore, sentAfter) {
  const sumOf = sumsOf(recordBytes, size);
  const ends = new Map();
  const counts = new Map();
  for (const { shardId, start, records, sum } of read) {
    const end = ends.get(shardId) ?? 0;
    if (start > end) throw new LostRecords(`${shardId}: ${start - end} records were not read from ${end} on`);
    if (sum !== sumOf(start + records) - sumOf(start)) {
      throw new LostRecords(`${shardId}: the bytes of its ${records} records from ${start} on are others`);
    }
    ends.set(shardId, Math.max(end, start + records));
    counts.set(shardId, (counts.get(shardId) ?? 0) + records);
  }
  if (ends.size !== shards) throw new LostRecords(`${ends.size} of ${shards} shards were read`);
  let repeated = 0;
  for (const [shardId, records] of counts) {
    const shard = Number(shardId.slice("shardId-".length));
    const sent = sentAfter[shard] - sentBefore[shard];
    repeated += records - ends.get(shardId);
    if (records > sent)
      throw new LostRecords(`${shardId}: ${records} records were counted, ${sent} were sent`);
    // A reader that lost its lease throws away what it had read ahead.
    const tenures = read.filter((run) => run.shardId === shardId).length;
    const most = Math.min(Math.max(answersAhead * size, recordsAhead), Math.floor(bytesAhead / recordBytes));
    const ahead = tenures * most;
    if (sent - records > ahead) {
      throw new LostRecords(`${shardId}: of ${sent} records only ${records} were counted`);
    }
  }
  return repeated;
}
