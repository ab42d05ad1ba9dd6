import type { SourceFetch } from "../partition-source.js";
import type { Lot } from "./prefetch-budget.js";
import type { ReadBatch } from "./read-batch.js";

export interface ReadAheadLimits {
  readonly records: number;
  readonly bytes: number;
}

type Read = ReadBatch | Extract<SourceFetch, { readonly kind: "ended" }>;

interface Held {
  readonly fetch: Read;
  /** What it takes of the worker's memory; an end takes nothing. */
  readonly lot: Lot | undefined;
}

/** What was read of a shard and not taken yet: one producer, one consumer, and a bound that makes the producer wait. */
export class ReadAhead {
  readonly #limits: ReadAheadLimits;
  readonly #onAwaited: () => void;
  readonly #queue: Held[] = [];
  /** Taken, and not begun by the processor. */
  #taken: Lot | undefined;
  /** Taken, and not worked through. */
  #inHand: ReadBatch | undefined;
  #records = 0;
  #bytes = 0;
  #takers = 0;
  #failure: { readonly error: unknown } | undefined;
  #wakeConsumer: (() => void) | undefined;
  #wakeProducer: (() => void) | undefined;

  /** @param onAwaited called when the consumer begins to wait */
  constructor(limits: ReadAheadLimits, onAwaited: () => void) {
    this.#limits = limits;
    this.#onAwaited = onAwaited;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Whether the consumer waits for the next batch. */
  get isAwaited(): boolean {
    return this.isEmpty && this.#takers > 0;
  }

  /** @param lot let go when the processor begins the batch */
  put(fetch: Read, lot?: Lot): void {
    this.#queue.push({ fetch, lot });
    if (fetch.kind === "records") {
      this.#records += fetch.count;
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
    // Whoever wants another has no use for the last one.
    this.begun();
    for (;;) {
      signal.throwIfAborted();
      const [first] = this.#queue;
      if (first?.fetch.kind === "ended") return first.fetch;
      if (first !== undefined) {
        this.#queue.shift();
        this.#taken = first.lot;
        this.#inHand = first.fetch;
        this.#records -= first.fetch.count;
        this.#bytes -= first.fetch.bytes;
        this.#wakeProducer?.();
        return first.fetch;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#awaitPut(signal);
    }
  }

  /** The batch that was taken last is in the processor's hands. */
  begun(): void {
    this.#taken?.release();
    this.#taken = undefined;
  }

  /** The batch that was taken last is worked through. */
  done(): void {
    this.#inHand?.done();
    this.#inHand = undefined;
  }

  clear(): void {
    this.begun();
    this.#inHand = undefined;
    for (const { lot } of this.#queue) lot?.release();
    this.#queue.length = 0;
    this.#records = 0;
    this.#bytes = 0;
  }

  async #awaitPut(signal: AbortSignal): Promise<void> {
    this.#takers += 1;
    try {
      const put = waitFor((wake) => (this.#wakeConsumer = wake), signal);
      this.#onAwaited();
      await put;
    } finally {
      this.#takers -= 1;
    }
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
