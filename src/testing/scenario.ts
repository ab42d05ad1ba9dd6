import {
  resolveProtocol,
  clockRateBound,
  type ProtocolConfig,
  type ProtocolOptions,
} from "../model/config.js";
import { faultEndMs, type Fault } from "./faults.js";
import { seededRandom, type SeededRandom } from "./seeded-random.js";
import type { Conditions } from "./simulated-network.js";

/** One machine of the fleet: its clock, and when its first process starts. */
export interface MachineScenario {
  readonly rate: number;
  readonly wallOffsetMs: number;
  readonly startMs: number;
}

/** A whole simulation as a value: the same scenario runs the same way. */
export interface Scenario {
  /** Decides all that is drawn while it runs: latencies, losses, jitter, places of records. */
  readonly seed: string;
  readonly machines: readonly MachineScenario[];
  readonly shards: number;
  readonly protocol: ProtocolOptions;
  readonly conditions: Partial<Conditions>;
  /** A record is put about this often, ms. */
  readonly putEveryMs: number;
  /** Work on a batch takes this long, ms. */
  readonly workMs: readonly [number, number];
  readonly faults: readonly Fault[];
  /** Producers stop. */
  readonly produceUntilMs: number;
  /** The end, ms. */
  readonly runMs: number;
}

/** `any`: whatever the seed has. `rolling`: workers stop, die and start all the time, and many answers are lost. */
export const themes = ["any", "rolling"] as const;
export type Theme = (typeof themes)[number];

export interface ScenarioShape {
  /** Default `any`. */
  readonly theme?: Theme;
  readonly machines?: readonly [number, number];
  readonly shards?: readonly [number, number];
  readonly faults?: readonly [number, number];
  /** Faults begin from here on, ms. */
  readonly warmUpMs?: number;
  /** All faults are over by then, ms. */
  readonly healMs?: number;
  readonly runMs?: number;
}

/** From when on nothing goes wrong any more, ms. */
export function healedAtMs(scenario: Scenario): number {
  return Math.max(
    0,
    ...scenario.machines.map((machine) => machine.startMs),
    ...scenario.faults.map(faultEndMs),
  );
}

/**
 * How long after healing every lease must have an owner, by the protocol (L1): T from the last beat of who died, T again
 * where the observers had died with it, the polls between, and the writes. A worker that was started last has a start
 * and a settling before it.
 */
export function ownedWithinMs(config: ProtocolConfig): number {
  return 2 * config.expiryMs + 4 * config.pollIntervalMs + config.settleMs + 2 * config.attemptTimeoutMs;
}

interface Draw {
  readonly random: SeededRandom;
  readonly warmUpMs: number;
  readonly healMs: number;
  readonly machines: number;
  readonly faults: Fault[];
}

/**
 * Draws a scenario from a seed: 3 to 8 machines, 8 to 32 shards, 120 s, an outage of the store in each, and crashes,
 * pauses, stops, restarts, losses, reshards and the rest as the seed has it.
 */
export function drawScenario(seed: number | string, shape: ScenarioShape = {}): Scenario {
  const random = seededRandom(seed).fork("scenario");
  const runMs = shape.runMs ?? 120_000;
  const healMs = shape.healMs ?? runMs * 0.58;
  const machines = random.integer(...(shape.machines ?? [3, 8]));
  const draw: Draw = { random, warmUpMs: shape.warmUpMs ?? 12_000, healMs, machines, faults: [] };
  if (shape.theme === "rolling") {
    drawRolling(draw);
  } else {
    drawOutage(draw);
    const count = random.integer(...(shape.faults ?? [4, 9]));
    for (let i = 0; i < count; i++) random.pick(recipes)(draw);
  }
  return {
    seed: String(seed),
    machines: Array.from({ length: machines }, () => ({
      rate: 1 + random.between(-clockRateBound, clockRateBound),
      wallOffsetMs: random.between(-3_600_000, 3_600_000),
      startMs: random.chance(0.7) ? random.between(0, 500) : random.between(0, 8_000),
    })),
    shards: random.integer(...(shape.shards ?? [8, 32])),
    protocol: { leaseDurationMs: random.pick([10_000, 10_000, 8_000, 5_000]) },
    conditions: random.chance(0.5)
      ? { latencyMs: [1, 8] }
      : {
          latencyMs: [2, 40],
          lostRequests: 0.003,
          lostAnswers: 0.003,
          duplicates: 0.003,
          delayed: 0.003,
          staleMs: 300,
        },
    putEveryMs: random.between(20, 60),
    workMs: [1, random.pick([10, 60, 300])],
    faults: draw.faults.sort((a, b) => a.atMs - b.atMs),
    produceUntilMs: runMs * 0.85,
    runMs,
  };
}

/** The lease duration's worth of faults: short ones that change nothing, and ones longer than T. */
function lasting(draw: Draw, fromMs: number, toMs: number): { atMs: number; forMs: number } {
  const forMs = Math.min(draw.random.between(fromMs, toMs), draw.healMs - draw.warmUpMs);
  return { atMs: draw.random.between(draw.warmUpMs, draw.healMs - forMs), forMs };
}

function instant(draw: Draw, beforeHealMs = 0): number {
  return draw.random.between(draw.warmUpMs, draw.healMs - beforeHealMs);
}

const worker = (draw: Draw): number => draw.random.integer(0, draw.machines - 1);

/** Some faults hit one worker's way to the store only. */
function perhapsWorker(draw: Draw): { readonly worker?: number } {
  return draw.random.chance(0.3) ? { worker: worker(draw) } : {};
}

function drawOutage(draw: Draw, only: { readonly worker?: number } = {}): void {
  const { random } = draw;
  draw.faults.push({
    kind: "store-outage",
    ...lasting(draw, 2_000, 25_000),
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
function drawRolling(draw: Draw): void {
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
const recipes: readonly ((draw: Draw) => void)[] = [
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

/** The protocol's parameters that a scenario runs under. */
export function configOf(scenario: Scenario): ProtocolConfig {
  return resolveProtocol(scenario.protocol);
}
