// The processor of every measured worker: says in a file, one JSON line each, what it was handed and when. Appended
// synchronously, so that what was processed before a SIGKILL stands there.
import { appendFileSync } from "node:fs";

const file = process.env.LEASEHOLD_BENCH_LOG;
if (file === undefined)
  throw new Error("LEASEHOLD_BENCH_LOG is not set: it names the file that the handler writes to");

const say = (what, lease, more = {}) => {
  const line = {
    what,
    at: Date.now(),
    pid: process.pid,
    lease: lease.leaseKey,
    token: lease.fencingToken,
    ...more,
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
};

export default {
  initialize(lease) {
    say("begin", lease);
  },
  process(batch, lease) {
    say("batch", lease, { records: batch.records.map((record) => record.sequenceNumber) });
  },
  async partitionEnded(end, lease) {
    await end.checkpoint();
    say("ended", lease, { children: end.children });
  },
  stopRequested(stop, lease) {
    say("stop", lease, { reason: stop.reason });
  },
};
