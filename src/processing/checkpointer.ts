import { LeaseholdError } from "../model/errors.js";
import {
  comparePositions,
  formatPosition,
  isFinished,
  isSentinel,
  position,
  shardEnd,
  type Position,
} from "../model/position.js";
import type { Cancel, Clock } from "../runtime/clock.js";
import type { CheckpointExtra, Tenure } from "../tenure/tenure.js";
import type { CheckpointAt } from "./batch.js";

export interface CheckpointerOptions {
  readonly clock: Clock;
  readonly automatic: boolean;
  /** Automatic writes at most this often; 0: whenever the caller flushes. */
  readonly intervalMs: number;
  /** Written along with every checkpoint. */
  readonly extra: () => CheckpointExtra;
  /** Told when an automatic write failed; it is made again later. */
  readonly onError: (error: unknown) => void;
}

/** After a failed automatic write nothing is tried for at least this long. */
const shortestRetryMs = 1_000;

/**
 * The checkpoints of one session of a tenure: one write at a time, none beyond what was handed over. That none goes back
 * and that a deposed owner writes none is the tenure's own rule.
 */
export class Checkpointer {
  readonly #tenure: Tenure;
  readonly #options: CheckpointerOptions;
  #handedOver: Position | undefined;
  #completed: Position | undefined;
  #tail: Promise<void> = Promise.resolve();
  #lastWriteMs: number;
  #cancel: Cancel | undefined;
  #flushing = false;
  #closed = false;

  constructor(tenure: Tenure, options: CheckpointerOptions) {
    this.#tenure = tenure;
    this.#options = options;
    this.#lastWriteMs = options.clock.monoMs();
  }

  /** The end of what was handed over so far. */
  get handedOver(): Position | undefined {
    return this.#handedOver;
  }

  /** Where a reader goes on: everything up to here was worked through, checkpointed or not. */
  get reached(): Position {
    const row = this.#tenure.row.checkpoint;
    return this.#completed !== undefined && comparePositions(this.#completed, row) > 0
      ? this.#completed
      : row;
  }

  /** Whether something worked through is not checkpointed yet. */
  get isBehind(): boolean {
    return comparePositions(this.reached, this.#tenure.row.checkpoint) > 0;
  }

  /** From now on this may be checkpointed. */
  handOver(end: Position | undefined): void {
    if (
      end !== undefined &&
      (this.#handedOver === undefined || comparePositions(end, this.#handedOver) > 0)
    ) {
      this.#handedOver = end;
    }
  }

  /** Worked through: the next automatic checkpoint covers it. */
  complete(end: Position | undefined): void {
    if (end === undefined) return;
    this.#completed = end;
    if (!this.#options.automatic || this.#options.intervalMs === 0 || !this.isBehind) return;
    this.#arm(this.#lastWriteMs + this.#options.intervalMs - this.#options.clock.monoMs());
  }

  /**
   * An explicit checkpoint.
   * @throws LeaseholdError `lease-lost`, `checkpoint-invalid`, `checkpoint-beyond`, and what the tenure's write throws
   */
  async at(at: CheckpointAt): Promise<void> {
    this.#assertOpen();
    const to = positionOf(at);
    if (isSentinel(to.sequenceNumber)) {
      throw new LeaseholdError(
        "checkpoint-invalid",
        `checkpoint is ${to.sequenceNumber}: it must be the sequence number of a record; the end of a partition is checkpointed in partitionEnded`,
      );
    }
    const bound = this.#handedOver ?? this.#tenure.row.checkpoint;
    if (comparePositions(to, bound) > 0) {
      throw new LeaseholdError(
        "checkpoint-beyond",
        `checkpoint ${formatPosition(to)} of lease ${this.#tenure.leaseKey} is beyond ${formatPosition(bound)}, the last that was handed over; checkpoint a record that has been processed`,
      );
    }
    await this.#write(to);
  }

  /** At a batch's end; a batch without a position adds nothing to what was handed over before it. */
  async atEnd(end: Position | undefined): Promise<void> {
    this.#assertOpen();
    if (end !== undefined) await this.#write(end);
  }

  /** At the end of what was worked through. */
  async atCompleted(): Promise<void> {
    this.#assertOpen();
    if (this.isBehind) await this.#write(this.reached);
  }

  /** The whole partition is done. */
  async atPartitionEnd(children: readonly string[]): Promise<void> {
    if (isFinished(this.#tenure.row.checkpoint)) return;
    this.#assertOpen();
    await this.#serially(() =>
      isFinished(this.#tenure.row.checkpoint)
        ? Promise.resolve()
        : this.#tenure.checkpoint(shardEnd, { ...this.#options.extra(), children }),
    );
  }

  /**
   * Writes what automatic checkpointing has to write, and waits for writes under way.
   * @throws what the tenure's write throws
   */
  async flush(): Promise<void> {
    await this.#serially(async () => {
      // Looked at only now: a write before this one may have covered it, and a checkpoint must not go back.
      if (!this.#options.automatic || this.#closed || !this.isBehind) return;
      await this.#tenure.checkpoint(this.reached, this.#options.extra());
      this.#written();
    });
  }

  /** Nothing is written by itself any more, and its batches may checkpoint no more. */
  close(): void {
    this.#closed = true;
    this.#disarm();
  }

  #assertOpen(): void {
    this.#tenure.assertHeld();
    if (this.#closed) {
      throw new LeaseholdError(
        "checkpoint-refused",
        `this batch of lease ${this.#tenure.leaseKey} was handed over before work started over from the checkpoint; it is handed over again: checkpoint the new one`,
      );
    }
  }

  #write(to: Position): Promise<void> {
    return this.#serially(async () => {
      this.#assertOpen();
      await this.#tenure.checkpoint(to, this.#options.extra());
      this.#written();
    });
  }

  #written(): void {
    this.#lastWriteMs = this.#options.clock.monoMs();
    if (!this.isBehind) this.#disarm();
  }

  /** One write at a time, in the order of asking; one that fails holds up none behind it. */
  #serially(write: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(write);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  // Wakes for the automatic checkpoint of a partition that may have no more batches; set only while one is due.
  #arm(ms: number): void {
    // What ends while one is being written is seen to when it is.
    if (this.#cancel !== undefined || this.#flushing || this.#closed) return;
    this.#cancel = this.#options.clock.setTimer(ms, () => {
      this.#cancel = undefined;
      this.#flushing = true;
      this.flush().then(
        () => {
          this.#flushing = false;
          // Batches that ended while the write was under way.
          if (this.isBehind) this.#arm(this.#options.intervalMs);
        },
        (error: unknown) => {
          this.#flushing = false;
          if (this.#closed) return;
          this.#options.onError(error);
          this.#arm(Math.max(shortestRetryMs, this.#options.intervalMs));
        },
      );
    });
  }

  /** After a failed flush of a caller that does not wait for another: it is made again by itself. */
  retryLater(): void {
    this.#arm(Math.max(shortestRetryMs, this.#options.intervalMs));
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** Checked for callers without types. */
function positionOf(at: CheckpointAt): Position {
  const given: unknown = at;
  if (typeof at === "string" || typeof given !== "object" || given === null) return position(given as string);
  return position(at.sequenceNumber, at.subSequenceNumber);
}
