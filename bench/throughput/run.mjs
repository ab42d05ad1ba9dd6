// One run of one subject against a canned stream: its figures over the window, and whether it read what was there.
import { existsSync, readFileSync } from "node:fs";
import { residentBytes } from "../fleet/memory.mjs";
import { sumsOf } from "./canned/records.mjs";
import { Child } from "./child.mjs";

/** A new application of the KCL takes a minute and a half to its first record, and longer to its last shard. */
const startWithinMs = 300_000;
/** Of a shard, this many answers may be under way or read ahead, and this many records: what is missing beyond was lost. */
const answersAhead = 8;
const recordsAhead = 60_000;

/** A subject has lost or skipped records, or got others than were sent. */
export class LostRecords extends Error {}

/** @returns {Promise<object>} records, seconds, cpuSeconds, the rates of them, residentBytes and serverShare */
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
    BENCH_SHARDS: String(Math.floor(cell.shards / processes)),
    BENCH_WARM_UP_MS: String(subject.warmUpMs),
    BENCH_WINDOW_MS: String(windowMs),
  };
  const children = Array.from({ length: processes }, () => new Child(subject.command, subject.args, env));
  try {
    await Promise.all(children.map((child) => said(child, "from", startWithinMs + subject.warmUpMs)));
    const serverFrom = await server.stats();
    const told = await Promise.all(children.map((child) => said(child, "to", 2 * windowMs + 60_000)));
    const after = await server.stats();
    const peaks = children.map(({ pid }) => peakResidentBytes(pid));
    // Shards that go from one process to another are no whole of anybody's.
    const repeated =
      processes === 1 ? checkRead(cell, told[0].read, before.records, after.records) : undefined;
    const sum = (values) => values.reduce((total, value) => total + value, 0);
    const records = sum(told.map((each) => each.records));
    const cpuSeconds = sum(told.map((each) => each.cpuSeconds));
    return {
      records,
      // Some of them once more, because a lease was lost and taken again: on a machine that others keep busy.
      ...(repeated > 0 ? { repeated } : {}),
      seconds: told[0].seconds,
      cpuSeconds,
      recordsPerCpuSecond: Math.round(records / cpuSeconds),
      recordsPerSecond: Math.round(sum(told.map((each) => each.records / each.seconds))),
      residentBytes: sum(peaks),
      serverShare: (after.cpuSeconds - serverFrom.cpuSeconds) / (after.seconds - serverFrom.seconds),
      ...(told[0].heapBytes === undefined ? {} : { heapBytes: told[0].heapBytes }),
    };
  } finally {
    await Promise.all(children.map((child) => child.end()));
    await leases.end();
  }
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
    const ahead = tenures * Math.max(answersAhead * size, recordsAhead);
    if (sent - records > ahead) {
      throw new LostRecords(`${shardId}: of ${sent} records only ${records} were counted`);
    }
  }
  return repeated;
}
