import type { LeaseholdEvent } from "../model/events.js";
import type { FaultKind } from "./faults.js";
import type { SimulationResult } from "./simulator.js";

/** Transitions of the protocol that many seeds must have gone through, by the events that say so. */
const transitions = [
  "beat-acknowledged",
  "belief-lapsed",
  "fenced",
  "force-fenced",
  "tenure-began",
  "tenure-ended",
  "tenure-raised",
  "handed-off",
  "released",
  "checkpointed",
  "checkpoint-refused",
  "reconciled",
  "partition-ended",
  "planner-elected",
  "directive-posted",
] as const satisfies readonly LeaseholdEvent["type"][];

const faults = [
  "crash",
  "pause",
  "suspend",
  "wall-jump",
  "stop",
  "start",
  "store-outage",
] as const satisfies readonly FaultKind[];

/** What must have occurred at least once in a run of many seeds: every fault and every transition. */
export const coverageNames: readonly string[] = [...transitions, ...faults.map((kind) => `fault:${kind}`)];

/** How often each occurred in one simulation; what did not occur is absent. */
export function coverageOf(result: SimulationResult): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(result.emitted);
  for (const { kind } of result.scenario.faults) {
    counts.set(`fault:${kind}`, (counts.get(`fault:${kind}`) ?? 0) + 1);
  }
  return counts;
}
