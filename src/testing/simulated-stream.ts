import { LeaseholdError } from "../model/errors.js";
import { trimHorizon, type Position } from "../model/position.js";
import type { Cancel } from "../runtime/clock.js";
import type { PartitionSource } from "../source/partition-source.js";
import type { StreamFault } from "./faults.js";
import type { SeededRandom } from "./seeded-random.js";
import { asPartition, SimulatedShards } from "./simulated-shards.js";
import { SimulatedReader, type Poll } from "./simulated-reader.js";
import type { VirtualClock } from "./virtual-clock.js";
import type { VirtualTime } from "./virtual-time.js";

export interface SimulatedStreamOptions {
  readonly name?: string;
  /** Open shards at the start. Default 8. */
  readonly shards?: number;
  /** Where partitions without a checkpoint begin. Default TRIM_HORIZON. */
  readonly initialPosition?: Position;
  /** One way, ms. Default 2 to 10. */
  readonly latencyMs?: readonly [number, number];
  /** Between two reads of one shard that brought nothing, ms. Default 250. */
  readonly idleMs?: number;
  /** Records in one answer at most. Default 100. */
  readonly batchRecords?: number;
}

/** Who reads: answers reach it through its own clock. */
export interface SourceLink {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
}

/** What befalls the reads of shards alone. */
type ReadFault = Extract<StreamFault, { kind: "stream-throttled" | "stream-denied" }>;

const encoder = new TextEncoder();
const usualLatencyMs = [2, 10] as const;

/** A partitioned stream on virtual time, with everything that was ever put into it kept to be checked against. */
export class SimulatedStream {
  readonly shards: SimulatedShards;
  readonly #time: VirtualTime;
  readonly #options: SimulatedStreamOptions;
  #outages = 0;
  readonly #readFaults = new Set<ReadFault>();
  /** Shards whose reads get no answer, with the answers that wait for the end of that. */
  readonly #silent = new Map<string, (() => void)[]>();
  #made = 0;

  constructor(time: VirtualTime, options: SimulatedStreamOptions = {}) {
    this.#time = time;
    this.#options = options;
    this.shards = new SimulatedShards(options.shards ?? 8);
  }

  /** Records put so far, over all shards. */
  get putRecords(): number {
    let records = 0;
    for (const shard of this.shards.all()) records += shard.records.length;
    return records;
  }

  /**
   * Puts one record.
   * @param at from 0 up to but not including 1: the place among the hash keys, which decides the shard
   * @returns its sequence number
   */
  put(at: number, text = `record ${String(this.#made)}`): string {
    this.#made++;
    const record = { data: bytesOf(text), partitionKey: String(at), arrivalMs: this.#time.wallMs };
    return this.shards.put(at, record).sequenceNumber;
  }

  /** Puts a record about every `everyMs`, at places that the seed decides, until what it returns is called. */
  produce(everyMs: number, random: SeededRandom): Cancel {
    let cancel: Cancel;
    const next = (): void => {
      cancel = this.#time.schedule(random.between(0.5, 1.5) * everyMs, () => {
        this.put(random.next());
        next();
      });
    };
    next();
    return () => {
      cancel();
    };
  }

  /** Splits one of the open shards; `pick` from 0 up to 1 says which. */
  splitAny(pick: number): readonly string[] {
    const open = this.shards.open();
    return this.shards.split(open[Math.floor(pick * open.length)]?.shardId ?? "");
  }

  /** Merges a pair of neighbours; `pick` from 0 up to 1 says which. */
  mergeAny(pick: number): string | undefined {
    const open = this.shards.open();
    const at = Math.floor(pick * (open.length - 1));
    return this.shards.merge(open[at]?.shardId ?? "", open[at + 1]?.shardId ?? "");
  }

  /** From now on every call fails, until what it returns is called. */
  beginOutage(): () => void {
    this.#outages++;
    let over = false;
    return () => {
      if (!over) this.#outages--;
      over = true;
    };
  }

  /** From now on reads of one open shard get no answer, until what it returns is called; `pick` as in `splitAny`. */
  beginSilence(pick: number): () => void {
    const open = this.shards.open();
    const shardId = open[Math.floor(pick * open.length)]?.shardId ?? "";
    if (this.#silent.has(shardId)) return () => undefined;
    this.#silent.set(shardId, []);
    return () => {
      const waiting = this.#silent.get(shardId) ?? [];
      this.#silent.delete(shardId);
      for (const answer of waiting) answer();
    };
  }

  /** From now on reads of shards are refused in this way, until what it returns is called. */
  begin(fault: ReadFault): () => void {
    this.#readFaults.add(fault);
    return () => {
      this.#readFaults.delete(fault);
    };
  }

  /** The stream as one worker reaches it. */
  source(link: SourceLink): PartitionSource {
    const ask = <T>(signal: AbortSignal, answer: () => T): Promise<T> => this.#ask(link, signal, answer);
    return {
      kind: "simulated",
      name: this.#options.name ?? "simulated-stream",
      evolves: true,
      initialPosition: this.#options.initialPosition ?? trimHorizon,
      verify: (signal) => ask(signal, () => undefined),
      list: (signal) => ask(signal, () => this.shards.all().map(asPartition)),
      open: (partition) =>
        new SimulatedReader(partition, {
          shards: this.shards,
          poll: (signal, poll) => this.#poll(link, signal, partition.partitionKey, poll),
          wallMs: () => this.#time.wallMs,
          idleMs: this.#options.idleMs ?? 250,
          batchRecords: this.#options.batchRecords ?? 100,
        }),
      close: () => undefined,
    };
  }

  /** @throws LeaseholdError what the weather makes of a read */
  #refuseRead(random: SeededRandom): void {
    for (const fault of this.#readFaults) {
      if (fault.kind === "stream-denied") {
        const why = "not authorized to read shards of the simulated stream; allow simulated:read";
        throw new LeaseholdError("source-denied", why);
      }
      if (!random.chance(fault.share)) continue;
      throw new LeaseholdError("source-throttled", "the stream throttles (simulated)", { retryable: true });
    }
  }

  #wayMs(link: SourceLink): number {
    const [from, to] = this.#options.latencyMs ?? usualLatencyMs;
    return link.random.between(from, to);
  }

  /** A question that is answered by what the stream is when it arrives: the answer is old when it comes back. */
  #ask<T>(link: SourceLink, signal: AbortSignal, answer: () => T): Promise<T> {
    const [thereMs, backMs] = [this.#wayMs(link), this.#wayMs(link)];
    return settledBy(signal, (settle) => {
      this.#time.schedule(thereMs, () => {
        const outcome = this.#outcome(answer);
        this.#time.schedule(backMs, () => {
          link.clock.deliver(() => {
            settle(outcome);
          });
        });
      });
    });
  }

  /**
   * Reads of a shard, of which a simulation has more than of anything else: a single event each, since records do not grow
   * old on their way. The wait before it is the stream's: a reader that stands still has asked all the same.
   */
  #poll<Answer, Found>(
    link: SourceLink,
    signal: AbortSignal,
    shardId: string,
    { waitMs, look, answered, failed }: Poll<Answer, Found>,
  ): Promise<Found> {
    return settledBy(signal, (settle) => {
      const ask = (): void => {
        // Whoever took the last answer may have ended the tenure.
        if (!signal.aborted) this.#time.schedule(waitMs() + this.#wayMs(link) + this.#wayMs(link), arrive);
      };
      const arrive = (): void => {
        // Nobody waits for it any more.
        if (signal.aborted || link.clock.isKilled) return;
        const silent = this.#silent.get(shardId);
        if (silent !== undefined) {
          silent.push(arrive);
          return;
        }
        const outcome = this.#outcome(() => {
          this.#refuseRead(link.random);
          return look();
        });
        link.clock.deliver(() => {
          // It was held up by a stop, and the tenure ended meanwhile.
          if (signal.aborted) return;
          const found = outcomeOf(() => {
            if (outcome.ok) return answered(outcome.value);
            failed(outcome.error);
            return undefined;
          });
          if (!found.ok) settle(found);
          else if (found.value === undefined) ask();
          else settle({ ok: true, value: found.value });
        });
      };
      ask();
    });
  }

  #outcome<T>(answer: () => T): Outcome<T> {
    return outcomeOf(() => {
      if (this.#outages > 0) throw down();
      return answer();
    });
  }
}

/** In UTF-8: the encoder makes a buffer outside the heap each time, for a few letters mostly. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

function outcomeOf<T>(answer: () => T): Outcome<T> {
  try {
    return { ok: true, value: answer() };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Settled by what `begin` starts, or rejected by the signal, whichever comes first. */
function settledBy<T>(
  signal: AbortSignal,
  begin: (settle: (outcome: Outcome<T>) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => {
      reject(reasonOf(signal));
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    begin((outcome) => {
      signal.removeEventListener("abort", onAbort);
      if (outcome.ok) resolve(outcome.value);
      else reject(outcome.error);
    });
  });
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}

function down(): LeaseholdError {
  return new LeaseholdError("source-unavailable", "the stream is down (simulated)", { retryable: true });
}
