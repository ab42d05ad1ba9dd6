import { LeaseholdError } from "../model/errors.js";
import { comparePositions, isSentinel, position, type Position } from "../model/position.js";
import type {
  OpenPartition,
  PartitionReader,
  SourceFetch,
  SourceRecord,
} from "../source/partition-source.js";
import { asPartition, type SimulatedShard, type SimulatedShards } from "./simulated-shards.js";

export interface ReaderDeps {
  readonly shards: SimulatedShards;
  /** Carries a question to the stream, which looks for its answer after so long, and the answer back. */
  readonly ask: <T>(signal: AbortSignal, waitMs: number, answer: () => T) => Promise<T>;
  readonly wallMs: () => number;
  readonly idleMs: number;
  readonly batchRecords: number;
}

interface Answer {
  readonly records: readonly SourceRecord[];
  readonly next: number;
  readonly behindMs: number;
  readonly children: readonly SimulatedShard[] | undefined;
}

/** Polls one shard of the simulated stream. */
export class SimulatedReader implements PartitionReader {
  readonly #partition: OpenPartition;
  readonly #deps: ReaderDeps;
  /** Index of the next record; undefined until the stream was asked where the checkpoint is. */
  #next: number | undefined;
  /** The last question brought all that there was, or nothing: there is no hurry. */
  #isIdle = false;

  constructor(partition: OpenPartition, deps: ReaderDeps) {
    this.#partition = partition;
    this.#deps = deps;
  }

  async next(signal: AbortSignal): Promise<SourceFetch> {
    for (;;) {
      const answer = await this.#fetch(signal);
      this.#isIdle = answer === undefined || answer.records.length < this.#deps.batchRecords;
      if (answer !== undefined) {
        this.#next = answer.next;
        this.#partition.onAnswer();
        if (answer.children !== undefined) {
          return { kind: "ended", children: answer.children.map(asPartition) };
        }
        const last = answer.records.at(-1);
        if (last !== undefined) {
          return {
            kind: "records",
            records: answer.records,
            lastPosition: position(last.sequenceNumber, last.subSequenceNumber),
            millisBehindLatest: answer.behindMs,
            bytes: answer.records.reduce((bytes, record) => bytes + record.data.length, 0),
          };
        }
      }
    }
  }

  close(): void {
    // Nothing is held between two calls.
  }

  async #fetch(signal: AbortSignal): Promise<Answer | undefined> {
    try {
      const waitMs = this.#isIdle ? this.#deps.idleMs : 0;
      return await this.#deps.ask(signal, waitMs, () => this.#read());
    } catch (error) {
      // What passes is retried after the idle time; what does not, and the end of the tenure, is the caller's.
      if (!(error instanceof LeaseholdError && error.retryable) || signal.aborted) throw error;
      this.#partition.onError(error);
      return undefined;
    }
  }

  /** At the stream, at the instant of the request's arrival. */
  #read(): Answer {
    const { shards, batchRecords, wallMs } = this.#deps;
    const shard = shards.get(this.#partition.partitionKey);
    if (shard === undefined) {
      throw new LeaseholdError(
        "source-missing",
        `shard ${this.#partition.partitionKey} does not exist in the simulated stream`,
      );
    }
    const from = this.#next ?? firstAfter(shard.records, this.#partition.checkpoint);
    const records = shard.records.slice(from, from + batchRecords);
    const next = from + records.length;
    const unread = shard.records[next];
    const isAtEnd = !shard.open && unread === undefined && records.length === 0;
    const children = shard.children.flatMap((shardId) => shards.get(shardId) ?? []);
    return {
      records,
      next,
      behindMs: unread?.arrivalMs === undefined ? 0 : wallMs() - unread.arrivalMs,
      children: isAtEnd ? children : undefined,
    };
  }
}

/** The index of the first record that a reader at the checkpoint is to be given. */
function firstAfter(records: readonly SourceRecord[], checkpoint: Position): number {
  if (checkpoint.sequenceNumber === "LATEST" || checkpoint.sequenceNumber === "SHARD_END")
    return records.length;
  if (isSentinel(checkpoint.sequenceNumber)) return 0;
  // A sub-sequence number above 0 stands inside a record, which is then given again.
  const done = (record: SourceRecord): boolean => {
    const order = comparePositions(position(record.sequenceNumber), position(checkpoint.sequenceNumber));
    return order < 0 || (order === 0 && checkpoint.subSequenceNumber === 0);
  };
  const at = records.findIndex((record) => !done(record));
  return at === -1 ? records.length : at;
}
