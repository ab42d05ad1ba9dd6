import { sleep, type Clock } from "../runtime/clock.js";

/** A sleep that can be cut short: a wake-up during or before it ends it. */
export class Wakeup {
  readonly #clock: Clock;
  #woken = false;
  #interrupt: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#interrupt?.abort();
  }

  /** Waits for the time, a wake-up or the signal. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted) return;
    const interrupt = new AbortController();
    const onAbort = (): void => {
      interrupt.abort();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#interrupt = interrupt;
    await sleep(this.#clock, ms, interrupt.signal);
    this.#interrupt = undefined;
    signal.removeEventListener("abort", onAbort);
  }

  /** Whether somebody woke it since the last call. */
  take(): boolean {
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }
}
