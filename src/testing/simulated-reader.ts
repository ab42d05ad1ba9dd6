import { LeaseholdError } from "../model/errors.js";
import { comparePositions, isSentinel, position, type Position } from "../model/position.js";
import type {
  OpenPartition,
  PartitionReader,
  SourceFetch,
  SourceRecord,
} from "../source/partition-source.js";
import { asPartition, type SimulatedShard, type SimulatedShards } from "./simulated-shards.js";

/** What a reader asks the stream, again and again, until an answer brings something. */
export interface Poll<Answer, Found> {
  /** How long the reader waits before it asks, ms: looked at before each question. */
  readonly waitMs: () => number;
  /** At the stream, when the question arrives. */
  readonly look: () => Answer;
  /** At the reader, when the answer does; undefined: there is nothing yet, ask again. What it throws ends the poll. */
  readonly answered: (answer: Answer) => Found | undefined;
  /** At the reader, where there was none. What it throws ends the poll. */
  readonly failed: (error: Error) => void;
}

export interface ReaderDeps {
  readonly shards: SimulatedShards;
  /** Polls the stream. A shard at rest is asked thousands of times: that is no work of promises. */
  readonly poll: <Answer, Found>(signal: AbortSignal, poll: Poll<Answer, Found>) => Promise<Found>;
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

  next(signal: AbortSignal): Promise<SourceFetch> {
    return this.#deps.poll<Answer, SourceFetch>(signal, {
      waitMs: () => (this.#isIdle ? this.#deps.idleMs : 0),
      look: () => this.#read(),
      answered: (answer) => this.#fetched(answer),
      failed: (error) => {
        // What passes is retried after the idle time; what does not, and the end of the tenure, is the caller's.
        if (!(error instanceof LeaseholdError && error.retryable) || signal.aborted) throw error;
        this.#partition.onError(error);
        this.#isIdle = true;
      },
    });
  }

  close(): void {
    // Nothing is held between two calls.
  }

  #fetched({ records, next, behindMs, children }: Answer): SourceFetch | undefined {
    this.#isIdle = records.length < this.#deps.batchRecords;
    this.#next = next;
    this.#partition.onAnswer();
    if (children !== undefined) return { kind: "ended", children: children.map(asPartition) };
    const last = records.at(-1);
    if (last === undefined) return undefined;
    return {
      kind: "records",
      records,
      lastPosition: position(last.sequenceNumber, last.subSequenceNumber),
      millisBehindLatest: behindMs,
      bytes: records.reduce((bytes, record) => bytes + record.data.length, 0),
    };
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
    return {
      records,
      next,
      behindMs: unread?.arrivalMs === undefined ? 0 : wallMs() - unread.arrivalMs,
      children: isAtEnd ? shard.children.flatMap((shardId) => shards.get(shardId) ?? []) : undefined,
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
