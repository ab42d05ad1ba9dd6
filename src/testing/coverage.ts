import { faultKinds } from "./faults.js";
import type { SimulationResult } from "./simulator.js";

/**
 * Every transition of the protocol that a simulation can go through, and what it is told by (`transitions.ts` counts
 * them). What needs longer than a simulated hour or somebody outside the fleet is in `elsewhere`.
 */
const transitions = [
  // A worker's life.
  "worker-created",
  "rejoined",
  "beat-acknowledged",
  "beat-repeated",
  "belief-lapsed",
  "draining",
  "leave-sent",
  "stop-undrained",
  "force-fenced",
  "blind",
  "blind-ended",
  "observation-restarted",
  "worker-ended:left",
  "worker-ended:fenced",
  "worker-ended:row-missing",
  "worker-ended:tombstone",
  "worker-ended:table-missing",
  // Its end by others.
  "fence-sent",
  "fence-refused",
  "fence-seen",
  "fenced:observer",
  "fenced:left",
  "fenced:parent",
  "fenced:forced",
  "tombstone-created",
  "tombstone-fenced",
  "worker-collected",
  "observers-named",
  "observer-assigned",
  // A lease's owners.
  "created",
  "tenure-began",
  "taken",
  "taken-from-fenced:observer",
  "taken-from-fenced:left",
  "taken-from-fenced:parent",
  "taken-from-fenced:forced",
  "taken-from-fenced:tombstone",
  "handoff",
  "handoff:stop",
  "handoff-begun-from-note",
  "handoff-begun-from-reconcile",
  "released:stop",
  "released:stuck",
  "released:silent",
  "released:partition-ended",
  "resumed",
  "raised",
  "deleted",
  "reconciled-by-raise",
  "reconciled-by-release",
  "children-taken-by-finisher",
  "overflow",
  "refused:taken",
  "refused:taken-from-fenced",
  "refused:handoff",
  "refused:released",
  "refused:resumed",
  "unknown:taken",
  "unknown:taken-from-fenced",
  "unknown:handoff",
  "unknown:released",
  "unknown:resumed",
  "unknown:raised",
  // Who plans.
  "planner-elected",
  "planner-taken-from-live",
  "planner-passed-on",
  "planner-deposed",
  "directive-posted",
  "directive-of-deposed",
  "directive:handed-off",
  "directive:refused",
  "directive:void",
  // The work.
  "checkpointed",
  "checkpoint-refused:deposed",
  "checkpoint-refused:unknown",
  "checkpoint-refused:ended",
  "partition-ended",
  "lost:fenced",
  "lost:lease-lost",
  "lost:stuck",
  "lost:silent",
  "processor-stuck",
  "stuck-processor-returned",
  "processor-failed",
  "source-failed",
  "source-answered",
] as const;
export type Transition = (typeof transitions)[number];

/** Only what an hour gives time for. */
const hourly: readonly string[] = ["worker-collected"] satisfies readonly Transition[];

/** What no simulation goes through, and which test holds it instead. */
export const elsewhere: Readonly<Record<string, string>> = {
  "mark-removed": "a mark goes after 30 days: test/discovery/discovery.test.ts",
  recreated:
    "clean-up marks finished leases only, which are not made again: test/discovery/discovery.test.ts",
  "checkpoint-refused:moved-by-hand": "somebody moves a checkpoint by hand: test/tenure/checkpoint.test.ts",
  "beat-withheld": "a control loop that makes no rounds is a bug: test/fleet/heartbeat.test.ts",
  "batch-dropped": "all slots of a worker are busy when a lease ends: test/processing/slots.test.ts",
  "lease-usurped": "a Java KCL fleet on the table: test/fleet/strangers.test.ts",
  "released:failed": "a user's onError says so: test/processing/failures.test.ts",
  "format-raised": "there is one format so far: test/fleet/format-raise.test.ts",
};

/** What must have occurred in a run of many seeds: every fault and every transition. */
export const coverageNames: readonly string[] = [
  ...transitions,
  ...faultKinds.map((kind) => `fault:${kind}`),
];

/** The same for a run without hour-long seeds. */
export const coverageNamesWithoutHours = coverageNames.filter((name) => !hourly.includes(name));

/** How often each occurred in one simulation; what did not occur is absent. */
export function coverageOf(result: SimulationResult): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(result.transitions);
  for (const [kind, count] of result.faults) counts.set(`fault:${kind}`, count);
  return counts;
}

/** Adds one simulation's counts to those of others. */
export function mergeCoverage(into: Map<string, number>, more: ReadonlyMap<string, number>): void {
  for (const [name, count] of more) into.set(name, (into.get(name) ?? 0) + count);
}
