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
}

const nothingPlanned: PlannedLeases = { target: () => undefined, coolUntilMs: () => undefined };

/** What the plan functions see of the rows that this worker knows. */
export function snapshotOf(member: Member, planned: PlannedLeases = nothingPlanned): PlanSnapshot {
  const { fleet, leases, deps, workerId } = member;
  return {
    nowMs: deps.clock.now().monoMs,
    config: deps.config,
    workers: fleet.workers.map((row) =>
      row.workerId === workerId ? ownWorker(row, member) : planWorker(row),
    ),
    ...(fleet.rollout === undefined ? {} : { rollout: fleet.rollout }),
    leases: leases.all().map((lease) => planLease(lease, member, planned)),
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

function planLease(lease: Lease, { fleet, leases }: Member, planned: PlannedLeases): PlanLease {
  const { leaseKey, owner, epoch } = lease;
  const finished = lease.marked || isFinished(lease.checkpoint);
  const inFlightTo = planned.target(leaseKey, epoch);
  const coolUntilMs = planned.coolUntilMs(leaseKey);
  return {
    leaseKey,
    epoch,
    weight: planWeight(lease.throughputKBps),
    finished,
    waiting: !finished && !mayBeWorked(lease, leases),
    free: owner === undefined || (fleet.isFree(owner) && !leases.isStrangers(leaseKey)),
    ...(owner === undefined ? {} : { owner }),
    ...(inFlightTo === undefined ? {} : { inFlightTo }),
    ...(coolUntilMs === undefined ? {} : { coolUntilMs }),
  };
}

/** A parent whose row cannot be read may be open: its children wait until somebody has mended it. */
function mayBeWorked(lease: Lease, leases: LeaseView): boolean {
  if (lease.parents.some((key) => leases.isUnreadable(key))) return false;
  return parentsAreDone(lease, (key) => leases.get(key));
}
