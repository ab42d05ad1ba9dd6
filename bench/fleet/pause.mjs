// A worker is frozen for longer than its lease, with work under way and records coming in, and wakes.
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../../scripts/host-clock.mjs";
import { createSink, refusedByStore } from "../../scripts/fenced-sink.mjs";
import { until } from "./wait.mjs";

const pauseMs = 20_000;
/** What a frozen call of the handler has still to do when it wakes: it then writes too late. */
const workMs = 500;
const freshMs = 100;
/** Of so many shards at least. */
const underWay = 4;
const wakeSeconds = 60;

/**
 * `refusedWrites` went out and were refused by the store; `refusedCheckpoints` the worker may have refused without asking it.
 * @returns {Promise<{ refusedWrites: number, refusedCheckpoints: number, lost: number, rejoined: boolean }>}
 */
export async function pause({ rig, standing, say }) {
  const client = rig.dynamodb();
  try {
    await createSink(client);
  } finally {
    client.destroy();
  }
  // Every worker writes to the sink: what a successor has written is what makes the sleeper's write late.
  return standing.working(workMs, async () => {
    await standing.whole();
    const beganAt = nowMs();
    return standing.underTraffic(() => frozen(standing, beganAt, say));
  });
}

async function frozen(standing, beganAt, say) {
  const { fleet, stream } = standing;
  const victim = await standing.victim(({ isPlanner }) => !isPlanner);
  const member = fleet.memberOf(victim.workerId);
  await fleet.logged(
    "work under way",
    30,
    (books) =>
      books.working(member.pid).size >= underWay &&
      nowMs() - (books.lastRecords.get(member.pid) ?? 0) < freshMs,
  );
  const stoppedAt = nowMs();
  member.child.kill("SIGSTOP");
  try {
    await sleep(pauseMs);
  } finally {
    member.child.kill("SIGCONT");
  }
  const wokenAt = nowMs();
  const rejoinedAs = await rejoined(fleet, member, victim);
  await stream.rest();
  const { books } = fleet;
  const due = stream.produced.filter(({ at }) => at >= beganAt);
  const missing = () => due.filter(({ lease, record }) => !books.wasDone(lease, record)).length;
  // Not to be told from lost: what nobody has done a lease and more after it came in.
  await fleet.logged("every record done", wakeSeconds, () => missing() === 0).catch(() => {});
  const late = books.refusals.filter(({ pid, at }) => pid === member.pid && at >= wokenAt);
  const result = {
    refusedWrites: late.filter(({ write, code }) => write === "sink" && code === refusedByStore).length,
    refusedCheckpoints: late.filter(({ write }) => write === "checkpoint").length,
    lost: missing(),
    rejoined: rejoinedAs !== undefined,
  };
  const readAt = books.lastFirstRead(victim.leases, stoppedAt, (pid) => pid !== member.pid);
  const after = readAt === undefined ? "never" : `${Math.round(readAt - stoppedAt)} ms`;
  say(
    `frozen for ${pauseMs / 1_000} s with ${victim.leases.size} shards (the last read elsewhere: ${after}): ` +
      `${result.refusedWrites} late writes refused by the store and ${result.refusedCheckpoints} checkpoints, ` +
      `${result.lost} of ${due.length} records lost, ${victim.workerId} came back as ${rejoinedAs ?? "nobody"}`,
  );
  return result;
}

/** The id under which the same process works leases again; undefined if it never does. */
async function rejoined(fleet, member, victim) {
  try {
    return await until(
      "the frozen worker's return",
      wakeSeconds,
      async () => {
        const { workers } = await fleet.status();
        return workers.find(
          ({ workerId, state, leases }) =>
            workerId !== victim.workerId &&
            fleet.memberOf(workerId) === member &&
            state === "live" &&
            leases > 0,
        )?.workerId;
      },
      250,
    );
  } catch {
    return undefined;
  }
}
