import type { Position } from "../model/position.js";
import type { SourceFetch, SourceRecord } from "../source/partition-source.js";

/** A record or its position: everything up to and including it is done. */
export type CheckpointAt =
  | string
  | Pick<SourceRecord, "sequenceNumber" | "subSequenceNumber">
  | { readonly sequenceNumber: string; readonly subSequenceNumber?: number };

/** What a source handed out, kept until it is done. */
export type FetchedRecords = Extract<SourceFetch, { readonly kind: "records" }>;

/** One hand-over of records, in the partition's order. */
export interface Batch {
  readonly records: readonly SourceRecord[];
  /** How far behind the newest record the reader was when it read this, in ms; absent where the source does not say. */
  readonly millisBehindLatest?: number;
  /** For fixed partitions: the turn, from 1 up over the partition's life. */
  readonly turn?: number;
  /** 1 for the first hand-over in this tenure, one more for each after a failure. */
  readonly attempt: number;
  /**
   * Writes a checkpoint at once: everything up to there is done and is never handed over again.
   * @param at default: the end of this batch
   * @throws LeaseholdError `checkpoint-beyond` (after what was handed over), `checkpoint-backwards`, `checkpoint-invalid`
   * (no sequence number), `lease-lost`, `checkpoint-refused`; StoreError when it was not written
   */
  checkpoint(at?: CheckpointAt): Promise<void>;
}

/** Where a batch's checkpoints go. */
export interface BatchCheckpoints {
  at(at: CheckpointAt): Promise<void>;
  /** At the end of what was handed over up to and including this batch. */
  atEnd(end: Position | undefined): Promise<void>;
}

/** Makes the batch that a processor sees; `records` are those of the fetch that are still to be done. */
export function makeBatch(
  fetched: FetchedRecords,
  records: readonly SourceRecord[],
  attempt: number,
  end: Position | undefined,
  checkpoints: BatchCheckpoints,
): Batch {
  return {
    records,
    attempt,
    ...(fetched.millisBehindLatest === undefined ? {} : { millisBehindLatest: fetched.millisBehindLatest }),
    ...(fetched.turn === undefined ? {} : { turn: fetched.turn }),
    checkpoint: (at) => (at === undefined ? checkpoints.atEnd(end) : checkpoints.at(at)),
  };
}
