// A new application: its first worker, and the second one.
import { Fleet } from "./fleet.mjs";
import { Stream } from "./stream.mjs";

const shards = 64;
const recordEveryMs = 2_000;

/**
 * A new application reads its stream from the oldest record on: each has one that nothing was put into before. The first
 * one is not measured: it warms the emulators up, which answer several times slower when they are asked for the first time.
 */
export const startStream = (run) => `start-${run}`;
export const startStreams = (times) => Array.from({ length: times + 1 }, (_, run) => startStream(run));

/** @param wants which of `start` and `join` are measured: each join needs a start before it */
export async function startAndJoin({ rig, say, runs, times }, wants) {
  for (let run = 0; run <= times; run++) {
    const stream = new Stream(rig, startStream(run));
    const fleet = new Fleet(rig, {
      application: `new-${run}`,
      source: ["--stream", stream.name, "--empty-batches"],
      leases: shards,
    });
    try {
      await stream.produce(recordEveryMs);
      const first = fleet.start();
      const readAt = await fleet.logged("the first record", 60, (books) => books.firstRecords.get(first.pid));
      const isMeasured = run > 0;
      if (!isMeasured)
        say(`the emulators are warm: ${Math.round(readAt - first.startedAt)} ms, which do not count`);
      if (isMeasured && wants.includes("start")) {
        runs.start.push(readAt - first.startedAt);
        say(`start → first record: ${Math.round(runs.start.at(-1))} ms`);
      }
      if (isMeasured && wants.includes("join")) {
        await fleet.settled(1);
        runs.join.push(await joinOf(fleet, say));
      }
      await stream.rest();
    } finally {
      stream.close();
      // Nobody goes on with it: it need not leave in good order.
      await fleet.kill();
      await fleet.close();
    }
  }
}

async function joinOf(fleet, say) {
  const newcomer = fleet.start();
  const placement = await fleet.settled(2);
  const { leases } = placement.find(({ workerId }) => fleet.memberOf(workerId) === newcomer);
  const readAt = fleet.books.lastFirstRead(leases, newcomer.startedAt, (pid) => pid === newcomer.pid);
  const ms = readAt - newcomer.startedAt;
  say(`join → ${leases.size} shards read by the newcomer: ${Math.round(ms)} ms`);
  return ms;
}
