// What the KCL and its JVM are told beside their own defaults: what a user would change who sees how they fare.

const manyShards = 32;
const hasMany = ({ shards }) => shards >= manyShards;

/**
 * How long without a renewal a lease counts as lost: the KCL's own 10 s, and more where there are many shards, as its
 * documentation advises. There a JVM at full load on two cores renews some too late, and its worker then waits for its
 * leader to give them back.
 */
export const failoverMs = (cell) => (hasMany(cell) ? 60_000 : 10_000);

/**
 * How much of the machine's memory the heap may be, in percent. The JVM's own quarter is not enough for the answers that the
 * KCL reads ahead of 64 shards: its collector then takes two thirds of the CPU.
 */
export const heapPercent = (cell) => (hasMany(cell) ? 50 : 25);
