import { StoreError, messageOf } from "../model/errors.js";
import type { Emit } from "../model/events.js";

/**
 * Work beside the control loop: drains, takes, scans, the planner. Each piece has a name and runs at most once at a time;
 * none of them is awaited by a round, so that none can hold it up.
 */
export class Tasks {
  readonly #running = new Map<string, Promise<void>>();
  readonly #emit: Emit;
  readonly #workerId: string;
  readonly #onFatal: (error: unknown) => void;
  readonly #closing = new AbortController();

  /** @param onFatal told of an error that no later round can mend: a missing table, a mistake in the code */
  constructor(workerId: string, emit: Emit, onFatal: (error: unknown) => void) {
    this.#workerId = workerId;
    this.#emit = emit;
    this.#onFatal = onFatal;
  }

  /** Starts the work unless it is running. @returns whether it was started */
  start(name: string, work: () => Promise<void>): boolean {
    if (this.#running.has(name)) return false;
    const run = work()
      .catch((error: unknown) => {
        this.failed(name, error);
      })
      .finally(() => {
        this.#running.delete(name);
      });
    this.#running.set(name, run);
    return true;
  }

  /** Aborts when the worker ends: for long reads, of which nobody wants the answer then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  close(): void {
    this.#closing.abort();
  }

  running(name: string): boolean {
    return this.#running.has(name);
  }

  /** Reports an error of a store call; ends the worker where going on is senseless. */
  failed(operation: string, error: unknown): void {
    this.#emit({ type: "store-failed", workerId: this.#workerId, operation, error: messageOf(error) });
    if (!(error instanceof StoreError) || error.code === "table-missing") this.#onFatal(error);
  }

  /** Resolves when nothing runs any more, what was started meanwhile included. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
