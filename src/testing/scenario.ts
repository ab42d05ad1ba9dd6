import { resolveProtocol, type ProtocolConfig, type ProtocolOptions } from "../model/config.js";
import type { CheckpointMode, ProcessingOptions } from "../processing/options.js";
import { faultEndMs, type Fault, type FaultKind } from "./faults.js";
import type { Conditions } from "./simulated-network.js";
import { troublesOf } from "./weather.js";

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

const agesReads: ReadonlySet<FaultKind> = new Set(["stale-reads", "index-lag", "two-planners"]);

/** From when on nothing goes wrong any more, ms. */
export function healedAtMs(scenario: Scenario): number {
  return Math.max(
    0,
    ...scenario.machines.map((machine) => machine.startMs),
    ...scenario.faults.map(faultEndMs),
  );
}

/**
 * How long after healing something may be amiss, by the protocol (L1), ms:
 * - T: who died by then has beaten last by then; its observers count from when they saw that beat.
 * - T again, only where the observers may have died with it, or have to count anew: they are fenced first.
 * - 4p: the poll that sees the last beat, the poll that finds T over, and two ranks that are dead or full.
 * - the settling time: who was started last has its start, and its wait for others, before it.
 * - 2a: a fence and a take may each be answered as late as an attempt may last.
 */
export function ownedWithinMs(scenario: Scenario): number {
  const { expiryMs, pollIntervalMs, settleMs, attemptTimeoutMs } = configOf(scenario);
  const expiriesMs = (takesTwoExpiries(scenario, expiryMs) ? 2 : 1) * expiryMs;
  return expiriesMs + 4 * pollIntervalMs + settleMs + 2 * attemptTimeoutMs;
}

/**
 * Whether the last T before healing had what makes two expiries follow each other. What came earlier has had one T of
 * its two by then, and needs no more of it than what comes last.
 */
function takesTwoExpiries(scenario: Scenario, expiryMs: number): boolean {
  const sinceMs = healedAtMs(scenario) - expiryMs;
  const deaths = scenario.faults.filter((fault) => troublesOf(fault).includes("deaths"));
  return scenario.faults.some((fault) => {
    if (faultEndMs(fault) < sinceMs) return false;
    if (fault.kind === "cold-start" || fault.kind === "death-with-observers") return true;
    if (troublesOf(fault).some((trouble) => trouble === "outage" || trouble.startsWith("store"))) return true;
    return (
      deaths.includes(fault) &&
      deaths.some((other) => other !== fault && Math.abs(other.atMs - fault.atMs) <= expiryMs)
    );
  });
}

/** How old the rows may be at most that a read of this scenario sees, ms; undefined where a fault ages them. */
export function oldestReadMs({ conditions, faults }: Scenario): number | undefined {
  return faults.some(({ kind }) => agesReads.has(kind)) ? undefined : (conditions.staleMs ?? 0);
}

/** The protocol's parameters that a scenario runs under. */
export function configOf(scenario: Scenario): ProtocolConfig {
  return resolveProtocol(scenario.protocol);
}
