import type { Cancel, Clock } from "../runtime/clock.js";
import type { DrainResult } from "../tenure/partition-host.js";
import type { StopReason } from "./processor.js";

/** One request to stop a partition's work in good order. It has one result, and can be called off. */
export class Drain {
  readonly reason: StopReason;
  readonly result: Promise<DrainResult>;
  readonly #calledOff = new AbortController();
  readonly #cancel: Cancel;
  #resolve: (result: DrainResult) => void = () => undefined;
  #settled: DrainResult | undefined;

  /** @param onLimit called when its time is over without a result */
  constructor(clock: Clock, reason: StopReason, withinMs: number, onLimit: (drain: Drain) => void) {
    this.reason = reason;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#cancel = clock.setTimer(withinMs, () => {
      if (this.#settled === undefined) onLimit(this);
    });
  }

  get settled(): DrainResult | undefined {
    return this.#settled;
  }

  isCalledOff(): boolean {
    return this.#calledOff.signal.aborted;
  }

  /** Aborts when work may go on, the tenure has ended, or another request took this one's place. */
  get calledOff(): AbortSignal {
    return this.#calledOff.signal;
  }

  /** Only the first result counts. */
  settle(result: DrainResult): void {
    if (this.#settled !== undefined) return;
    this.#settled = result;
    this.#cancel();
    this.#resolve(result);
  }

  callOff(): void {
    this.settle("not-drained");
    this.#calledOff.abort();
  }
}
