import type { SourceFetch } from "../partition-source.js";

export interface ReadAheadLimits {
  readonly records: number;
  readonly bytes: number;
}

/** What was read of a shard and not taken yet: one producer, one consumer, and a bound that makes the producer wait. */
export class ReadAhead {
  readonly #limits: ReadAheadLimits;
  readonly #queue: SourceFetch[] = [];
  #records = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducer: (() => void) | undefined;

  constructor(limits: ReadAheadLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  put(fetch: SourceFetch): void {
    this.#queue.push(fetch);
    if (fetch.kind === "records") {
      this.#records += fetch.records.length;
      this.#bytes += fetch.bytes;
    }
    this.#wakeConsumer?.();
  }

  /** Nothing comes any more; what is there is taken first. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wakeConsumer?.();
  }

  /** Waits until another read of so many records may be made, or the signal aborts. An empty buffer always has room. */
  async room(records: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.isEmpty) {
      if (this.#records + records <= this.#limits.records && this.#bytes < this.#limits.bytes) return;
      await waitFor((wake) => (this.#wakeProducer = wake), signal);
    }
  }

  /**
   * The oldest batch, waiting for it. An end stays: it is taken again and again.
   * @throws what `fail` was given, or the signal's reason
   */
  async take(signal: AbortSignal): Promise<SourceFetch> {
    for (;;) {
      signal.throwIfAborted();
      const [first] = this.#queue;
      if (first?.kind === "ended") return first;
      if (first !== undefined) {
        this.#queue.shift();
        this.#records -= first.records.length;
        this.#bytes -= first.bytes;
        this.#wakeProducer?.();
        return first;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      await waitFor((wake) => (this.#wakeConsumer = wake), signal);
    }
  }

  clear(): void {
    this.#queue.length = 0;
    this.#records = 0;
    this.#bytes = 0;
  }
}

function waitFor(register: (wake: () => void) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener("abort", wake);
      resolve();
    };
    register(wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}
