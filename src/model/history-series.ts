import type { HistoryEntry } from "./history.js";
import type { Lease, TenureRecord } from "./lease.js";
import type { EndReason, FenceKind, TenureReason } from "./reasons.js";

/** All that there is of a lease's past: its row, read first, and its history, read after it. */
export interface LeaseRecord {
  readonly leaseKey: string;
  /** Undefined where the lease has no row any more. */
  readonly row: Pick<Lease, "epoch" | "owner" | "tenure" | "previousTenure"> | undefined;
  readonly entries: readonly HistoryEntry[];
}

/** One epoch of a lease. Times are the writers' wall clocks, ISO 8601, for people. */
export interface PastTenure {
  readonly leaseKey: string;
  readonly epoch: number;
  /** Absent where nobody owned the lease in this epoch. */
  readonly worker?: string;
  readonly since: string;
  /** Absent while it lasts. */
  readonly until?: string;
  /** How it began, and why the epoch before it ended. */
  readonly reason: TenureReason;
  readonly cause?: EndReason | FenceKind;
  /** How the epoch after it began, and why this one ended. Absent while it lasts. */
  readonly endedBy?: TenureReason;
  readonly endCause?: EndReason | FenceKind;
  /** The row showed no tenure before: the history begins here. */
  readonly first?: true;
}

/**
 * The epochs of a lease, rising, each once. Where row and history both know one the history's is taken, since it says how
 * it ended; what is missing is not made up.
 */
export function tenuresOf({ leaseKey, row, entries }: LeaseRecord): readonly PastTenure[] {
  const byEpoch = new Map<number, PastTenure>();
  for (const tenure of inRow(leaseKey, row)) byEpoch.set(tenure.epoch, tenure);
  for (const entry of entries) byEpoch.set(entry.epoch, entry);
  return [...byEpoch.values()].sort((a, b) => a.epoch - b.epoch);
}

/** What the row itself says: the tenure that lasts, and the one before it, which the next change archives. */
export function inRow(leaseKey: string, row: LeaseRecord["row"]): readonly PastTenure[] {
  if (row?.tenure === undefined) return [];
  const present = past(leaseKey, row.tenure);
  if (row.previousTenure === undefined) return [present];
  const before = past(leaseKey, row.previousTenure);
  return [
    {
      ...before,
      until: present.since,
      endedBy: present.reason,
      ...(present.cause === undefined ? {} : { endCause: present.cause }),
    },
    present,
  ];
}

function past(leaseKey: string, { epoch, since, reason, worker, cause, first }: TenureRecord): PastTenure {
  return {
    leaseKey,
    epoch,
    since,
    reason,
    ...(worker === undefined ? {} : { worker }),
    ...(cause === undefined ? {} : { cause }),
    ...(first === undefined ? {} : { first }),
  };
}

/**
 * The epoch of a lease at an instant, by the writers' clocks: the latest that had begun. Undefined before the first, and
 * where that one had ended and the history lacks the next.
 * @param tenures of one lease, rising
 */
export function tenureAt(tenures: readonly PastTenure[], atMs: number): PastTenure | undefined {
  // Clocks of two writers may disagree: the order of the epochs is certain, that of their times is not.
  const begun = tenures.findLast(({ since }) => Date.parse(since) <= atMs);
  if (begun === undefined) return undefined;
  // The last epoch of a row that was removed is a deletion mark, which began and ended at once: nobody's, from then on.
  if (begun.reason === "deleted") return begun;
  return begun.until !== undefined && Date.parse(begun.until) <= atMs ? undefined : begun;
}

/** Whether some part of an epoch is after an instant. */
export function lastsBeyond({ until }: PastTenure, sinceMs: number): boolean {
  return until === undefined || Date.parse(until) > sinceMs;
}
