import type { LeaseholdEvent } from "../../../src/model/events.js";
import { Monitor, type MonitorOptions, type Violation } from "../../../src/testing/monitor/monitor.js";

/** An event at its instant, in ms; or the death of a process. Worker `a.1` lives in process `a`. */
export type Step = readonly [atMs: number, event: LeaseholdEvent] | readonly [atMs: number, died: string];

export const options: MonitorOptions = {
  leaseDurationMs: 10_000,
  safetyMarginMs: 1_000,
  expiryMs: 12_500,
  blindGapMs: 5_000,
  clockRateBound: 0.005,
  isWhole: true,
  automaticCheckpoints: true,
  clocksJump: false,
};

/** What the monitor has against a trace, and against what follows after somebody deleted the lease's row. */
export function violationsOf(
  steps: readonly Step[],
  changes: Partial<MonitorOptions> = {},
  afterDeletionAt?: { readonly epoch: number; readonly steps: readonly Step[] },
): readonly Violation[] {
  const violations: Violation[] = [];
  const monitor = new Monitor({ ...options, ...changes }, (violation) => violations.push(violation));
  const take = ([atMs, what]: Step): void => {
    if (typeof what === "string") monitor.died(what);
    else monitor.take(atMs, what.workerId.split(".")[0]!, what);
  };
  steps.forEach(take);
  if (afterDeletionAt === undefined) return violations;
  monitor.leaseRowDeleted(leaseKey, afterDeletionAt.epoch);
  afterDeletionAt.steps.forEach(take);
  return violations;
}

type Event<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;
type TenureReason = Event<"tenure-began">["how"];
type EndReason = Event<"tenure-ended">["reason"];
type FenceKind = NonNullable<Event<"fence-seen">["kind"]>;

const leaseKey = "s1";

export const created = (workerId: string): LeaseholdEvent => ({ type: "worker-created", workerId });
export const beat = (workerId: string, number: number, attempt = 1): LeaseholdEvent => ({
  type: "beat-sent",
  workerId,
  beat: number,
  attempt,
});
export const ack = (workerId: string, number: number): LeaseholdEvent => ({
  type: "beat-acknowledged",
  workerId,
  beat: number,
  ageMs: 10,
});
export const lapsed = (workerId: string): LeaseholdEvent => ({ type: "belief-lapsed", workerId, leases: 1 });
export const draining = (workerId: string): LeaseholdEvent => ({ type: "draining", workerId });
export const forced = (workerId: string): LeaseholdEvent => ({
  type: "force-fenced",
  workerId,
  by: "operator",
  remainingMs: 5_000,
});
export const leaving = (workerId: string): LeaseholdEvent => ({ type: "leave-sent", workerId });
export const over = (
  workerId: string,
  reason: Event<"worker-ended">["reason"] = "fenced",
): LeaseholdEvent => ({
  type: "worker-ended",
  workerId,
  reason,
});
export const made = (workerId: string, epoch: number, key = leaseKey): LeaseholdEvent => ({
  type: "lease-created",
  workerId,
  leaseKey: key,
  epoch,
  checkpoint: "TRIM_HORIZON",
});
export const marked = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "lease-marked",
  workerId,
  leaseKey,
  epoch,
});
export const began = (
  workerId: string,
  epoch: number,
  more: {
    readonly how?: TenureReason;
    readonly from?: string;
    readonly checkpoint?: string;
    readonly parents?: readonly string[];
    readonly key?: string;
  } = {},
): LeaseholdEvent => ({
  type: "tenure-began",
  workerId,
  leaseKey: more.key ?? leaseKey,
  epoch,
  how: more.how ?? "taken",
  from: more.from,
  checkpoint: more.checkpoint ?? "TRIM_HORIZON",
  ...(more.parents === undefined ? {} : { parents: more.parents }),
});
export const ended = (workerId: string, epoch: number, reason: EndReason): LeaseholdEvent => ({
  type: "tenure-ended",
  workerId,
  leaseKey,
  epoch,
  reason,
});
export const raised = (workerId: string, epoch: number, to = epoch + 1): LeaseholdEvent => ({
  type: "tenure-raised",
  workerId,
  leaseKey,
  epoch,
  to,
});
export const archived = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "history-archived",
  workerId,
  leaseKey,
  epoch,
  how: "taken",
  endedBy: "taken",
});
export const handedOff = (
  workerId: string,
  epoch: number,
  target: string,
  reason: EndReason = "handoff",
): LeaseholdEvent => ({ type: "handed-off", workerId, leaseKey, epoch, target, reason });
export const released = (workerId: string, epoch: number, reason: EndReason = "stop"): LeaseholdEvent => ({
  type: "released",
  workerId,
  leaseKey,
  epoch,
  reason,
});
export const checkpointed = (workerId: string, epoch: number, checkpoint: string): LeaseholdEvent => ({
  type: "checkpointed",
  workerId,
  leaseKey,
  epoch,
  checkpoint,
});
export const batch = (
  workerId: string,
  epoch: number,
  first: string,
  last = first,
  key = leaseKey,
): LeaseholdEvent => ({
  type: "batch-started",
  workerId,
  leaseKey: key,
  epoch,
  records: 1,
  bytes: 1,
  first,
  last,
  remainingMs: 1_000,
});
export const done = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "batch-finished",
  workerId,
  leaseKey,
  epoch,
  records: 1,
  tookMs: 1,
});
export const returned = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "batch-returned",
  workerId,
  leaseKey,
  epoch,
});
export const drained = (
  workerId: string,
  epoch: number,
  checkpoint = "TRIM_HORIZON",
  reason: "handoff" | "stop" = "handoff",
): LeaseholdEvent => ({ type: "drained", workerId, leaseKey, epoch, reason, checkpoint });
export const lossTold = (workerId: string, epoch: number, reason: EndReason): LeaseholdEvent => ({
  type: "lease-lost-told",
  workerId,
  leaseKey,
  epoch,
  reason,
});
export const stuck = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "processor-stuck",
  workerId,
  leaseKey,
  epoch,
});
export const stuckReturned = (workerId: string): LeaseholdEvent => ({
  type: "stuck-processor-returned",
  workerId,
  leaseKey,
});
export const answered = (
  workerId: string,
  epoch: number,
  answer: Event<"directive-answered">["answer"],
): LeaseholdEvent => ({ type: "directive-answered", workerId, leaseKey, epoch, answer });
export const fenceSent = (workerId: string, victim: string, number: number): LeaseholdEvent => ({
  type: "fence-sent",
  workerId,
  victim,
  beat: number,
  silentMs: 2_500,
});
export const fenced = (workerId: string, victim: string, number: number): LeaseholdEvent => ({
  type: "fenced",
  workerId,
  victim,
  beat: number,
});
export const saw = (workerId: string, victim: string, kind: FenceKind, by: string): LeaseholdEvent => ({
  type: "fence-seen",
  workerId,
  victim,
  by,
  kind,
});
export const collected = (workerId: string, victim: string): LeaseholdEvent => ({
  type: "worker-collected",
  workerId,
  victim,
});
export const claimed = (workerId: string, owner = workerId): LeaseholdEvent => ({
  type: "planner-claimed",
  workerId,
  owner,
});
export const elected = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "planner-elected",
  workerId,
  epoch,
});
export const deposed = (workerId: string, epoch: number): LeaseholdEvent => ({
  type: "planner-deposed",
  workerId,
  epoch,
});
export const planned = (workerId: string, epoch: number, tick: number): LeaseholdEvent => ({
  type: "planned",
  workerId,
  epoch,
  tick,
  moves: 0,
});
export const posted = (workerId: string, plannerEpoch: number): LeaseholdEvent => ({
  type: "directive-posted",
  workerId,
  leaseKey,
  epoch: 7,
  from: "a.1",
  target: "b.1",
  why: "balance",
  plannerEpoch,
});

/** A worker that was created and believes from `atMs` + 1 on. */
export const up = (workerId: string, atMs = 0): readonly Step[] => [
  [atMs, created(workerId)],
  [atMs + 1, beat(workerId, 1)],
  [atMs + 10, ack(workerId, 1)],
];

/** Beats from the second on, one every 2 s and the last before `untilMs`. */
export const beats = (workerId: string, untilMs: number): readonly Step[] => {
  const steps: Step[] = [];
  for (let number = 2; number * 2_000 < untilMs; number++) {
    steps.push([number * 2_000, beat(workerId, number)], [number * 2_000 + 10, ack(workerId, number)]);
  }
  return steps;
};
