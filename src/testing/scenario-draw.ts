import { clockRateBound } from "../model/config.js";
import type { ProtocolOptions } from "../model/config.js";
import type { Draw } from "./draw.js";
import { drawAny, drawCrowded, drawDeleted, drawDeploy, drawRolling } from "./fleet-recipes.js";
import { drawRare } from "./rare-recipes.js";
import type { Scenario } from "./scenario.js";
import type { Conditions } from "./simulated-network.js";
import { seededRandom, type SeededRandom } from "./seeded-random.js";

/**
 * `any`: whatever the seed has. `rolling`: workers stop, die and start all the time, and many answers are lost. `crowded`:
 * leases move all the time in a fleet above eight whose store is slow. `deploy`: a rolling deploy, perhaps rolled back.
 * `deleted`: the tables are deleted under it. `rare`: what two faults bring that meet, in workers that have few slots.
 */
export const themes = ["any", "rolling", "crowded", "deploy", "deleted", "rare"] as const;
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

/** What the way to the store is like on a usual day: near, far and not quite reliable, or near with a long tail. */
const climates: readonly Partial<Conditions>[] = [
  { latencyMs: [1, 8] },
  {
    latencyMs: [2, 40],
    lostRequests: 0.003,
    lostAnswers: 0.003,
    duplicates: 0.003,
    delayed: 0.003,
    staleMs: 300,
  },
  { latencyMs: [1, 8], slowShare: 0.01, slowMs: [100, 2_500], lostAnswers: 0.001, staleMs: 100 },
];

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
  const theme = shape.theme ?? "any";
  const machines = random.integer(...(shape.machines ?? (theme === "crowded" ? [10, 12] : [3, 12])));
  const leaseDurationMs = random.pick([10_000, 10_000, 8_000, 5_000]);
  const draw: Draw = { random, warmUpMs, healMs, machines, leaseDurationMs, faults: [] };
  const shards = random.integer(...(shape.shards ?? [8, 64]));
  drawTheme(draw, theme, shape);
  return {
    seed: String(seed),
    machines: Array.from({ length: machines }, () => ({
      rate: 1 + random.between(-clockRateBound, clockRateBound),
      wallOffsetMs: random.between(-3_600_000, 3_600_000),
      startMs: random.chance(0.7) ? random.between(0, 500) : random.between(0, 8_000),
      ...(theme === "deploy" ? { deployment: "v1" } : {}),
    })),
    shards,
    protocol: {
      ...protocolOf(random, leaseDurationMs, Math.ceil((1.5 * shards) / machines)),
      ...(theme === "rare" ? rareProtocol(random) : {}),
    },
    conditions: random.pick(climates),
    checkpointing: random.chance(0.25) ? "explicit" : "automatic",
    retry: { firstMs: 200, longestMs: 5_000 },
    putEveryMs: random.between(...(shape.putEveryMs ?? [40, 120])),
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
    putEveryMs: [500, 1_000],
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
  const at = seededRandom(seed).fork("theme").next();
  if (at < 0.12) return "rolling";
  if (at < 0.24) return "crowded";
  if (at < 0.32) return "deploy";
  if (at < 0.36) return "deleted";
  return at < 0.44 ? "rare" : "any";
}

function drawTheme(draw: Draw, theme: Theme, { faults = [4, 9] }: ScenarioShape): void {
  switch (theme) {
    case "any":
      drawAny(draw, draw.random.integer(...faults));
      break;
    case "rolling":
      drawRolling(draw);
      break;
    case "crowded":
      drawCrowded(draw);
      break;
    case "deploy":
      drawDeploy(draw);
      break;
    case "deleted":
      drawDeleted(draw);
      break;
    case "rare":
      drawRare(draw);
  }
}

/** Options other than the defaults, where the rules that they set the time for would not show within two minutes. */
function protocolOf(random: SeededRandom, leaseDurationMs: number, maxLeases: number): ProtocolOptions {
  return {
    leaseDurationMs,
    ...(random.chance(0.5) ? { processingTimeoutMs: 8_000, abortGraceMs: 3_000 } : {}),
    ...(random.chance(0.5) ? { sourceSilenceMs: 12_000 } : {}),
    ...(random.chance(0.3) ? { shutdownGraceMs: 3_000 } : {}),
    ...(random.chance(0.3) ? { drainMs: 1_000 } : {}),
    ...(random.chance(0.2) ? { checkpointIntervalMs: random.pick([0, 1_000]) } : {}),
    ...(random.chance(0.1) ? { maxLeases } : {}),
  };
}

/** Few slots, so that batches wait in a line; or as many as there are leases, so that much is to be given up at once. */
function rareProtocol(random: SeededRandom): ProtocolOptions {
  return {
    sourceSilenceMs: 12_000,
    ...(random.chance(0.6) ? { maxConcurrentBatches: random.integer(1, 2) } : {}),
  };
}
