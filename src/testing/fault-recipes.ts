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
function lasting(draw: Draw, fromMs: number, toMs: number): { atMs: number; forMs: number } {
  const forMs = Math.min(draw.random.between(fromMs, toMs), draw.healMs - draw.warmUpMs);
  return { atMs: draw.random.between(draw.warmUpMs, draw.healMs - forMs), forMs };
}

/** From `from` to `to` lease durations, short ones as likely as long ones: what matters is on which side of T it ends. */
function leases(draw: Draw, from: number, to: number): { atMs: number; forMs: number } {
  const { random, leaseDurationMs } = draw;
  const forMs = leaseDurationMs * from * (to / from) ** random.next();
  return lasting(draw, forMs, forMs);
}

function instant(draw: Draw, beforeHealMs = 0): number {
  return draw.random.between(draw.warmUpMs, draw.healMs - beforeHealMs);
}

const worker = (draw: Draw): number => draw.random.integer(0, draw.machines - 1);

/** Some faults hit one worker's way to the store only. */
function perhapsWorker(draw: Draw): { readonly worker?: number } {
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
function follow(draw: Draw, worker: number, afterMs: number): void {
  const atMs = Math.min(draw.healMs, afterMs + draw.random.between(500, 20_000));
  draw.faults.push({ kind: "start", worker, atMs });
}

/** Leases change hands all the time while answers are lost: what is begun or given up twice shows here. */
export function drawRolling(draw: Draw): void {
  const { random, warmUpMs, healMs, faults } = draw;
  faults.push({
    kind: "store-lossy",
    atMs: warmUpMs,
    forMs: healMs - warmUpMs,
    lostRequests: random.between(0, 0.1),
    lostAnswers: random.between(0.1, 0.4),
    duplicates: random.between(0, 0.2),
    delayed: random.between(0, 0.15),
  });
  for (let atMs = warmUpMs; atMs < healMs; atMs += random.between(2_000, 8_000)) {
    const who = worker(draw);
    faults.push({ kind: random.chance(0.8) ? "stop" : "crash", worker: who, atMs });
    faults.push({ kind: "start", worker: who, atMs: Math.min(healMs, atMs + random.between(500, 6_000)) });
    if (!random.chance(0.3)) continue;
    const forMs = Math.min(healMs - atMs, random.between(500, 15_000));
    faults.push({ kind: "pause", worker: worker(draw), atMs, forMs });
  }
  // A start finds the slot taken while its last process is still stopping: whoever is missing by now starts for sure.
  for (let who = 0; who < draw.machines; who++) faults.push({ kind: "start", worker: who, atMs: healMs });
}

/** One of these is drawn for each fault; what is to be frequent stands here more than once. */
export const recipes: readonly ((draw: Draw) => void)[] = [
  crash,
  crash,
  (draw) => {
    draw.faults.push({ kind: "pause", worker: worker(draw), ...lasting(draw, 1_000, 25_000) });
  },
  (draw) => {
    draw.faults.push({ kind: "pause", worker: worker(draw), ...lasting(draw, 1_000, 25_000) });
  },
  (draw) => {
    draw.faults.push({ kind: "suspend", worker: worker(draw), ...lasting(draw, 1_000, 25_000) });
  },
  stop,
  stop,
  (draw) => {
    const byMs = draw.random.pick([-3_600_000, -20_000, -1_000, 1_000, 20_000, 3_600_000]);
    draw.faults.push({ kind: "wall-jump", worker: worker(draw), atMs: instant(draw), byMs });
  },
  (draw) => {
    drawOutage(draw, { worker: worker(draw) });
  },
  (draw) => {
    const factor = draw.random.between(5, 200);
    draw.faults.push({ kind: "store-slow", ...lasting(draw, 2_000, 20_000), factor, ...perhapsWorker(draw) });
  },
  lossy,
  lossy,
  (draw) => {
    const share = draw.random.between(0.1, 0.6);
    draw.faults.push({
      kind: "store-throttled",
      ...lasting(draw, 2_000, 20_000),
      share,
      ...perhapsWorker(draw),
    });
  },
  (draw) => {
    const upToMs = draw.random.between(500, 10_000);
    draw.faults.push({
      kind: "stale-reads",
      ...lasting(draw, 5_000, 30_000),
      upToMs,
      ...perhapsWorker(draw),
    });
  },
  (draw) => {
    draw.faults.push({ kind: "stream-outage", ...lasting(draw, 1_000, 20_000) });
  },
  split,
  split,
  (draw) => {
    draw.faults.push({ kind: "trim", atMs: instant(draw) });
  },
  (draw) => {
    draw.faults.push({ kind: "merge", atMs: instant(draw), pick: draw.random.next() });
  },
  (draw) => {
    draw.faults.push({ kind: "stuck-processor", worker: worker(draw), ...lasting(draw, 5_000, 30_000) });
  },
  (draw) => {
    const share = draw.random.between(0.1, 0.9);
    draw.faults.push({
      kind: "failing-processor",
      worker: worker(draw),
      ...lasting(draw, 2_000, 20_000),
      share,
    });
  },
  forcedFence,
  forcedFence,
];

function forcedFence(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "forced-fence", worker: who, atMs });
  // Most telling where the fenced one does not read it in time.
  if (!draw.random.chance(0.5)) return;
  const pausedAtMs = Math.min(draw.healMs, atMs + draw.random.between(0, 500));
  const forMs = Math.min(draw.healMs - pausedAtMs, draw.random.between(500, 15_000));
  draw.faults.push({ kind: "pause", worker: who, atMs: pausedAtMs, forMs });
}

function crash(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "crash", worker: who, atMs });
  follow(draw, who, atMs);
}

function stop(draw: Draw): void {
  const who = worker(draw);
  const atMs = instant(draw);
  draw.faults.push({ kind: "stop", worker: who, atMs });
  follow(draw, who, atMs);
}

function lossy(draw: Draw): void {
  const { random } = draw;
  draw.faults.push({
    kind: "store-lossy",
    ...lasting(draw, 2_000, 30_000),
    lostRequests: random.between(0, 0.3),
    lostAnswers: random.between(0, 0.3),
    duplicates: random.between(0, 0.3),
    delayed: random.between(0, 0.2),
    ...perhapsWorker(draw),
  });
}

function split(draw: Draw): void {
  draw.faults.push({ kind: "split", atMs: instant(draw), pick: draw.random.next() });
}
