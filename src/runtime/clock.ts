import type { Reading } from "../model/reading.js";

/** Cancels a timer; harmless when it has fired or was cancelled. */
export type Cancel = () => void;

/** What a process takes of time from its host. Durations in milliseconds. */
export interface Clock {
  /** The three clocks now: what a deadline that must not be missed is computed of. */
  now(): Reading;
  /** The monotonic clock alone, for durations that cost nobody a lease: no system call, where the boot clock is a file. */
  monoMs(): number;
  /** The wall clock alone, for people. */
  wallMs(): number;
  /** Runs `fn` once after `ms`, at once below 0; a timer only wakes, deadlines are computed from readings at use. */
  setTimer(ms: number, fn: () => void): Cancel;
}

/** Resolves after `ms`, or as soon as the signal aborts (never rejects: the caller looks at the signal). */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimer(ms, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/** Resolves when the promise has settled or the time is up, whichever comes first; leaves no timer behind. */
export async function waitAtMost(clock: Clock, promise: Promise<unknown>, ms: number): Promise<void> {
  const over = new AbortController();
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([settled, sleep(clock, ms, over.signal)]);
  over.abort();
}

/** The wall time as ISO 8601, for rows that people read. */
export function wallTime(clock: Pick<Clock, "wallMs">): string {
  return isoTime(clock.wallMs());
}

/** A wall time in ms since 1970 as ISO 8601. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
