// The handler of every measured worker: says in a file, one JSON line each, what it was handed and when. Written
// synchronously, so that what was read before a SIGKILL stands there.
import { openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../../scripts/host-clock.mjs";

const file = process.env.LEASEHOLD_BENCH_LOG;
if (file === undefined) {
  throw new Error("LEASEHOLD_BENCH_LOG is not set: it names the file that the handler writes to");
}
const log = openSync(file, "a");
/** How long the work on a batch of records takes. With some, work is under way whenever the process is frozen. */
const workMs = Number(process.env.LEASEHOLD_BENCH_WORK_MS ?? 0);
/** Where the work goes. Not even loaded without work: what is measured then is the worker alone. */
const { Sink, refusedByStore } = workMs === 0 ? {} : await import("../../scripts/fenced-sink.mjs");
const sink = Sink && new Sink();

export default (context) => {
  /** Tenures whose first read has been told of, by lease. */
  const told = new Map();

  const say = (what, lease, more = {}) => {
    const { leaseKey, fencingToken: token } = lease;
    const line = {
      what,
      at: nowMs(),
      pid: process.pid,
      worker: context.workerId,
      lease: leaseKey,
      token,
      ...more,
    };
    writeSync(log, `${JSON.stringify(line)}\n`);
  };

  const checkpoint = async (batch, lease) => {
    try {
      await batch.checkpoint();
    } catch (error) {
      say("refused", lease, { write: "checkpoint", code: error.code ?? error.name });
      throw error;
    }
  };

  return {
    async process(batch, lease) {
      if (told.get(lease.leaseKey) !== lease.fencingToken) {
        told.set(lease.leaseKey, lease.fencingToken);
        say("read", lease);
      }
      if (batch.records.length === 0) return;
      const records = batch.records.map((record) => record.sequenceNumber);
      say("records", lease, { records });
      if (sink === undefined) return;
      await sleep(workMs);
      try {
        await sink.write(lease);
        say("done", lease, { records });
      } catch (error) {
        say("refused", lease, { write: "sink", code: error.name });
        // Deposed: its checkpoint, tried all the same, must be refused too. Another failure leaves the work undone.
        if (error.name === refusedByStore) await checkpoint(batch, lease);
        throw error;
      }
      await checkpoint(batch, lease);
    },
    async partitionEnded(end, lease) {
      say("ended", lease, { children: end.children });
      await end.checkpoint();
    },
  };
};
