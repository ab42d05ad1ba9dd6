// The handler of every worker of a chaos run: works records the way a careful user does, and has all of it written down.
import { setTimeout as sleep } from "node:timers/promises";
import { refusedByStore, Sink } from "../fenced-sink.mjs";
import { nowMs } from "../host-clock.mjs";
import { Probe } from "./probe.mjs";

if (process.env.LEASEHOLD_CHAOS === undefined) {
  throw new Error(
    "LEASEHOLD_CHAOS is not set: it tells the handler what run it belongs to; start it by npm run chaos",
  );
}
const settings = JSON.parse(process.env.LEASEHOLD_CHAOS);
/** Most records are short work; some last, so that there is work under way whenever the process is stopped or killed. */
const shortMs = 40;
const longMs = 250;
const longEvery = 25;
/** From the last check to the sink: whoever is stopped in between for too long comes too late, and only the token knows. */
const toSinkMs = 150;
/** Some batches are checkpointed at once; the others when the worker finds it is time. */
const checkpointEvery = 3;
const ownerEveryMs = 1_000;

/** Whatever ended the run: no worker goes on without it, nor a supervisor that would start others. */
function endWithOwner(isSupervised) {
  const parent = process.ppid;
  setInterval(() => {
    try {
      process.kill(settings.owner, 0);
    } catch {
      if (isSupervised && process.ppid === parent) process.kill(parent, "SIGTERM");
      process.exit(1);
    }
  }, ownerEveryMs).unref();
}

export default (context) => {
  const probe = new Probe(settings, context.workerId);
  probe.listen();
  endWithOwner(process.send !== undefined);
  // Past the bad weather: a worker that is cut off from its leases and not from its sink is the one that does harm.
  const sink = new Sink({ endpoint: settings.sink });
  let batches = 0;

  const work = async (record, lease) => {
    const id = Buffer.from(record.data).toString();
    const from = nowMs();
    const done = () => probe.note("record", lease, { from, record: record.sequenceNumber, id });
    const number = Number(id.slice(1));
    // Both are what a user calls before a side effect.
    if (number % 2 === 0) {
      lease.assertHeld();
      done();
    } else {
      await lease.guard(0, done);
    }
    await sleep(number % longEvery === 0 ? longMs : shortMs);
  };

  const write = async (batch, lease) => {
    await sleep(toSinkMs);
    try {
      await sink.write(lease);
    } catch (error) {
      if (error.name !== refusedByStore) throw error;
      probe.note("refused", lease, { write: "sink", code: error.name });
      // Deposed. A careless user would checkpoint all the same: that must be refused too.
      const isAccepted = await batch.checkpoint().then(
        () => true,
        () => false,
      );
      if (isAccepted) probe.note("late-checkpoint", lease);
      throw error;
    }
  };

  return {
    initialize(lease) {
      probe.given(lease);
    },
    async process(batch, lease) {
      probe.asked(lease);
      for (const record of batch.records) await work(record, lease);
      if (batch.records.length === 0) return;
      await write(batch, lease);
      if (++batches % checkpointEvery === 0) await batch.checkpoint();
    },
    leaseLost(_, lease) {
      probe.lost(lease);
    },
    stopRequested(_, lease) {
      probe.lost(lease);
    },
    async partitionEnded(end, lease) {
      await end.checkpoint();
      probe.lost(lease);
    },
  };
};
