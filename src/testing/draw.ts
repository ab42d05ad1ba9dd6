import type { Fault } from "./faults.js";
import type { SeededRandom } from "./seeded-random.js";

/** What faults are drawn for, and into. */
export interface Draw {
  readonly random: SeededRandom;
  readonly warmUpMs: number;
  readonly healMs: number;
  readonly machines: number;
  readonly leaseDurationMs: number;
  readonly faults: Fault[];
}

/** Short ones that change nothing, and ones longer than T. */
export function lasting(draw: Draw, fromMs: number, toMs: number): { atMs: number; forMs: number } {
  const forMs = Math.min(draw.random.between(fromMs, toMs), draw.healMs - draw.warmUpMs);
  return { atMs: draw.random.between(draw.warmUpMs, draw.healMs - forMs), forMs };
}

/** From `from` to `to` lease durations; mostly short ones, since little else shows beside one that lasts to the end. */
export function leases(draw: Draw, from: number, to: number): { atMs: number; forMs: number } {
  const { random, leaseDurationMs } = draw;
  const forMs = leaseDurationMs * from * (to / from) ** (random.next() ** 2);
  return lasting(draw, forMs, forMs);
}

export function instant(draw: Draw): number {
  return draw.random.between(draw.warmUpMs, draw.healMs);
}

export const worker = (draw: Draw): number => draw.random.integer(0, draw.machines - 1);

/** Some faults hit one worker's way to the store only. */
export function perhapsWorker(draw: Draw): { readonly worker?: number } {
  return draw.random.chance(0.3) ? { worker: worker(draw) } : {};
}

export function drawOutage(draw: Draw, only: { readonly worker?: number } = {}): void {
  const { random } = draw;
  draw.faults.push({
    kind: "store-outage",
    ...leases(draw, 0.5, 10),
    of: random.pick(["reads", "writes", "all", "all"] as const),
    how: random.pick(["silent", "refusing"] as const),
    ...only,
  });
}

/** Whoever dies or leaves is followed by a new process, sooner or later. */
export function follow(draw: Draw, who: number, afterMs: number): void {
  const atMs = Math.min(draw.healMs, afterMs + draw.random.between(500, 20_000));
  draw.faults.push({ kind: "start", worker: who, atMs });
}
