import type { EndReason } from "../model/reasons.js";
import type { HeldLease } from "../tenure/tenure.js";
import type { Batch } from "./batch.js";
import type { EndOfPartition, ProcessorStart, StopRequest } from "./processor.js";

/**
 * What a loop over a partition's steps is given, one at a time; each is done when the next is asked for. They are the
 * callbacks of a `Processor`: `batch` is `process`, `stop` is `stopRequested`, `ended` is `partitionEnded`.
 */
export type Step =
  | { readonly kind: "batch"; readonly batch: Batch }
  /** The lease is about to be given up: the last chance to checkpoint. Nothing follows. */
  | ({ readonly kind: "stop" } & StopRequest)
  /** Every batch of the partition is done. It must be checkpointed; otherwise this step comes again, with back-off. */
  | ({ readonly kind: "ended" } & EndOfPartition);

/**
 * One tenure of a partition, to be worked by a loop: `for await (const batch of partition)`. It is iterated once.
 *
 * Asking for the next batch says that the last one is done: with automatic checkpointing it is checkpointed then. The
 * loop ends by itself when the lease is given up or lost; `endReason` says why. Leaving it otherwise (`break`, `return`
 * or `throw`, which look the same from here) fails the batch in hand: like one whose `process` threw it is never skipped
 * but follows `onError`, and by default comes again, after a back-off, in a new `Partition` of `worker.partitions()`.
 */
export interface Partition extends HeldLease, AsyncIterable<Batch> {
  readonly start: ProcessorStart;
  /** Why the tenure's work ended here; undefined while it goes on, and where the loop was left before. */
  readonly endReason: EndReason | undefined;
  /**
   * The batches alone, as `for await (const batch of partition)`. The end of the partition is checkpointed by itself,
   * except that with explicit checkpointing its last batch must have been checkpointed.
   * @throws LeaseholdError `worker-stopped` when it is iterated already
   */
  batches(): AsyncIterableIterator<Batch, undefined>;
  /**
   * Batches, and the requests to stop and to finish with a partition that has ended.
   * @throws LeaseholdError `worker-stopped` when it is iterated already
   */
  steps(): AsyncIterableIterator<Step, undefined>;
}
