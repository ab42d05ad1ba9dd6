import { LeaseholdError } from "../model/errors.js";
import type { Lease } from "../model/lease.js";
import type { Position } from "../model/position.js";
import type { EndReason, TenureReason } from "../model/reasons.js";
import type { Clock } from "../runtime/clock.js";
import type { Belief } from "./belief.js";

/** What a processor sees of the lease that it works under. */
export interface HeldLease {
  readonly leaseKey: string;
  /**
   * The lease's epoch: strictly greater than that of every earlier owner. Hand it to whatever you write to, and let it
   * refuse smaller ones: that, not the lease, keeps a deposed owner out. Read it at use: it can rise during a tenure.
   */
  readonly fencingToken: number;
  /** Aborts, with a LeaseholdError as its reason, when the lease is not held any more. */
  readonly signal: AbortSignal;
  /** Local time left of the lease in ms, computed now; 0 when it is not held. */
  remainingMs(): number;
  /**
   * Call it before every side effect.
   * @param minRemainingMs how much time the effect needs; default: any
   * @throws LeaseholdError `lease-lost`, or `lease-short` when less is left; `invalid-option`
   */
  assertHeld(minRemainingMs?: number): void;
  /**
   * Runs `fn` only if at least `minRemainingMs` are left, and checks again when it has ended.
   * @throws LeaseholdError `lease-lost`, `lease-short`; and what `fn` throws
   */
  guard<T>(minRemainingMs: number, fn: (signal: AbortSignal) => Promise<T> | T): Promise<T>;
  /** Says that work goes on, for work longer than `processingTimeoutMs`. */
  progress(): void;
}

/** The writes a tenure can make of its own row; the lane fulfils it. */
export interface TenureLane {
  checkpoint(tenure: Tenure, position: Position, extra: CheckpointExtra): Promise<void>;
  release(tenure: Tenure, reason: EndReason): Promise<void>;
}

export interface CheckpointExtra {
  readonly children?: readonly string[];
  readonly throughputKBps?: number;
}

export interface TenureStart {
  /** The row as the write that began the tenure returned it: checkpoint, parents and the rest. */
  readonly row: Lease;
  readonly how: TenureReason;
  /** The owner before, where there was one. */
  readonly from: string | undefined;
}

/** One worker's hold on one lease, from its begin to its loss. */
export class Tenure implements HeldLease {
  readonly leaseKey: string;
  readonly how: TenureReason;
  readonly from: string | undefined;
  readonly #clock: Clock;
  readonly #belief: Belief;
  readonly #lane: TenureLane;
  readonly #controller = new AbortController();
  readonly #onEnd: (tenure: Tenure, reason: EndReason) => void;
  #row: Lease;
  #endReason: EndReason | undefined;
  #progressAtMs: number;
  #unsettled = 0;

  constructor(
    start: TenureStart,
    deps: { readonly clock: Clock; readonly belief: Belief; readonly lane: TenureLane },
    onEnd: (tenure: Tenure, reason: EndReason) => void,
  ) {
    this.leaseKey = start.row.leaseKey;
    this.how = start.how;
    this.from = start.from;
    this.#row = start.row;
    this.#clock = deps.clock;
    this.#belief = deps.belief;
    this.#lane = deps.lane;
    this.#onEnd = onEnd;
    this.#progressAtMs = deps.clock.monoMs();
  }

  get fencingToken(): number {
    return this.#row.epoch;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The lease row as this tenure's last acknowledged write left it. */
  get row(): Lease {
    return this.#row;
  }

  get endReason(): EndReason | undefined {
    return this.#endReason;
  }

  get ended(): boolean {
    return this.#endReason !== undefined;
  }

  /** When work last began or reported progress, on the monotonic clock. */
  get progressAtMs(): number {
    return this.#progressAtMs;
  }

  /** A write of unknown outcome is being cleared up: hand-over pauses. */
  get unsettled(): boolean {
    return this.#unsettled > 0;
  }

  remainingMs(): number {
    if (this.#endReason !== undefined) return 0;
    const left = this.#belief.remainingMs();
    // The question itself may have found the belief gone, which ended this tenure.
    return this.ended ? 0 : left;
  }

  assertHeld(minRemainingMs = 0): void {
    // Checked for callers without types: no time left would be short of NaN.
    const needed: unknown = minRemainingMs;
    if (typeof needed !== "number" || !(needed >= 0)) {
      throw new LeaseholdError(
        "invalid-option",
        `minRemainingMs is ${String(needed)} (${typeof needed}): it must be a number of milliseconds from 0 up`,
      );
    }
    const left = this.remainingMs();
    if (left <= 0) throw this.#lost();
    if (left < minRemainingMs) {
      throw new LeaseholdError(
        "lease-short",
        `lease ${this.leaseKey} has ${String(Math.floor(left))} ms left and ${String(minRemainingMs)} are needed; retry after the next beat, or raise leaseDurationMs`,
        { retryable: true },
      );
    }
  }

  async guard<T>(minRemainingMs: number, fn: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
    this.assertHeld(minRemainingMs);
    const value = await fn(this.signal);
    this.assertHeld();
    return value;
  }

  progress(): void {
    this.#progressAtMs = this.#clock.monoMs();
  }

  /**
   * Writes a checkpoint under this tenure's epoch.
   * @throws LeaseholdError `lease-lost`, `checkpoint-backwards`, `checkpoint-refused`; StoreError when it could not be
   * written and certainly was not
   */
  checkpoint(position: Position, extra: CheckpointExtra = {}): Promise<void> {
    return this.#lane.checkpoint(this, position, extra);
  }

  /** Gives the lease back: ends the tenure and clears the owner. Resolves when the write has an outcome or was given up. */
  release(reason: EndReason): Promise<void> {
    return this.#lane.release(this, reason);
  }

  /** For the lane: the row after an acknowledged write; its epoch may have been raised. */
  settle(row: Lease): void {
    this.#row = row;
  }

  /** For the lane: pauses hand-over until the returned function is called. */
  unsettle(): () => void {
    this.#unsettled += 1;
    let over = false;
    return () => {
      if (!over) this.#unsettled -= 1;
      over = true;
    };
  }

  /** Ends the tenure; only the first reason counts. */
  end(reason: EndReason): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#onEnd(this, reason);
    this.#controller.abort(this.#lost());
  }

  #lost(): LeaseholdError {
    return new LeaseholdError(
      "lease-lost",
      `lease ${this.leaseKey} (epoch ${String(this.fencingToken)}) is not held any more: ${this.#endReason ?? "lease-lost"}; stop this work, its next owner redoes what was not checkpointed`,
    );
  }
}
