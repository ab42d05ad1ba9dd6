import { StoreError } from "../../model/errors.js";
import { declareUnsent } from "../../runtime/unsent.js";

/** Lets so many calls through at a time, the others in the order of their coming. */
export class Gate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Makes the call when there is room.
   * @throws StoreError `store-timeout`, with certainty that nothing was sent, when the signal aborts before
   */
  async pass<T>(doing: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#limit) await this.#turn(doing, signal);
    else this.#inside++;
    try {
      return await call();
    } finally {
      this.#leave();
    }
  }

  /** Resolves with the place of somebody who left. */
  #turn(doing: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = (): void => {
        this.#waiting.delete(enter);
        const message = `${doing}: too many calls were under way for this one to be made in its time`;
        const error = new StoreError("store-timeout", message, { retryable: true, ambiguous: false });
        if (signal !== undefined) declareUnsent(signal, error);
        reject(error);
      };
      signal?.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(enter);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
