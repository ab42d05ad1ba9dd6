/** Which hashes of partition keys go to a partition: decimal integers, both ends included. Absent where nothing is hashed. */
export interface HashRange {
  readonly startingHashKey?: string;
  readonly endingHashKey?: string;
}

/** The end of Kinesis's range of hashes (MD5). */
const lastHash = 2n ** 128n - 1n;

/**
 * The first stretch of 0 … 2^128 − 1 that no range covers, for a message; undefined when there is none, or when none of
 * the ranges has hashes at all. Ranges may overlap. No ranges leave everything open.
 */
export function firstHole(ranges: readonly HashRange[]): string | undefined {
  const hashed = ranges.flatMap(({ startingHashKey, endingHashKey }) =>
    startingHashKey === undefined || endingHashKey === undefined
      ? []
      : [{ from: BigInt(startingHashKey), to: BigInt(endingHashKey) }],
  );
  if (hashed.length === 0 && ranges.length > 0) return undefined;
  hashed.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  let next = 0n;
  for (const { from, to } of hashed) {
    if (from > next) return `hashes ${String(next)} to ${String(from - 1n)}`;
    if (to >= next) next = to + 1n;
  }
  return next > lastHash ? undefined : `hashes ${String(next)} to ${String(lastHash)}`;
}
