import { parentsAreDone, type Lease } from "../model/lease.js";
import type { PlanLease, PlanSnapshot, PlanWorker } from "../model/plan-snapshot.js";
import { planWeight } from "../model/plan-weight.js";
import { isFinished } from "../model/position.js";
import { isLive, type WorkerRow } from "../model/worker-row.js";
import type { LeaseView } from "./lease-view.js";
import type { Member } from "./member.js";

/** What the planner adds to the rows: its own unanswered directives, and leases that rest. */
export interface PlannedLeases {
  target(leaseKey: string, epoch: number): string | undefined;
  coolUntilMs(leaseKey: string): number | undefined;
  /** The leases of which it says anything. */
  keys(): Iterable<string>;
}

export const nothingPlanned: PlannedLeases = {
  target: () => undefined,
  coolUntilMs: () => undefined,
  keys: () => [],
};

/**
 * What the plan functions see of the rows that this worker knows.
 * @param leases as they are seen; by default made anew, for a look at nothing but the rows
 */
export function snapshotOf(
  member: Member,
  leases: readonly PlanLease[] = member.leases.all().map((lease) => planLease(lease, member, nothingPlanned)),
): PlanSnapshot {
  const { fleet, deps, workerId } = member;
  return {
    nowMs: deps.clock.now().monoMs,
    config: deps.config,
    workers: fleet.workers.map((row) =>
      row.workerId === workerId ? ownWorker(row, member) : planWorker(row),
    ),
    ...(fleet.rollout === undefined ? {} : { rollout: fleet.rollout }),
    leases,
  };
}

/** Of itself a worker knows more than its row says, and sooner: what it may not process changes between two beats. */
function ownWorker(row: WorkerRow, { deps }: Member): PlanWorker {
  const { hardMaxLeases } = deps.config;
  const own = { ...planWorker(row), unfit: deps.host.unfit() };
  return hardMaxLeases === undefined ? own : { ...own, hardMaxLeases };
}

function planWorker(row: WorkerRow): PlanWorker {
  const { workerId, draining, joining, blind, unfit, deployment, join, maxLeases } = row;
  return {
    workerId,
    live: isLive(row),
    draining,
    joining,
    blind,
    unfit,
    join,
    ...(deployment === undefined ? {} : { deployment }),
    ...(maxLeases === undefined ? {} : { maxLeases }),
  };
}

/** What the plan functions see of a lease row. Of one shape, whatever it lacks: plans look at many. */
export function planLease(lease: Lease, { fleet, leases }: Member, planned: PlannedLeases): PlanLease {
  const { leaseKey, owner, epoch } = lease;
  const finished = lease.marked || isFinished(lease.checkpoint);
  return {
    leaseKey,
    owner,
    epoch,
    weight: planWeight(lease.throughputKBps),
    finished,
    waiting: !finished && !mayBeWorked(lease, leases),
    free: owner === undefined || (fleet.isFree(owner) && !leases.isStrangers(leaseKey)),
    inFlightTo: planned.target(leaseKey, epoch),
    coolUntilMs: planned.coolUntilMs(leaseKey),
  };
}

/** A parent whose row cannot be read may be open: its children wait until somebody has mended it. */
function mayBeWorked(lease: Lease, leases: LeaseView): boolean {
  if (lease.parents.length === 0) return true;
  if (lease.parents.some((key) => leases.isUnreadable(key))) return false;
  return parentsAreDone(lease, (key) => leases.get(key));
}
