import type { Clock } from "../runtime/clock.js";

/** A sleep that can be cut short: a wake-up during or before it ends it. */
export class Wakeup {
  readonly #clock: Clock;
  #woken = false;
  #interrupt: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#woken = true;
    this.#interrupt?.();
  }

  /** Waits for the time, a wake-up or the signal. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#woken || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener("abort", done);
        this.#interrupt = undefined;
        resolve();
      };
      const cancel = this.#clock.setTimer(ms, done);
      signal.addEventListener("abort", done, { once: true });
      this.#interrupt = done;
    });
  }

  /** Whether somebody woke it since the last call. */
  take(): boolean {
    const woken = this.#woken;
    this.#woken = false;
    return woken;
  }
}
