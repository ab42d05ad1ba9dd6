import { hasCode, LeaseholdError } from "../model/errors.js";
import type { EndReason } from "../model/reasons.js";
import type { Batch } from "./batch.js";
import type { Partition, Step } from "./partition.js";
import type { ProcessorStart } from "./processor.js";
import type { WorkLease } from "./work-lease.js";

/** A callback that returns when the loop is done with its step. */
interface Pending {
  readonly step: Step;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const over = { done: true, value: undefined } as const;

/**
 * A partition as its loop sees it, and the callbacks that wait for that loop: a callback lasts from the hand-over of its
 * step until the loop asks for the next one or is left, so the watchdog, the slots and the drain count a loop's body as
 * they count a processor's call.
 */
export class PartitionRun implements Partition {
  readonly start: ProcessorStart;
  readonly #lease: WorkLease;
  #kind: "batches" | "steps" | undefined;
  /** No loop has asked for it yet. */
  #untaken: Pending | undefined;
  #inHand: Pending | undefined;
  #waiting: ((step: Step | undefined) => void) | undefined;
  #stopListening = (): void => undefined;
  #endReason: EndReason | undefined;
  #left = false;

  constructor(lease: WorkLease) {
    this.#lease = lease;
    this.start = lease.start();
  }

  get leaseKey(): string {
    return this.#lease.leaseKey;
  }

  get fencingToken(): number {
    return this.#lease.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  get endReason(): EndReason | undefined {
    return this.#endReason;
  }

  /** Whether a loop has begun. */
  get isIterated(): boolean {
    return this.#kind !== undefined;
  }

  /** Whether nothing more is given to this loop. */
  get isOver(): boolean {
    return this.#left || this.#endReason !== undefined;
  }

  /** Whether nothing waits for it any more either. */
  get isGone(): boolean {
    return this.isOver && this.#untaken === undefined;
  }

  remainingMs(): number {
    return this.#lease.remainingMs();
  }

  assertHeld(minRemainingMs?: number): void {
    this.#lease.assertHeld(minRemainingMs);
  }

  guard<T>(minRemainingMs: number, fn: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
    return this.#lease.guard(minRemainingMs, fn);
  }

  progress(): void {
    this.#lease.progress();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Batch, undefined> {
    return this.batches();
  }

  batches(): AsyncIterableIterator<Batch, undefined> {
    return this.#iterate("batches", (step) => (step.kind === "batch" ? step.batch : undefined));
  }

  steps(): AsyncIterableIterator<Step, undefined> {
    return this.#iterate("steps", (step) => step);
  }

  /** Gives the loop a step. Resolves when it is done with it. */
  hand(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#untaken = { step, resolve, reject };
      const { signal } = this.#lease;
      const onAbort = (): void => {
        // Not taken in processingTimeoutMs: as with a call that does not return, the lease goes to somebody else, and this
        // process does not touch it before the loop has come back.
        if (!hasCode(signal.reason, "processor-stuck"))
          this.#settleUntaken((untaken) => untaken.reject(signal.reason));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#stopListening = () => {
        signal.removeEventListener("abort", onAbort);
      };
      if (signal.aborted) onAbort();
      this.#flow();
    });
  }

  /** Ends the loop, once it asks. */
  finish(reason: EndReason): void {
    this.#endReason ??= reason;
    this.#wake(undefined);
  }

  /** For a loop that comes too late: lets the callback return that waited for it. */
  dismiss(): void {
    this.#settleUntaken((untaken) => {
      untaken.resolve();
    });
  }

  /** Nobody will iterate it. */
  refuse(error: LeaseholdError): void {
    this.#left = true;
    this.#settleUntaken((untaken) => {
      untaken.reject(error);
    });
  }

  #iterate<T>(
    kind: "batches" | "steps",
    shown: (step: Step) => T | undefined,
  ): AsyncIterableIterator<T, undefined> {
    if (this.#kind !== undefined) {
      throw new LeaseholdError(
        "worker-stopped",
        `partition ${this.leaseKey} is iterated already: one loop works it; what was left comes again from worker.partitions()`,
      );
    }
    this.#kind = kind;
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      const step = await this.#next();
      const value = step && shown(step);
      return value === undefined ? over : { done: false, value };
    };
    return {
      next,
      return: () => {
        this.#leave();
        return Promise.resolve(over);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async #next(): Promise<Step | undefined> {
    if (this.#waiting !== undefined) {
      throw new LeaseholdError(
        "worker-stopped",
        `the next batch of partition ${this.leaseKey} is being waited for already: ask for one at a time`,
      );
    }
    this.#inHand?.resolve();
    this.#inHand = undefined;
    if (this.isOver) {
      this.dismiss();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#flow();
    });
  }

  /** Gives what is there to the loop that waits for it. */
  #flow(): void {
    if (this.#waiting === undefined || this.#untaken === undefined) return;
    this.#settleUntaken((pending) => {
      const { step } = pending;
      if (this.#kind === "steps" || step.kind === "batch") {
        this.#inHand = pending;
        this.#wake(step);
      } else {
        // What happens to a processor without that callback.
        const done = step.kind === "ended" ? step.checkpointIfDone() : Promise.resolve();
        done.then(pending.resolve, pending.reject);
      }
    });
  }

  #leave(): void {
    this.#left = true;
    const left = new LeaseholdError(
      "processor-failed",
      `the loop over partition ${this.leaseKey} was left (break, return or throw) before it had asked for the next batch: the batch in hand is not done`,
      { retryable: true },
    );
    const inHand = this.#inHand;
    this.#inHand = undefined;
    if (inHand?.step.kind === "batch") inHand.reject(left);
    else inHand?.resolve();
    this.#settleUntaken((untaken) => {
      untaken.reject(left);
    });
    this.#wake(undefined);
  }

  #settleUntaken(settle: (untaken: Pending) => void): void {
    const untaken = this.#untaken;
    if (untaken === undefined) return;
    this.#untaken = undefined;
    this.#stopListening();
    settle(untaken);
  }

  #wake(step: Step | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(step);
  }
}
