// What something costs: time on the clock, and the processor's time, which says the same on a machine that is busy with
// something else. It is of all threads of the process: with the collector's it is rather more than the clock shows.
import { nowMs } from "../../scripts/host-clock.mjs";

/** @returns what to call at the end */
export function begin() {
  const startedAt = nowMs();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMs: (user + system) / 1_000, wallMs: nowMs() - startedAt };
  };
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

export const slowest = (spent) => rounded(Math.max(...spent.map(({ cpuMs }) => cpuMs)));
