import type { Lease, TenureRecord } from "./lease.js";
import type { EndReason, FenceKind, TenureReason } from "./reasons.js";

/** One finished epoch of a lease, in the history for good. */
export interface HistoryEntry {
  readonly leaseKey: string;
  readonly epoch: number;
  readonly worker?: string;
  readonly reason: TenureReason;
  readonly cause?: EndReason | FenceKind;
  /** Wall times of the writers, ISO 8601, for people. */
  readonly since: string;
  readonly until: string;
  /** How the epoch after this one began: why this one ended. Absent of a deletion mark whose row was to go. */
  readonly endedBy?: TenureReason;
  readonly endCause?: EndReason | FenceKind;
  /** The row showed no tenure before: the lease's history begins here. */
  readonly first?: true;
}

function entryOf(leaseKey: string, tenure: TenureRecord, next?: TenureRecord): HistoryEntry {
  return {
    leaseKey,
    epoch: tenure.epoch,
    reason: tenure.reason,
    since: tenure.since,
    until: (next ?? tenure).since,
    ...(next === undefined ? {} : { endedBy: next.reason }),
    ...(tenure.worker === undefined ? {} : { worker: tenure.worker }),
    ...(tenure.cause === undefined ? {} : { cause: tenure.cause }),
    ...(next?.cause === undefined ? {} : { endCause: next.cause }),
    ...(tenure.first === undefined ? {} : { first: tenure.first }),
  };
}

/**
 * The entry to archive before the next change of tenure: the row's PREVIOUS tenure. It is a function of the row alone,
 * so a late duplicate is harmless, and it has certainly happened (protocol, "History"). Undefined where the row has none.
 */
export function entryToArchive(lease: Lease): HistoryEntry | undefined {
  if (lease.tenure === undefined || lease.previousTenure === undefined) return undefined;
  return entryOf(lease.leaseKey, lease.previousTenure, lease.tenure);
}

/**
 * The present tenure, a deletion mark: archived together with the one before when the row is to go. Of its end it says
 * nothing: the row may be made again before it goes, and an entry is never written over.
 */
export function lastEntryOf(lease: Lease): HistoryEntry | undefined {
  return lease.tenure === undefined ? undefined : entryOf(lease.leaseKey, lease.tenure);
}
