import type { Position } from "../model/position.js";
import type { EndReason } from "../model/reasons.js";
import type { HeldLease } from "../tenure/tenure.js";
import type { Batch, CheckpointAt } from "./batch.js";
import type { WorkLease } from "./work-lease.js";

/** A callback may be async, or not. What it returns, or resolves to, is not looked at. */
export type Returned = unknown;

/** Where a tenure, or a start over within one, begins. */
export interface ProcessorStart {
  /** Everything up to here is done; the first batch begins after it. */
  readonly checkpoint: Position;
  /** A checkpoint that an earlier owner prepared and did not commit, and the state it stored with it. */
  readonly pendingCheckpoint?: Position;
  readonly pendingState?: Uint8Array;
  /** How many owners died or got stuck on this stretch of the partition since the last checkpoint. */
  readonly ownersWornOut: number;
}

/** Why work is to stop in good order: the lease moves to another worker, or this worker stops. */
export type StopReason = Extract<EndReason, "handoff" | "stop">;

/** Why a lease was lost, without a chance to checkpoint. */
export type LostReason = Exclude<EndReason, "partition-ended" | StopReason>;

export interface StopRequest {
  readonly reason: StopReason;
  /**
   * Writes a checkpoint; default: the end of the last batch that `process` returned from.
   * @throws LeaseholdError as `Batch.checkpoint`
   */
  checkpoint(at?: CheckpointAt): Promise<void>;
}

export interface EndOfPartition {
  /** The partitions that go on from here, by their keys. Their leases exist by now. */
  readonly children: readonly string[];
  /**
   * Says that the whole partition is done. `partitionEnded` must call it; the children start after it.
   * @throws LeaseholdError `lease-lost`, `checkpoint-refused`; StoreError when it was not written
   */
  checkpoint(): Promise<void>;
  /**
   * Does what happens without `partitionEnded`: calls `checkpoint`, except that with explicit checkpointing the last batch
   * must have been checkpointed.
   * @returns whether it did
   */
  checkpointIfDone(): Promise<boolean>;
}

/**
 * What a user writes. The calls for one partition never overlap, save `leaseLost`, which does not wait for a running
 * call: that one has been told by `lease.signal`. Batches come in order; one that fails is handed over again and none is
 * skipped. A record may come again after a change of owner: pass `lease.fencingToken` on to what you write to.
 */
export interface Processor {
  /**
   * Before the first batch of a tenure. When it throws it is called again, with back-off. It is also called again, and
   * work starts over from the checkpoint, when a stop was requested for a move that did not come about.
   */
  initialize?(lease: HeldLease, start: ProcessorStart): Returned;
  /** Works a batch. With automatic checkpointing its return means that all of the batch is done. */
  process(batch: Batch, lease: HeldLease): Returned;
  /** The lease is gone; checkpoints throw by now. At most once per tenure. What it throws is reported and ignored. */
  leaseLost?(reason: LostReason, lease: HeldLease): Returned;
  /**
   * The partition has ended and every batch of it is done. It must call `end.checkpoint()`; otherwise it fails with
   * `checkpoint-missing` and is called again, with back-off. Without this callback the end is checkpointed by itself,
   * except that with explicit checkpointing the last batch must have been checkpointed first.
   */
  partitionEnded?(end: EndOfPartition, lease: HeldLease): Returned;
  /** The lease is about to be given up and nothing is in flight: the last chance to checkpoint. Then nothing follows. */
  stopRequested?(stop: StopRequest, lease: HeldLease): Returned;
}

/** Makes a processor for one tenure; called once per tenure, and again if it threw. */
export type ProcessorFactory = (lease: HeldLease) => Processor;

/** What the processing room is given: a user's processor or factory, or this package's own, which sees more of the lease. */
export type Work = Processor | ((lease: WorkLease) => Processor);
