import { LeaseholdError } from "../model/errors.js";
import type { Partition } from "./partition.js";
import { PartitionFeed } from "./partition-feed.js";
import type { PartitionRun } from "./partition-run.js";
import type { Processor } from "./processor.js";
import type { WorkLease } from "./work-lease.js";

/** The worker that an outer loop starts and stops. */
export interface LoopedWorker {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (partition: Partition | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** The partitions that wait for a loop: where `worker.partitions()` gets them from. */
export class PartitionQueue {
  #offered: readonly PartitionRun[] = [];
  #waiting: readonly Waiting[] = [];
  #isIterated = false;
  #isClosed = false;
  #end: { readonly error: Error | undefined } | undefined;

  /** Given to the processing room as the user's processor. */
  readonly factory = (lease: WorkLease): Processor => new PartitionFeed(lease, this);

  /** Whether somebody iterates, or has. */
  get isIterated(): boolean {
    return this.#isIterated;
  }

  /** Whether nothing more is given out. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws LeaseholdError `processor-failed` when nobody takes partitions any more */
  offer(run: PartitionRun): void {
    if (this.#isClosed) throw nobody(run.leaseKey);
    const [first, ...rest] = this.#waiting;
    if (first === undefined) {
      // Those whose tenure is over and that nothing waits for are nobody's any more.
      this.#offered = [...this.#offered.filter((one) => !one.isGone), run];
      return;
    }
    this.#waiting = rest;
    first.resolve(run);
  }

  /** The next partition to work; undefined when the worker has stopped. Rejects with what ended it. */
  next(): Promise<Partition | undefined> {
    for (;;) {
      const [run, ...rest] = this.#offered;
      if (run === undefined) break;
      this.#offered = rest;
      if (!run.isOver) return Promise.resolve(run);
      run.dismiss();
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#waiting = [...this.#waiting, { resolve, reject }];
      else if (this.#end.error === undefined) resolve(undefined);
      else reject(this.#end.error);
    });
  }

  /** Nothing more is given out: the worker stops. What is worked in a loop is drained there. */
  close(): void {
    this.#isClosed = true;
    for (const run of this.#offered) run.refuse(nobody(run.leaseKey));
    this.#offered = [];
  }

  /** The loop ends with the worker, and with what ended it. */
  async follow(worker: Promise<void>): Promise<void> {
    let error: Error | undefined;
    try {
      await worker;
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    this.close();
    this.#end = { error };
    for (const { resolve, reject } of this.#waiting) {
      if (error === undefined) resolve(undefined);
      else reject(error);
    }
    this.#waiting = [];
  }

  /**
   * The outer loop: it starts the worker when it is first asked, and stops it when it is left.
   * @param calledOff aborted by a stop, which a start under way then fails of, as asked
   * @throws LeaseholdError `worker-stopped` on a second call
   */
  iterate(worker: LoopedWorker, calledOff: AbortSignal): AsyncIterableIterator<Partition, undefined> {
    if (this.#isIterated) {
      throw new LeaseholdError(
        "worker-stopped",
        "worker.partitions() is iterated already: one loop takes the partitions, and may give each to a function of its own",
      );
    }
    this.#isIterated = true;
    const over = { done: true, value: undefined } as const;
    return {
      next: async () => {
        try {
          await worker.start();
        } catch (error) {
          if (calledOff.aborted) return over;
          throw error;
        }
        const value = await this.next();
        return value === undefined ? over : { done: false, value };
      },
      return: async () => {
        await worker.stop();
        return over;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

/** Both a processor and a loop: each would wait for the other's batches. */
export function worked(): LeaseholdError {
  return new LeaseholdError(
    "invalid-option",
    "processor is given, and works all partitions: leave it out to iterate worker.partitions()",
  );
}

/** Neither: every lease would be held and not worked. */
export function unworked(): LeaseholdError {
  return new LeaseholdError(
    "invalid-option",
    "processor is undefined, and nobody iterates worker.partitions(): give a processor, or iterate, which starts the worker",
  );
}

function nobody(leaseKey: string): LeaseholdError {
  return new LeaseholdError(
    "processor-failed",
    `nobody works partition ${leaseKey}: the worker stops, and gives no more partitions to the loop over worker.partitions()`,
    { retryable: true },
  );
}
