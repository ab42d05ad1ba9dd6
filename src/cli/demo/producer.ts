import type { DemoRecord, DemoStream } from "../../embedded/demo-stream.js";
import { sleep, type Clock } from "../../runtime/clock.js";
import type { Flight } from "./flights.js";
import type { SinkRecord } from "./messages.js";

export interface ProducerOptions {
  readonly clock: Clock;
  readonly stream: Pick<DemoStream, "put">;
  readonly flights: readonly Flight[];
  /** How many are put in all. */
  readonly records: number;
  /** Over how long, in ms: records are to flow as long as anything happens to the workers. */
  readonly paceMs: number;
}

const portionMs = 500;
/** What is kept for the case that everything takes longer than planned. */
const reserve = 0.1;
/** The golden ratio's fraction: its multiples fall evenly around the ring, whatever the number of shards. */
const goldenRatio = 0.618_033_988_749_894_9;

/** Puts the input on the stream, steadily. */
export class Producer {
  readonly #options: ProducerOptions;
  #put = 0;
  #hurried = false;

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /** Records put so far. */
  get put(): number {
    return this.#put;
  }

  /** Puts what is left at once. */
  hurry(): void {
    this.#hurried = true;
  }

  /** Resolves when everything was put, or the signal aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, stream, records } = this.#options;
    const startedAtMs = clock.now().monoMs;
    while (this.#put < records && !signal.aborted) {
      const due = this.#due(clock.now().monoMs - startedAtMs);
      if (due > this.#put) {
        const portion = Array.from({ length: due - this.#put }, (_, i) => this.record(this.#put + i));
        await stream.put(portion.map(demoRecord), signal);
        this.#put = due;
      }
      if (!this.#hurried) await sleep(clock, portionMs, signal);
    }
  }

  /** The input's nth record; a data set that is too short starts over. */
  record(number: number): SinkRecord {
    const { flights } = this.#options;
    const flight = flights[number % flights.length];
    if (flight === undefined) throw new Error("the data set is empty");
    return [number, flight.origin, flight.delay, flight.distance];
  }

  #due(elapsedMs: number): number {
    const { records, paceMs } = this.#options;
    // One portion more than nothing at the very start: the first worker finds records waiting.
    if (this.#hurried) return Math.min(records, this.#put + 1_000);
    const share =
      elapsedMs <= paceMs
        ? (1 - reserve) * (elapsedMs / paceMs)
        : 1 - reserve + reserve * Math.min(1, (elapsedMs - paceMs) / paceMs);
    return Math.min(records, Math.max(1, Math.floor(records * share)));
  }
}

function demoRecord(record: SinkRecord): DemoRecord {
  return {
    data: Buffer.from(JSON.stringify(record)),
    partitionKey: record[1],
    place: (record[0] * goldenRatio) % 1,
  };
}
