import { hasCode, LeaseholdError } from "../model/errors.js";
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
  /** Why the running call was told to break off while the lease was held. */
  #brokenOff: LeaseholdError | undefined;
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

  /** Makes a call; one that was told to break off has failed even if it returns in good order: that is how it obeys. */
  async call(fn: () => unknown): Promise<CallResult> {
    this.#brokenOff = undefined;
    this.#deps.lease.renew();
    this.#deps.tenure.progress();
    this.#deps.watchdog.enter("call");
    const result = await this.#count(fn);
    const brokenOff = this.#brokenOff as LeaseholdError | undefined;
    return brokenOff === undefined ? result : { ok: false, error: brokenOff };
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
    watchdog.enter("grace");
    this.#deps.onTimedOut();
    this.breakOff(error);
  }

  /** Tells what runs to break off; the lease is still held. */
  breakOff(reason: LeaseholdError): void {
    this.#brokenOff ??= reason;
    this.#deps.lease.abort(reason);
  }

  /** For the watchdog: what was told to stop has not returned. */
  graceOver(): void {
    this.#stuck = true;
    this.#deps.onStuck(hasCode(this.#brokenOff, "processor-stuck"));
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
