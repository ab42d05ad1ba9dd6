import type { Clock } from "../runtime/clock.js";

const togetherMs = 300;

/**
 * Lets calls through that come one at a time, and takes those that come together for one. A service manager signals every
 * process of a group at once, the parent passes the same stop on: the second is no demand to give up the last checkpoint.
 */
export function holdOff(clock: Clock, fn: () => void): () => void {
  let lastMs: number | undefined;
  return () => {
    const nowMs = clock.now().monoMs;
    const isEcho = lastMs !== undefined && nowMs - lastMs < togetherMs;
    lastMs = nowMs;
    if (!isEcho) fn();
  };
}
