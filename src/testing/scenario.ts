import { resolveProtocol, type ProtocolConfig, type ProtocolOptions } from "../model/config.js";
import type { CheckpointMode, ProcessingOptions } from "../processing/options.js";
import { faultEndMs, type Fault } from "./faults.js";
import type { Conditions } from "./simulated-network.js";

/** One machine of the fleet: its clock, and when its first process starts. */
export interface MachineScenario {
  readonly rate: number;
  readonly wallOffsetMs: number;
  readonly startMs: number;
  /** The label of what is deployed on it at first. */
  readonly deployment?: string;
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
  /** Default `automatic`; `explicit`: processors checkpoint by themselves, now and then. */
  readonly checkpointing?: CheckpointMode;
  /** How long processors that fail wait, where not as long as by default. */
  readonly retry?: NonNullable<ProcessingOptions["retry"]>;
  readonly faults: readonly Fault[];
  /** Producers stop. */
  readonly produceUntilMs: number;
  /** The end, ms. */
  readonly runMs: number;
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

/** The protocol's parameters that a scenario runs under. */
export function configOf(scenario: Scenario): ProtocolConfig {
  return resolveProtocol(scenario.protocol);
}
