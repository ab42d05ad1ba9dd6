/**
 * One look at a machine's three clocks, in milliseconds. Readings of two machines are never compared.
 *
 * Linux's monotonic clock stands still while the machine is suspended; the boot clock does not; the wall clock may jump.
 * Which of them counts depends on what a mistake would cost, so the two questions below use different ones.
 */
export interface Reading {
  readonly monoMs: number;
  readonly bootMs: number;
  readonly wallMs: number;
}

/**
 * How long ago `from` was, for somebody who HOLDS something until a deadline: the longest of the three, so that a
 * suspend or a forward jump of the wall clock can only end a belief early (protocol, "Local time").
 */
export function holderElapsedMs(from: Reading, to: Reading): number {
  return Math.max(to.monoMs - from.monoMs, to.bootMs - from.bootMs, to.wallMs - from.wallMs);
}

/**
 * How long ago `from` was, for somebody who WAITS for another to fall silent: the shorter of monotonic and wall time,
 * so that no jump can make a death come early. Negative when a clock went back: the observation must start over.
 */
export function observerElapsedMs(from: Reading, to: Reading): number {
  return Math.min(to.monoMs - from.monoMs, to.wallMs - from.wallMs);
}

/** Adds a duration to a reading: the instant `ms` after it on all three clocks. */
export function readingAfter(from: Reading, ms: number): Reading {
  return { monoMs: from.monoMs + ms, bootMs: from.bootMs + ms, wallMs: from.wallMs + ms };
}
