import { comparePositions, isSentinel, type Position } from "../model/position.js";
import type {
  OpenPartition,
  PartitionReader,
  PartitionSource,
  SourceFetch,
} from "../source/partition-source.js";
import { unlessAborted } from "./waiting.js";

/** One reader of one partition. A fetch that is interrupted goes on, and the next one picks it up: no batch is lost. */
export class Fetcher {
  readonly #reader: PartitionReader;
  readonly #stop = new AbortController();
  /** Records up to here are done, whatever the source hands out first (a reader may open at a whole aggregate). */
  #dropUntil: Position | undefined;
  #pending: Promise<SourceFetch> | undefined;

  /** @throws what the source throws on opening */
  constructor(source: PartitionSource, partition: OpenPartition) {
    this.#dropUntil = isSentinel(partition.checkpoint.sequenceNumber) ? undefined : partition.checkpoint;
    this.#reader = source.open(partition);
  }

  /**
   * The next batch, or undefined when the signal aborted first.
   * @throws what the reader throws: there is no point in going on with it
   */
  async fetch(signal: AbortSignal): Promise<SourceFetch | undefined> {
    for (;;) {
      const pending = (this.#pending ??= this.#next());
      const fetched = await unlessAborted(pending, signal);
      if (fetched === undefined) return undefined;
      this.#pending = undefined;
      const left = this.#withoutDone(fetched);
      if (left !== undefined) return left;
    }
  }

  /** A batch is given to the processor. */
  begun(): void {
    this.#reader.begun?.();
  }

  /** A batch was worked through. */
  done(): void {
    this.#reader.done?.();
  }

  close(): void {
    this.#stop.abort();
    const close = (): void => {
      this.#reader.close();
    };
    // The reader wants no call under way; one that ignores its signal is never closed, and holds nobody up.
    if (this.#pending === undefined) close();
    else void this.#pending.then(close, close).catch(() => undefined);
  }

  #next(): Promise<SourceFetch> {
    const next = (async () => this.#reader.next(this.#stop.signal))();
    // Whoever waits for it hears of its failure; nobody may be waiting.
    next.catch(() => undefined);
    return next;
  }

  #withoutDone(fetched: SourceFetch): SourceFetch | undefined {
    const until = this.#dropUntil;
    if (until === undefined || fetched.kind === "ended") return fetched;
    const { firstPosition } = fetched;
    if (firstPosition !== undefined && comparePositions(firstPosition, until) > 0) {
      // As nearly all are. They may not be made yet, and need not be before their turn.
      this.#dropUntil = undefined;
      return fetched;
    }
    const from = fetched.records.findIndex((record) => comparePositions(record, until) > 0);
    if (from === -1) return fetched.records.length === 0 ? fetched : undefined;
    this.#dropUntil = undefined;
    if (from === 0) return fetched;
    const records = fetched.records.slice(from);
    const bytes = records.reduce((sum, record) => sum + record.data.byteLength, 0);
    return { ...fetched, records, count: records.length, firstPosition: undefined, bytes };
  }
}
