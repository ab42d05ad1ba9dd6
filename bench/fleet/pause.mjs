// A worker is frozen for longer than its lease, with work under way and records coming in, and wakes.
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "./clock.mjs";
import { until } from "./wait.mjs";

const pauseMs = 20_000;
/** What a frozen call of the handler has still to do when it wakes: it then writes its checkpoint too late. */
const workMs = 500;
const freshMs = 100;
const wakeSeconds = 60;

/** @returns {Promise<{ refusedWrites: number, lost: number, rejoined: boolean }>} */
export async function pause({ standing, say }) {
  const { fleet } = standing;
  const placement = await standing.whole();
  const leaver = fleet.memberOf(placement[0].workerId);
  leaver.child.kill("SIGTERM");
  await leaver.gone;
  const member = fleet.start({ workMs });
  try {
    return await standing.underTraffic(() => frozen(standing, member, say));
  } finally {
    // The scenarios after this one want a worker that does not linger. Frozen, it would not even hear of its end.
    member.child.kill("SIGCONT");
    member.child.kill("SIGTERM");
    await member.gone;
  }
}

async function frozen(standing, member, say) {
  const { fleet, stream } = standing;
  await standing.whole();
  const victim = await standing.victim(({ workerId }) => fleet.memberOf(workerId) === member);
  await fleet.logged(
    "work under way",
    30,
    (books) => nowMs() - (books.lastRecords.get(member.pid) ?? 0) < freshMs,
  );
  const stoppedAt = nowMs();
  member.child.kill("SIGSTOP");
  await sleep(pauseMs);
  member.child.kill("SIGCONT");
  const wokenAt = nowMs();
  const rejoinedAs = await rejoined(fleet, member, victim);
  await stream.rest();
  const { books } = fleet;
  const due = stream.produced.filter(({ at }) => at >= stoppedAt);
  const missing = () => due.filter(({ lease, record }) => !books.wasRead(lease, record)).length;
  // Not to be told from lost: what nobody has read a lease and more after it came in.
  await fleet.logged("every record read", wakeSeconds, () => missing() === 0).catch(() => {});
  const refusedWrites = books.refusals.filter(({ pid, at }) => pid === member.pid && at >= wokenAt).length;
  const result = { refusedWrites, lost: missing(), rejoined: rejoinedAs !== undefined };
  say(
    `frozen for ${pauseMs / 1_000} s with ${victim.leases.size} shards: ${refusedWrites} late checkpoints refused, ` +
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
