import type { Lease } from "../model/lease.js";
import type { Position } from "../model/position.js";
import type { Call, WriteOutcome } from "./call.js";

/**
 * A checkpoint by the owner in its epoch: compare-and-set on owner, epoch and all that the row last held, because the
 * store compares decimal strings bytewise and cannot say what is behind (protocol, "Checkpoint").
 */
export interface CheckpointWrite {
  readonly leaseKey: string;
  readonly owner: string;
  readonly epoch: number;
  /** What the row must hold. */
  readonly expect: { readonly checkpoint: Position; readonly pendingCheckpoint: Position | undefined };
  /** What it holds from now on. A pending checkpoint is cleared. */
  readonly checkpoint: Position;
  /** Written with the end of a partition. */
  readonly children?: readonly string[];
  /** Load of the lease, written along because the write is made anyway. */
  readonly throughputKBps?: number;
  readonly writeId: string;
}

export interface Checkpoints {
  /** Also sets `ownerSwitchesSinceCheckpoint` and `ownersWornOut` to 0. The epoch stays. */
  write(write: CheckpointWrite, call?: Call): Promise<WriteOutcome<Lease>>;
}
