import { LeaseholdError, messageOf } from "../model/errors.js";
import type { Emit } from "../model/events.js";
import { formatPosition } from "../model/position.js";
import type { EndReason } from "../model/reasons.js";
import { isoTime, wallTime, type Clock } from "../runtime/clock.js";
import type { Tenure } from "../tenure/tenure.js";
import type { FetchedRecords } from "./batch.js";
import type { StopReason } from "./processor.js";
import type { SourceRecord } from "../source/partition-source.js";

/**
 * What a partition's runner is doing. `waiting`: for an earlier tenure's call to return, or for an unsettled write.
 * `failed`: it stands still for good, `lastError` says why. `ended`: the tenure is over, though a call may still run.
 */
export type PartitionState =
  | "waiting"
  | "initializing"
  | "fetching"
  | "queued"
  | "processing"
  | "backing-off"
  | "ending"
  | "draining"
  | "drained"
  | "failed"
  | "ended";

export interface PartitionFailure {
  /** The callback that failed, or `source`, `checkpoint`, `children`, `runner`. */
  readonly callback: string;
  readonly message: string;
  /** Wall time, ISO 8601, for people. */
  readonly at: string;
}

/** One partition of a worker, for `status`. */
export interface PartitionStatus {
  readonly leaseKey: string;
  readonly epoch: number;
  readonly state: PartitionState;
  readonly checkpoint: string;
  /** Failures in a row; 0 once a batch went through. */
  readonly failures: number;
  /** The last failure of this tenure, whether or not it has been got over. */
  readonly lastError?: PartitionFailure;
  /** Records being processed now. */
  readonly inFlight: number;
  /** When the last batch went through: wall time, ISO 8601. */
  readonly lastBatchAt?: string;
  readonly millisBehindLatest?: number;
  /** Its source has not answered for `sourceSilenceMs`. */
  readonly silent: boolean;
  /** A call was given up and has not returned. */
  readonly stuck: boolean;
}

/** What happens in one tenure's work: told to the worker's events, and kept for `status`. */
export class Journal {
  readonly #tenure: Tenure;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #workerId: string;
  state: PartitionState = "waiting";
  /** Failures in a row. */
  failures = 0;
  silent = false;
  #lastError: PartitionFailure | undefined;
  #inFlight = 0;
  #lastBatchAtMs: number | undefined;
  #millisBehindLatest: number | undefined;
  #sourceFails = false;

  constructor(tenure: Tenure, clock: Clock, emit: Emit, workerId: string) {
    this.#tenure = tenure;
    this.#clock = clock;
    this.#emit = emit;
    this.#workerId = workerId;
  }

  /** Whether the work gets on badly at present. */
  get failing(): boolean {
    if (this.#tenure.ended) return false;
    return this.failures > 0 || this.silent || this.state === "failed" || this.state === "backing-off";
  }

  status(stuck: boolean): PartitionStatus {
    return {
      leaseKey: this.#tenure.leaseKey,
      epoch: this.#tenure.fencingToken,
      state: this.#tenure.ended ? "ended" : this.state,
      checkpoint: formatPosition(this.#tenure.row.checkpoint),
      failures: this.failures,
      inFlight: this.#inFlight,
      silent: this.silent,
      stuck,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#lastBatchAtMs === undefined ? {} : { lastBatchAt: isoTime(this.#lastBatchAtMs) }),
      ...(this.#millisBehindLatest === undefined ? {} : { millisBehindLatest: this.#millisBehindLatest }),
    };
  }

  batchStarted(fetched: FetchedRecords, records: readonly SourceRecord[], remainingMs: number): void {
    const first = records[0];
    const last = records.at(-1);
    this.state = "processing";
    this.#inFlight = records.length;
    this.#emit({
      type: "batch-started",
      ...this.#who(),
      records: records.length,
      bytes: fetched.bytes,
      remainingMs,
      ...(first === undefined ? {} : { first: formatPosition(first) }),
      ...(last === undefined ? {} : { last: formatPosition(last) }),
    });
  }

  batchFinished(fetched: FetchedRecords, records: number, tookMs: number): void {
    const behind = fetched.millisBehindLatest;
    this.failures = 0;
    // As text only where somebody asks for it: batches are many.
    this.#lastBatchAtMs = this.#clock.wallMs();
    this.#millisBehindLatest = behind;
    this.#emit({
      type: "batch-finished",
      ...this.#who(),
      records,
      tookMs,
      ...(behind === undefined ? {} : { millisBehindLatest: behind }),
    });
  }

  callReturned(): void {
    this.#inFlight = 0;
  }

  batchReturned(): void {
    this.#emit({ type: "batch-returned", ...this.#who() });
  }

  drained(reason: StopReason): void {
    const checkpoint = formatPosition(this.#tenure.row.checkpoint);
    this.#emit({ type: "drained", ...this.#who(), reason, checkpoint });
  }

  batchDropped(records: number): void {
    this.#emit({ type: "batch-dropped", ...this.#who(), records });
  }

  processorFailed(callback: string, error: unknown): void {
    this.note(callback, error);
    this.#emit({
      type: "processor-failed",
      ...this.#who(),
      callback,
      attempt: Math.max(1, this.failures),
      error: messageOf(error),
    });
  }

  processorStuck(): void {
    this.#emit({ type: "processor-stuck", ...this.#who() });
  }

  stuckReturned(): void {
    this.#emit({
      type: "stuck-processor-returned",
      workerId: this.#workerId,
      leaseKey: this.#tenure.leaseKey,
    });
  }

  sourceFailed(error: unknown): void {
    this.note("source", error);
    this.#sourceFails = true;
    const code = error instanceof LeaseholdError ? error.code : "source-unavailable";
    this.#emit({ type: "source-failed", ...this.#who(), code, error: messageOf(error) });
  }

  sourceAnswered(): void {
    this.silent = false;
    if (!this.#sourceFails) return;
    this.#sourceFails = false;
    this.#emit({ type: "source-answered", ...this.#who() });
  }

  childrenFailed(error: unknown): void {
    this.note("children", error);
    this.#emit({ type: "discovery-failed", workerId: this.#workerId, error: messageOf(error) });
  }

  lostTold(reason: EndReason): void {
    this.#emit({ type: "lease-lost-told", ...this.#who(), reason });
  }

  partitionEnded(children: readonly string[]): void {
    this.#emit({ type: "partition-ended", ...this.#who(), children });
  }

  /** Kept for `status` only. */
  note(callback: string, error: unknown): void {
    this.#lastError = { callback, message: messageOf(error), at: wallTime(this.#clock) };
  }

  #who(): { workerId: string; leaseKey: string; epoch: number } {
    return { workerId: this.#workerId, leaseKey: this.#tenure.leaseKey, epoch: this.#tenure.fencingToken };
  }
}
