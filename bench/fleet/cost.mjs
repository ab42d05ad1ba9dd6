// What a fleet of two costs while nothing happens, and whether anything moves.
import { setTimeout as sleep } from "node:timers/promises";
import { startFaultProxy } from "../../dist/testing/index.js";
import { nowMs } from "../../scripts/host-clock.mjs";
import { Fleet } from "./fleet.mjs";
import { Stream } from "./stream.mjs";

const workers = 2;
const recordEveryMs = 2_000;
/** After it has settled a fleet still collects rows and answers mail. */
const restMs = 10_000;

/**
 * @param options.source what is shared; even traffic comes in where it is a stream
 * @param options.meanwhile runs while it is measured
 * @returns {Promise<{ wcuPerMinute: number, rcuPerMinute: number, moves: number, measuredMs: number }>}
 */
export async function cost({ rig, say }, { leases, stream: name, measureMs, meanwhile = () => {} }) {
  const proxy = await startFaultProxy({ target: rig.dynamodbEndpoint, countCapacity: true });
  const fleet = new Fleet(rig, {
    application: `even-${leases}`,
    source: [
      ...(name === undefined ? ["--partitions", String(leases)] : ["--stream", name]),
      ...["--checkpointing", "explicit"],
    ],
    leases,
    dynamodbEndpoint: proxy.endpoint,
  });
  const stream = name === undefined ? undefined : new Stream(rig, name);
  try {
    await stream?.produce(recordEveryMs);
    for (let i = 0; i < workers; i++) fleet.start();
    await fleet.settled(workers);
    await sleep(restMs);
    proxy.resetCounts();
    const from = nowMs();
    const before = await epochs(fleet);
    const other = Promise.resolve(meanwhile());
    // Its failure is told after the window has ended.
    other.catch(() => {});
    await sleep(measureMs);
    const to = nowMs();
    const units = [...proxy.counts].map(([operation, counts]) => ({ operation, ...unitsOf(counts) }));
    const after = await epochs(fleet);
    await other;
    await stream?.rest();
    const moves = [...after].reduce((sum, [lease, epoch]) => sum + epoch - (before.get(lease) ?? 0), 0);
    const perMinute = (kind) => {
      const sum = units.reduce((total, { [kind]: some }) => total + some, 0);
      return Math.round((sum / (to - from)) * 60_000 * 10) / 10;
    };
    const result = {
      wcuPerMinute: perMinute("write"),
      rcuPerMinute: perMinute("read"),
      moves,
      measuredMs: Math.round(to - from),
    };
    const byOperation = Object.fromEntries(
      units.map(({ operation, read, write }) => [operation, read + write]),
    );
    say(
      `${leases} leases, ${workers} workers, ${Math.round(measureMs / 1_000)} s: ${result.wcuPerMinute} WCU and ` +
        `${result.rcuPerMinute} RCU a minute, ${moves} changes of owner; units by operation: ${JSON.stringify(byOperation)}`,
    );
    return result;
  } finally {
    await stream?.rest().catch(() => {});
    stream?.close();
    await fleet.kill();
    await fleet.close();
    await proxy.stop();
  }
}

/** A refused condition costs a write; the store's answer does not say so. */
function unitsOf({ readUnits, writeUnits, refused }) {
  return { read: readUnits, write: writeUnits + refused };
}

/** Every change of owner raises a lease's epoch by one. */
async function epochs(fleet) {
  const { leases } = await fleet.status();
  return new Map(leases.map(({ leaseKey, epoch }) => [leaseKey, epoch]));
}
