// What something costs: time on the clock, and the processor's time, which says the same on a machine that is busy with
// something else. It is of all threads of the process: with the collector's it is rather more than the clock shows. What
// the event loop's own thread had of it says how long nothing else could be done.
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as rest } from "node:timers/promises";
import { nowMs } from "../../scripts/host-clock.mjs";

/** Linux tells each thread's time; elsewhere that of all stands for it, which is more. */
const ownThread = `/proc/self/task/${process.pid}/schedstat`;
const isTold = existsSync(ownThread);

function heldNowMs() {
  if (isTold) return Number(readFileSync(ownThread, "utf8").split(" ")[0]) / 1e6;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** @returns what to call at the end */
export function begin() {
  const startedAt = nowMs();
  const heldBefore = heldNowMs();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1_000, heldMs: heldNowMs() - heldBefore, wallMs: nowMs() - startedAt };
  };
}

/**
 * Has everything collected, and waits until it is: other threads sweep on after the call has returned, and what they sweep
 * is from before what is measured. Needs `--expose-gc`.
 */
export async function collect() {
  globalThis.gc();
  for (;;) {
    const stop = begin();
    await rest(20);
    if (stop().cpuMs < 1) return;
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Two digits after the point say enough of a millisecond. */
export const rounded = (ms) => Math.round(ms * 100) / 100;

/** Of many: the median of each. */
export const typical = (spent) => ({
  cpuMs: rounded(median(spent.map(({ cpuMs }) => cpuMs))),
  wallMs: rounded(median(spent.map(({ wallMs }) => wallMs))),
});

export const slowest = (spent) => ({
  cpuMs: rounded(Math.max(...spent.map(({ cpuMs }) => cpuMs))),
  heldMs: rounded(Math.max(...spent.map(({ heldMs }) => heldMs))),
});

export const mean = (spent) => rounded(spent.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / spent.length);
