/**
 * What a lease weighs at least, in KB a second. An idle shard is polled and beaten for all the same; and what a row says of
 * a shard that went quiet is as old as its last checkpoint: measured at another moment, such leftovers differ by far more
 * than the work they stand for.
 */
const leastKBps = 1;

/** The weight that a plan counts a lease with, from the throughput in its row; undefined where that says nothing. */
export function planWeight(throughputKBps: number | undefined): number | undefined {
  // A row is written by others: what is no load is as good as unknown.
  if (throughputKBps === undefined || !(throughputKBps >= 0)) return undefined;
  return Math.max(throughputKBps, leastKBps);
}
