// What is measured: the sizes of a fleet, and what happens to it.

/** Ten times the leases on ten times the workers, a hundred each: growth shows between two neighbours. */
export const sizes = [
  { leases: 1_000, workers: 10 },
  { leases: 10_000, workers: 100 },
  { leases: 100_000, workers: 1_000 },
];

/** One worker joins, one dies, nothing happens. */
export const cases = ["join", "death", "steady"];

/** A round is a second: each lease is checkpointed once in ten of them. */
export const checkpointRounds = 10;

/** From the event on: scans of the planner's, a reconcile, and what a join or a death brings with it. */
export const measuredRounds = 40;
