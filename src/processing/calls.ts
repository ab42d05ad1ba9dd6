import { LeaseholdError } from "../model/errors.js";
import type { Tenure } from "../tenure/tenure.js";
import type { Watchdog } from "./watchdog.js";
import type { WorkLease } from "./work-lease.js";

/** What a call into a user's processor brought. */
export type CallResult = { readonly ok: true } | { readonly ok: false; readonly error: unknown };

export interface CallsDeps {
  readonly tenure: Tenure;
  readonly lease: WorkLease;
  readonly watchdog: Watchdog;
  readonly processingTimeoutMs: number;
  /** A call neither returned nor made progress: its signal has been aborted. */
  readonly onTimedOut: () => void;
  /** What was told to break off has not returned in its grace time. `told`: after `onTimedOut`. */
  readonly onStuck: (told: boolean) => void;
  /** A stuck call returned after all. */
  readonly onReturned: () => void;
}

/** The calls of one tenure into a user's processor, and what becomes of those that do not return. */
export class ProcessorCalls {
  readonly #deps: CallsDeps;
  #outstanding = 0;
  #timedOut: LeaseholdError | undefined;
  #stuck = false;

  constructor(deps: CallsDeps) {
    this.#deps = deps;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** Whether a call was given up and still has not returned. */
  get stuck(): boolean {
    return this.#stuck;
  }

  /** Makes a call; one that timed out has failed even if it returns in good order, for it was told to break off. */
  async call(fn: () => unknown): Promise<CallResult> {
    this.#timedOut = undefined;
    this.#deps.lease.renew();
    this.#deps.tenure.progress();
    this.#deps.watchdog.enter("call");
    const result = await this.#count(fn);
    const timedOut = this.#timedOut as LeaseholdError | undefined;
    return timedOut === undefined ? result : { ok: false, error: timedOut };
  }

  /** Makes a call beside one that may still be running, after the tenure's end. */
  callBeside(fn: () => unknown): Promise<CallResult> {
    const result = this.#count(fn);
    this.tenureEnded();
    return result;
  }

  /** For the watchdog: the running call has exceeded its time. */
  timedOut(): void {
    const { lease, processingTimeoutMs, watchdog } = this.#deps;
    const error = new LeaseholdError(
      "processor-stuck",
      `the processor of lease ${lease.leaseKey} neither returned nor called lease.progress() for ${String(processingTimeoutMs)} ms; obey lease.signal, call lease.progress() in long work, or raise processingTimeoutMs`,
      { retryable: true },
    );
    this.#timedOut = error;
    watchdog.enter("grace");
    this.#deps.onTimedOut();
    lease.abort(error);
  }

  /** For the watchdog: what was told to stop has not returned. */
  graceOver(): void {
    this.#stuck = true;
    this.#deps.onStuck(this.#timedOut !== undefined);
  }

  /** What still runs has been told by its signal and gets the grace time; with nothing running nothing is watched. */
  tenureEnded(): void {
    const { watchdog } = this.#deps;
    watchdog.close();
    if (this.#outstanding === 0) watchdog.stop();
    else if (watchdog.phase !== "grace" && !this.#stuck) watchdog.enter("grace");
  }

  async #count(fn: () => unknown): Promise<CallResult> {
    this.#outstanding += 1;
    try {
      await fn();
      return { ok: true };
    } catch (error) {
      return { ok: false, error };
    } finally {
      this.#outstanding -= 1;
      if (this.#outstanding === 0) this.#allReturned();
    }
  }

  #allReturned(): void {
    if (this.#deps.tenure.ended) this.#deps.watchdog.stop();
    else this.#deps.watchdog.enter("idle");
    if (!this.#stuck) return;
    this.#stuck = false;
    this.#deps.onReturned();
  }
}
