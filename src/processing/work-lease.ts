import type { EndReason } from "../model/reasons.js";
import type { HeldLease, Tenure } from "../tenure/tenure.js";
import type { ProcessorStart } from "./processor.js";

/**
 * The lease as a processor sees it: the tenure, with a signal that aborts also when a call of this processor is given up
 * while the lease is still held. The next call finds a fresh one.
 */
export class WorkLease implements HeldLease {
  readonly #tenure: Tenure;
  #controller = new AbortController();

  constructor(tenure: Tenure) {
    this.#tenure = tenure;
  }

  get leaseKey(): string {
    return this.#tenure.leaseKey;
  }

  get fencingToken(): number {
    return this.#tenure.fencingToken;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Aborts when the tenure is over, and not before. */
  get over(): AbortSignal {
    return this.#tenure.signal;
  }

  get endReason(): EndReason | undefined {
    return this.#tenure.endReason;
  }

  /** Where work that begins now goes on from. */
  start(): ProcessorStart {
    const { checkpoint, ownersWornOut, pendingCheckpoint, pendingCheckpointState } = this.#tenure.row;
    return {
      checkpoint,
      ownersWornOut,
      ...(pendingCheckpoint === undefined ? {} : { pendingCheckpoint }),
      ...(pendingCheckpointState === undefined ? {} : { pendingState: pendingCheckpointState }),
    };
  }

  remainingMs(): number {
    return this.#tenure.remainingMs();
  }

  assertHeld(minRemainingMs?: number): void {
    this.#tenure.assertHeld(minRemainingMs);
  }

  async guard<T>(minRemainingMs: number, fn: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
    this.#tenure.assertHeld(minRemainingMs);
    const value = await fn(this.signal);
    this.#tenure.assertHeld();
    return value;
  }

  progress(): void {
    this.#tenure.progress();
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Before a call: it gets a signal that has not aborted, as long as the lease is held. */
  renew(): void {
    if (this.#controller.signal.aborted && !this.#tenure.ended) this.#controller = new AbortController();
  }
}
