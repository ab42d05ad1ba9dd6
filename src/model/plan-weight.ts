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

/**
 * The weights that count: at least a tenth of the mean, because an idle lease may wake up and moving it costs as much;
 * unknown is the mean; where nothing is known or all are zero, leases are counted.
 * @param known what is known of each, NaN where nothing is; in the order of the keys, so that sums of doubles do not
 * depend on the order of the input
 */
export function weigh(known: Float64Array): Float64Array {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < known.length; i++) {
    const weight = known[i] ?? NaN;
    if (!isWeight(weight)) continue;
    sum += weight;
    count++;
  }
  if (sum === 0) return new Float64Array(known.length).fill(1);
  const mean = sum / count;
  const weights = new Float64Array(known.length);
  for (let i = 0; i < known.length; i++) {
    const weight = known[i] ?? NaN;
    weights[i] = isWeight(weight) ? Math.max(weight, mean / 10) : mean;
  }
  return weights;
}

function isWeight(weight: number): boolean {
  // A row is written by others: what is no load is as good as unknown.
  return Number.isFinite(weight) && weight >= 0;
}
