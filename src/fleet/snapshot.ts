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

/** The leases as plans see them, and what they weigh. */
export type SeenLeases = Required<Pick<PlanSnapshot, "leases" | "weights">> & Pick<PlanSnapshot, "inOrder">;

/**
 * What the plan functions see of the rows that this worker knows.
 * @param seen the leases; by default made anew, for a look at nothing but the rows
 */
export function snapshotOf(member: Member, seen: SeenLeases = lookAt(member)): PlanSnapshot {
  const { fleet, deps, workerId } = member;
  return {
    nowMs: deps.clock.now().monoMs,
    config: deps.config,
    workers: fleet.workers.map((row) =>
      row.workerId === workerId ? ownWorker(row, member) : planWorker(row),
    ),
    ...(fleet.rollout === undefined ? {} : { rollout: fleet.rollout }),
    ...seen,
  };
}

function lookAt(member: Member): SeenLeases {
  const rows = member.leases.all();
  return {
    leases: rows.map((row) => planLease(row, member, nothingPlanned)),
    weights: Float64Array.from(rows, knownWeight),
  };
}

/** NaN where the row says nothing. */
export function knownWeight({ throughputKBps }: Lease): number {
  return planWeight(throughputKBps) ?? NaN;
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
export function planLease(lease: Lease, member: Member, planned: PlannedLeases): PlanLease {
  const { leaseKey, owner, epoch } = lease;
  return {
    leaseKey,
    owner,
    epoch,
    finished: isDone(lease),
    waiting: isWaiting(lease, member),
    free: isFree(lease, member),
    inFlightTo: planned.target(leaseKey, epoch),
    coolUntilMs: planned.coolUntilMs(leaseKey),
  };
}

/** Whether that is what they saw of it before. Told without making it: a scan brings many rows, and most are as they were. */
export function isSeenAs(seen: PlanLease, lease: Lease, member: Member, planned: PlannedLeases): boolean {
  const { leaseKey, owner, epoch } = lease;
  return (
    seen.leaseKey === leaseKey &&
    seen.owner === owner &&
    seen.epoch === epoch &&
    seen.finished === isDone(lease) &&
    seen.waiting === isWaiting(lease, member) &&
    seen.free === isFree(lease, member) &&
    seen.inFlightTo === planned.target(leaseKey, epoch) &&
    seen.coolUntilMs === planned.coolUntilMs(leaseKey)
  );
}

/**
 * Whether a row says of a lease by itself what was seen of it before. Whether it is free, waits, is on its way or rests is
 * said by others: who those are is known, and they are few. A scan brings many rows, and they are told apart by no more.
 */
export function isAsBefore(seen: PlanLease | undefined, lease: Lease): boolean {
  return (
    seen?.owner === lease.owner &&
    seen?.epoch === lease.epoch &&
    seen.finished === isDone(lease) &&
    lease.parents.length === 0
  );
}

function isDone({ marked, checkpoint }: Lease): boolean {
  return marked || isFinished(checkpoint);
}

function isFree({ leaseKey, owner }: Lease, { fleet, leases }: Member): boolean {
  return owner === undefined || (fleet.isFree(owner) && !leases.isStrangers(leaseKey));
}

function isWaiting(lease: Lease, { leases }: Member): boolean {
  return lease.parents.length > 0 && !isDone(lease) && !mayBeWorked(lease, leases);
}

/** A parent whose row cannot be read may be open: its children wait until somebody has mended it. */
function mayBeWorked(lease: Lease, leases: LeaseView): boolean {
  if (lease.parents.some((key) => leases.isUnreadable(key))) return false;
  return parentsAreDone(lease, (key) => leases.get(key));
}
