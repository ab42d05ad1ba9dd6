import type { Batch } from "./batch.js";
import type { PartitionQueue } from "./partition-queue.js";
import { PartitionRun } from "./partition-run.js";
import type { EndOfPartition, LostReason, Processor, StopRequest } from "./processor.js";
import type { WorkLease } from "./work-lease.js";

/**
 * The processor behind the loops over one tenure's partition: each of its callbacks waits for a loop. Where there is none,
 * at the tenure's begin or after one was left, the partition is offered to `worker.partitions()`.
 */
export class PartitionFeed implements Processor {
  readonly #lease: WorkLease;
  readonly #queue: PartitionQueue;
  #run: PartitionRun | undefined;

  constructor(lease: WorkLease, queue: PartitionQueue) {
    this.#lease = lease;
    this.#queue = queue;
    // Not every end of a tenure has a callback, and a loop that waits must hear of each.
    lease.over.addEventListener(
      "abort",
      () => {
        if (lease.endReason !== undefined) this.#run?.finish(lease.endReason);
      },
      { once: true },
    );
  }

  initialize(): void {
    if (!this.#queue.isClosed) this.#live();
  }

  process(batch: Batch): Promise<void> {
    return this.#live().hand({ kind: "batch", batch });
  }

  async stopRequested(stop: StopRequest): Promise<void> {
    const run = this.#run;
    // A loop that has not begun has nothing to checkpoint.
    if (run?.isIterated === true && !run.isOver) await run.hand({ kind: "stop", ...stop });
    run?.finish(stop.reason);
  }

  async partitionEnded(end: EndOfPartition): Promise<void> {
    const run = this.#live();
    await run.hand({
      kind: "ended",
      children: end.children,
      checkpoint: async () => {
        await end.checkpoint();
        run.finish("partition-ended");
      },
      checkpointIfDone: async () => {
        const isDone = await end.checkpointIfDone();
        if (isDone) run.finish("partition-ended");
        return isDone;
      },
    });
  }

  leaseLost(reason: LostReason): void {
    this.#run?.finish(reason);
  }

  #live(): PartitionRun {
    const run = this.#run;
    if (run !== undefined && !run.isOver) return run;
    const next = new PartitionRun(this.#lease);
    this.#queue.offer(next);
    this.#run = next;
    return next;
  }
}
