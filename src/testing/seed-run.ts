import { messageOf } from "../model/errors.js";
import { coverageOf } from "./coverage.js";
import { scenarioOfSeed } from "./scenario-draw.js";
import { simulate, type SimulationOptions } from "./simulator.js";
import { InvariantViolation } from "./violation.js";

/** All that a program needs that runs numbered seeds, from one module. */
export { coverageNames, coverageNamesWithoutHours } from "./coverage.js";
export { useLightSignals } from "./light-signals.js";

export interface SeedOptions extends SimulationOptions {
  /** Whether one seed in 50 is an hour long. */
  readonly hours: boolean;
}

/** What a seed did not hold. */
export interface SeedViolation {
  /** An invariant's name; `crash` for an error that is none: code that must not throw threw. */
  readonly invariant: string;
  /** What was found, with the newest lines of the trace. */
  readonly message: string;
}

/** What one seed was like: plain data, to be sent from process to process. */
export interface SeedOutcome {
  readonly seed: number;
  readonly workers: number;
  /** At the start; splits and merges change it. */
  readonly leases: number;
  readonly virtualSeconds: number;
  /** Timers fired, messages and faults included. */
  readonly events: number;
  /** Tenures begun by a take of a free lease. */
  readonly takes: number;
  /** How often each fault and each transition occurred. */
  readonly coverage: Readonly<Record<string, number>>;
  readonly violation?: SeedViolation;
}

/** Runs the scenario of a seed. What does not hold, and what throws, is part of the outcome. */
export async function runSeed(seed: number, options: SeedOptions): Promise<SeedOutcome> {
  const scenario = scenarioOfSeed(seed, options);
  let takes = 0;
  let virtualMs = 0;
  const watched: SimulationOptions = {
    ...options,
    onEvent: (event, atMs) => {
      virtualMs = atMs;
      if (event.type === "tenure-began" && event.how.startsWith("taken")) takes++;
      options.onEvent?.(event, atMs);
    },
  };
  const shape = { seed, workers: scenario.machines.length, leases: scenario.shards };
  try {
    const result = await simulate(scenario, watched);
    const { events } = result;
    const coverage = Object.fromEntries(coverageOf(result));
    return { ...shape, virtualSeconds: virtualMs / 1_000, events, takes, coverage };
  } catch (error) {
    const invariant = error instanceof InvariantViolation ? error.invariant : "crash";
    const message = error instanceof InvariantViolation ? error.message : stackOf(error);
    const violation = { invariant, message };
    return { ...shape, virtualSeconds: virtualMs / 1_000, events: 0, takes, coverage: {}, violation };
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
