import type { SourcePartition, SourceRecord } from "../source/partition-source.js";

/** A shard of the simulated stream, with all that was ever put into it. */
export interface SimulatedShard {
  readonly shardId: string;
  readonly parents: readonly string[];
  readonly startingHashKey: bigint;
  readonly endingHashKey: bigint;
  readonly startingSequenceNumber: string;
  readonly records: readonly SourceRecord[];
  readonly open: boolean;
  readonly children: readonly string[];
}

interface Shard extends SimulatedShard {
  /** Of 2 ** 32 places, evenly among the hash keys, the first that is its own. */
  readonly from: number;
  records: SourceRecord[];
  open: boolean;
  children: string[];
}

const hashKeys = 2n ** 128n;
/** A record is put at one of so many places among them: plain numbers, for there are thousands of records. */
const places = 2 ** 32;
const keysAPlace = hashKeys / BigInt(places);
/**
 * Close below a power of ten: the numbers get a digit more during every simulation, and whoever compares them as strings
 * takes 10…0 for less than 99…9.
 */
const firstSequenceNumber = 10n ** 20n - 500n;

/** The graph of shards: what a stream is, without its time and its faults. */
export class SimulatedShards {
  readonly #shards = new Map<string, Shard>();
  #sequence = firstSequenceNumber;
  #made = 0;
  /** In the order of their hash keys; undefined while one has been made or closed since. */
  #open: readonly Shard[] | undefined;

  constructor(count: number) {
    const width = hashKeys / BigInt(count);
    for (let i = 0; i < count; i++) {
      const from = width * BigInt(i);
      this.#add([], from, i === count - 1 ? hashKeys - 1n : from + width - 1n);
    }
  }

  all(): readonly SimulatedShard[] {
    return [...this.#shards.values()];
  }

  get(shardId: string): SimulatedShard | undefined {
    return this.#shards.get(shardId);
  }

  /** The open shards in the order of their hash keys: they cover all keys, each once. */
  open(): readonly SimulatedShard[] {
    return [...this.#openShards()];
  }

  /**
   * Puts a record into the open shard of the hash key.
   * @param at from 0 up to but not including 1: the place among all hash keys
   */
  put(at: number, record: Pick<SourceRecord, "data" | "partitionKey" | "arrivalMs">): SourceRecord {
    const place = Math.floor(at * places);
    const open = this.#openShards();
    // Together they cover all keys: the last one that begins at the key or before it takes it.
    let [low, high] = [0, open.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((open[middle]?.from ?? 0) <= place) low = middle;
      else high = middle - 1;
    }
    const shard = open[low];
    if (shard === undefined) throw new Error(`no open shard takes place ${String(place)}`);
    const put: SourceRecord = {
      ...record,
      sequenceNumber: this.#nextSequenceNumber(),
      subSequenceNumber: 0,
    };
    shard.records.push(put);
    return put;
  }

  /**
   * Closes a shard; two children share its keys.
   * @returns their ids, none when the shard is not open or too narrow
   */
  split(shardId: string): readonly string[] {
    const shard = this.#shards.get(shardId);
    if (shard?.open !== true || shard.endingHashKey === shard.startingHashKey) return [];
    const middle = (shard.startingHashKey + shard.endingHashKey) / 2n;
    const lower = this.#add([shardId], shard.startingHashKey, middle);
    const upper = this.#add([shardId], middle + 1n, shard.endingHashKey);
    this.#close(shard, [lower, upper]);
    return [lower, upper];
  }

  /**
   * Closes two neighbours; one child has the keys of both.
   * @returns its id, undefined when they are no open neighbours
   */
  merge(shardId: string, neighbourId: string): string | undefined {
    const [a, b] = [this.#shards.get(shardId), this.#shards.get(neighbourId)];
    if (a?.open !== true || b?.open !== true || b.startingHashKey !== a.endingHashKey + 1n) return undefined;
    const child = this.#add([shardId, neighbourId], a.startingHashKey, b.endingHashKey);
    this.#close(a, [child]);
    this.#close(b, [child]);
    return child;
  }

  /** The stream forgets a closed shard. */
  trim(shardId: string): void {
    if (this.#shards.get(shardId)?.open === false) this.#shards.delete(shardId);
  }

  #openShards(): readonly Shard[] {
    this.#open ??= [...this.#shards.values()]
      .filter((shard) => shard.open)
      .sort((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1));
    return this.#open;
  }

  #close(shard: Shard, children: string[]): void {
    shard.open = false;
    this.#open = undefined;
    shard.children = children;
  }

  #add(parents: readonly string[], startingHashKey: bigint, endingHashKey: bigint): string {
    const shardId = `shardId-${String(this.#made++).padStart(12, "0")}`;
    this.#open = undefined;
    this.#shards.set(shardId, {
      shardId,
      parents,
      startingHashKey,
      endingHashKey,
      from: Number((startingHashKey + keysAPlace - 1n) / keysAPlace),
      startingSequenceNumber: this.#nextSequenceNumber(),
      records: [],
      open: true,
      children: [],
    });
    return shardId;
  }

  // Numbers grow over the whole stream, as a shard's do and those of its children after it.
  #nextSequenceNumber(): string {
    this.#sequence += 7n;
    return String(this.#sequence);
  }
}

/** A shard as a source lists it. */
export function asPartition(shard: SimulatedShard): SourcePartition {
  return {
    partitionKey: shard.shardId,
    parents: shard.parents,
    open: shard.open,
    startingHashKey: String(shard.startingHashKey),
    endingHashKey: String(shard.endingHashKey),
    startingSequenceNumber: shard.startingSequenceNumber,
  };
}
