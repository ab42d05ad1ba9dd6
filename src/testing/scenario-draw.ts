import { clockRateBound } from "../model/config.js";
import { drawOutage, drawRolling, recipes, type Draw } from "./fault-recipes.js";
import type { Scenario } from "./scenario.js";
import { seededRandom } from "./seeded-random.js";

/** `any`: whatever the seed has. `rolling`: workers stop, die and start all the time, and many answers are lost. */
export const themes = ["any", "rolling"] as const;
export type Theme = (typeof themes)[number];

export interface ScenarioShape {
  /** Default `any`. */
  readonly theme?: Theme;
  readonly machines?: readonly [number, number];
  readonly shards?: readonly [number, number];
  /** Recipes drawn beside the outage that every seed of theme `any` has; each brings a fault or more. */
  readonly faults?: readonly [number, number];
  /** Faults begin from here on, ms. */
  readonly warmUpMs?: number;
  /** All faults are over by then, ms. */
  readonly healMs?: number;
  readonly runMs?: number;
  /** A record is put about this often, ms. */
  readonly putEveryMs?: readonly [number, number];
}

/** One seed in so many is an hour long. */
const hourEvery = 50;
const hourMs = 3_600_000;
/** The dead are collected after a quarter of an hour of quiet, and what is still to do by then takes its time too. */
const quietMs = 1_260_000;

/**
 * Draws a scenario from a seed: 3 to 12 machines, 8 to 64 shards, 120 s after the warm-up, an outage of the store in
 * each, and crashes, pauses, stops, restarts, losses, reshards and the rest as the seed has it.
 */
export function drawScenario(seed: number | string, shape: ScenarioShape = {}): Scenario {
  const random = seededRandom(seed).fork("scenario");
  const warmUpMs = shape.warmUpMs ?? 15_000;
  const runMs = shape.runMs ?? warmUpMs + 120_000;
  const healMs = shape.healMs ?? warmUpMs + (runMs - warmUpMs) * 0.45;
  const machines = random.integer(...(shape.machines ?? [3, 12]));
  const leaseDurationMs = random.pick([10_000, 10_000, 8_000, 5_000]);
  const draw: Draw = { random, warmUpMs, healMs, machines, leaseDurationMs, faults: [] };
  if (shape.theme === "rolling") drawRolling(draw);
  else drawAny(draw, random.integer(...(shape.faults ?? [4, 9])));
  return {
    seed: String(seed),
    machines: Array.from({ length: machines }, () => ({
      rate: 1 + random.between(-clockRateBound, clockRateBound),
      wallOffsetMs: random.between(-3_600_000, 3_600_000),
      startMs: random.chance(0.7) ? random.between(0, 500) : random.between(0, 8_000),
    })),
    shards: random.integer(...(shape.shards ?? [8, 64])),
    protocol: { leaseDurationMs },
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
    putEveryMs: random.between(...(shape.putEveryMs ?? [20, 60])),
    workMs: [1, random.pick([10, 60, 300])],
    faults: draw.faults.sort((a, b) => a.atMs - b.atMs),
    produceUntilMs: runMs * 0.75,
    runMs,
  };
}

/**
 * Draws an hour: 20 to 24 machines, faults through all of it but its last third, which is quiet so that the dead are
 * collected.
 */
export function drawHourScenario(seed: number | string, shape: ScenarioShape = {}): Scenario {
  return drawScenario(seed, {
    machines: [20, 24],
    shards: [40, 64],
    faults: [50, 90],
    healMs: hourMs - quietMs,
    runMs: hourMs,
    putEveryMs: [150, 400],
    ...shape,
  });
}

/**
 * The scenario that a seed stands for, the same wherever it runs.
 * @param options.hours one seed in 50 is an hour long; without it those are like the others
 */
export function scenarioOfSeed(seed: number | string, options: { readonly hours: boolean }): Scenario {
  const isHour = options.hours && Number(seed) % hourEvery === 0;
  if (isHour) return drawHourScenario(seed);
  return drawScenario(seed, { theme: themeOf(seed) });
}

function themeOf(seed: number | string): Theme {
  return seededRandom(seed).fork("theme").chance(0.15) ? "rolling" : "any";
}

function drawAny(draw: Draw, count: number): void {
  drawOutage(draw);
  for (let i = 0; i < count; i++) draw.random.pick(recipes)(draw);
  // Whatever the dice say, a seed has faults of more than one kind.
  while (count > 0 && draw.faults.every(({ kind }) => kind === "store-outage" || kind === "start")) {
    draw.random.pick(recipes)(draw);
  }
}
