import { isFinished, type Position } from "./position.js";
import type { EndReason, FenceKind, TenureReason } from "./reasons.js";

/** One epoch of a lease, as its row records it: who, since when (for people only), how it began and why the last ended. */
export interface TenureRecord {
  readonly epoch: number;
  /** Absent where nobody owns the lease in this epoch. */
  readonly worker?: string;
  readonly reason: TenureReason;
  /** Why the epoch before this one ended: the fence's kind, or the owner's own reason. */
  readonly cause?: EndReason | FenceKind;
  /** Wall time of the writer, ISO 8601. For people: never compared with a clock. */
  readonly since: string;
  /** The row showed no tenure before this one, being somebody else's: the lease's history begins here. */
  readonly first?: true;
}

/** A lease row. */
export interface Lease {
  readonly leaseKey: string;
  readonly owner?: string;
  /** `leaseCounter`: the epoch and fencing token. */
  readonly epoch: number;
  readonly checkpoint: Position;
  readonly pendingCheckpoint?: Position;
  readonly pendingCheckpointState?: Uint8Array;
  /** The KCL's count. */
  readonly ownerSwitchesSinceCheckpoint: number;
  /** Ours: owners that this stretch of the partition has killed or got stuck (protocol, "Owners worn out"). */
  readonly ownersWornOut: number;
  readonly parents: readonly string[];
  readonly children: readonly string[];
  readonly startingHashKey?: string;
  readonly endingHashKey?: string;
  readonly throughputKBps?: number;
  /** The Java KCL's previous owner while its handoff is pending. */
  readonly checkpointOwner?: string;
  readonly tenure?: TenureRecord;
  readonly previousTenure?: TenureRecord;
  readonly writeId?: string;
  /** `entityType = DELETED_LEASE`: in no list, taken by nobody, kept so that no token is used twice. */
  readonly marked: boolean;
}

/** What a partition's lease is created from. */
export interface NewLease {
  readonly leaseKey: string;
  readonly checkpoint: Position;
  readonly parents: readonly string[];
  readonly startingHashKey?: string;
  readonly endingHashKey?: string;
}

/** A row of the lease table that says it is a lease and cannot be read as one. */
export interface InvalidRow {
  readonly leaseKey: string;
  readonly problem: string;
}

export type LeaseState = "marked" | "finished" | "free" | "owned";

/** The state of a lease by its row alone; whether its owner still lives is the fleet's to say. */
export function leaseState(lease: Lease): LeaseState {
  if (lease.marked) return "marked";
  if (isFinished(lease.checkpoint)) return "finished";
  return lease.owner === undefined ? "free" : "owned";
}

/**
 * Whether a partition's parents let it be worked: each is finished, marked or gone (protocol, "Partitions that end").
 * @param find the lease rows known; what it does not find is gone
 */
export function parentsAreDone(
  lease: Pick<Lease, "parents">,
  find: (leaseKey: string) => Lease | undefined,
): boolean {
  return lease.parents.every((key) => {
    const parent = find(key);
    return parent === undefined || parent.marked || isFinished(parent.checkpoint);
  });
}
