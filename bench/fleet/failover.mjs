// A worker ends, by a crash or in good order: how long until the last of its shards is read elsewhere.
import { nowMs } from "../../scripts/host-clock.mjs";

const failoverSeconds = 120;

/** SIGKILL of a worker that is, or is not, the planner. */
export async function failover({ standing, say, runs, times }, kind) {
  await standing.underTraffic(async () => {
    for (let run = 1; run <= times; run++) {
      await standing.whole();
      const victim = await standing.victim(({ isPlanner }) => isPlanner === (kind === "planner"));
      const { pid, gone } = standing.fleet.memberOf(victim.workerId);
      const ms = await readElsewhere(standing.fleet, victim, pid, "SIGKILL");
      await gone;
      runs[kind].push(ms);
      say(`SIGKILL of a ${kind} → last of ${victim.leases.size} shards read elsewhere: ${Math.round(ms)} ms`);
    }
  });
}

/** SIGKILL of a child; its supervisor goes on. */
export async function supervisedFailover({ standing, say, runs, times }) {
  await standing.underTraffic(async () => {
    for (let run = 1; run <= times; run++) {
      await standing.supervised();
      const victim = await standing.victim();
      const [lease] = victim.leases;
      const { pid } = standing.fleet.books.reader(lease);
      const ms = await readElsewhere(standing.fleet, victim, pid, "SIGKILL");
      runs.supervised.push(ms);
      say(
        `SIGKILL of a supervised worker → ${victim.leases.size} shards read elsewhere: ${Math.round(ms)} ms`,
      );
    }
  });
}

/** SIGTERM of a worker. @returns the records that were handed over twice for it */
export async function stop({ standing, say, runs, times }) {
  const { fleet } = standing;
  let twice = 0;
  await standing.underTraffic(async () => {
    for (let run = 1; run <= times; run++) {
      await standing.whole();
      const victim = await standing.victim();
      const { pid, gone } = fleet.memberOf(victim.workerId);
      const since = nowMs();
      const ms = await readElsewhere(fleet, victim, pid, "SIGTERM");
      await gone;
      runs.stop.push(ms);
      // Whatever came with the leases has been read by the time the fleet is whole again.
      await standing.whole();
      const repeats = fleet.books.repeats.filter(({ at }) => at >= since).length;
      twice += repeats;
      say(
        `SIGTERM → ${victim.leases.size} shards read elsewhere: ${Math.round(ms)} ms, ${repeats} records twice`,
      );
    }
  });
  return twice;
}

async function readElsewhere(fleet, { leases }, pid, signal) {
  const since = nowMs();
  process.kill(pid, signal);
  const readAt = await fleet.logged(
    `the ${leases.size} leases of process ${pid} read elsewhere`,
    failoverSeconds,
    (books) => books.lastFirstRead(leases, since, (reader) => reader !== pid),
  );
  return readAt - since;
}
