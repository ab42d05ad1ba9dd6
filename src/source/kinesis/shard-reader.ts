import { LeaseholdError, messageOf } from "../../model/errors.js";
import { formatPosition, isFinished, type Position } from "../../model/position.js";
import { sleep } from "../../runtime/clock.js";
import { jitter } from "../../runtime/random.js";
import type {
  OpenPartition,
  PartitionReader,
  SourceFetch,
  SourcePartition,
  SourceRuntime,
} from "../partition-source.js";
import { isAggregated } from "./aggregated.js";
import { failureKind, streamError } from "./failures.js";
import type { KinesisApi } from "./kinesis-api.js";
import { readSpacingMs, type KinesisConfig } from "./options.js";
import { NextAnswer } from "./next-answer.js";
import type { Lot, PrefetchBudget } from "./prefetch-budget.js";
import { ReadAhead } from "./read-ahead.js";
import { ReadBatch } from "./read-batch.js";
import { childLists, ShardEnd } from "./shard-end.js";
import { backOffMs, childOf, type ShardList } from "./shard-list.js";
import { ShardPlace, type LatestMark } from "./shard-place.js";
import { sourceRecord } from "./wire/decoded.js";
import type { RecordsAnswer } from "./wire/get-records.js";
import { MadeRecords, type SealedRecords } from "./wire/sealed-records.js";

export interface ShardReaderDeps {
  readonly api: KinesisApi;
  readonly shards: ShardList;
  readonly config: KinesisConfig;
  readonly runtime: SourceRuntime;
  /** Of all readers of the worker. */
  readonly budget: PrefetchBudget;
}

/** What holds a reader up is told of so often: below the shortest time after which a source counts as silent (1 s). */
const heldUpMs = 900;
const longRestMs = 1_000;
/** After so long without an answer others need not wait for what it will bring: full answers take less, hanging ones 30 s. */
const lateMs = 2_000;

/**
 * Reads one shard by polling, ahead of its processor. Five reads a second are Kinesis's limit for a shard, whoever reads
 * it; a shard with nothing new is asked at the idle interval.
 */
export class ShardReader implements PartitionReader {
  readonly #deps: ShardReaderDeps;
  readonly #partition: OpenPartition;
  readonly #place: ShardPlace;
  readonly #buffer: ReadAhead;
  readonly #end: ShardEnd;
  readonly #closing = new AbortController();
  #isReading = false;
  #iterator: string | undefined;
  /** When the next call may be made, on the monotonic clock. */
  #nextCallAtMs = -Infinity;
  /** Whether the wait until then is a rest, and no back-off. */
  #rests = false;
  /** Failures in a row. */
  #failures = 0;
  /** Answers in a row that told an end which the list did not know. */
  #falseEnds = 0;
  readonly #nextAnswer = new NextAnswer();
  /** The part in the worker's memory of the read that is due or under way. */
  #lot: Lot | undefined;

  constructor(deps: ShardReaderDeps, partition: OpenPartition, latest: LatestMark) {
    this.#deps = deps;
    this.#partition = partition;
    const { config } = deps;
    this.#place = new ShardPlace(partition.partitionKey, partition.checkpoint, config.timestampMs, latest);
    this.#end = new ShardEnd(deps.shards, partition);
    this.#buffer = new ReadAhead({ records: config.prefetchRecords, bytes: config.prefetchBytes }, () => {
      deps.budget.look();
    });
  }

  next(signal: AbortSignal): Promise<SourceFetch> {
    if (!this.#isReading) {
      this.#isReading = true;
      void this.#run(this.#closing.signal);
    }
    return this.#buffer.take(signal);
  }

  begun(): void {
    this.#buffer.begun();
  }

  done(): void {
    this.#buffer.done();
  }

  close(): void {
    this.#closing.abort();
    this.#letGo();
    this.#buffer.clear();
    // Whoever asks a closed reader must not wait for ever.
    this.#buffer.fail(new LeaseholdError("worker-stopped", "the shard's reader was closed"));
  }

  /** Reads until the shard ends, there is no point in going on, or the reader is closed. Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    try {
      const isCertain = isFinished(this.#partition.checkpoint);
      let children: readonly SourcePartition[] | undefined;
      while (children === undefined) {
        let hasEnded = isCertain;
        while (!hasEnded) {
          await this.#buffer.room(this.#deps.config.maxRecords, signal);
          await this.#pace(signal);
          hasEnded = await this.#tryRead(signal);
        }
        children = this.#children ?? (await this.#listedChildren(isCertain, signal));
      }
      this.#buffer.put({ kind: "ended", children });
    } catch (error) {
      if (!signal.aborted) this.#buffer.fail(error);
    }
  }

  /** The children that the last read of the shard told; undefined where it told none. */
  #children: readonly SourcePartition[] | undefined;

  async #pace(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps.runtime;
    for (;;) {
      signal.throwIfAborted();
      const waitMs = this.#nextCallAtMs - clock.monoMs();
      if (waitMs <= 0) return;
      // Between two reads: Kinesis's limit, the idle interval, or a back-off. A long rest in pieces, because a source at
      // rest is not a silent one.
      const inPieces = this.#rests && waitMs > longRestMs;
      await sleep(clock, inPieces ? heldUpMs : waitMs, signal);
      if (inPieces && !signal.aborted) this.#partition.onHeldUp();
    }
  }

  /** One read; true when the shard has ended. */
  async #tryRead(signal: AbortSignal): Promise<boolean> {
    const { api, runtime } = this.#deps;
    let isRenewing = false;
    try {
      this.#nextCallAtMs = runtime.clock.monoMs() + readSpacingMs;
      this.#rests = false;
      if (this.#iterator === undefined) {
        isRenewing = true;
        this.#iterator = await this.#place.iterator(api, runtime.clock, signal);
        isRenewing = false;
      }
      const lot = await this.#grantedLot(signal);
      const startedAtMs = runtime.clock.monoMs();
      this.#nextCallAtMs = startedAtMs + readSpacingMs;
      const answer = await this.#getRecords(this.#iterator, lot, signal);
      this.#failures = 0;
      this.#end.answered();
      this.#partition.onAnswer();
      // Nobody would let go of what is put into a closed reader.
      signal.throwIfAborted();
      return this.#take(answer, startedAtMs);
    } catch (error) {
      signal.throwIfAborted();
      // What is done about a failure brings no records.
      this.#letGo();
      return await this.#failed(error, isRenewing, signal);
    } finally {
      this.#letGo();
    }
  }

  /** As soon as the worker may hold what a read brings. */
  async #grantedLot(signal: AbortSignal): Promise<Lot> {
    const { clock } = this.#deps.runtime;
    const lot = this.#deps.budget.ask({
      expectedBytes: () => this.#nextAnswer.expectedBytes(clock.monoMs()),
      isAwaited: () => this.#buffer.isAwaited,
      isDoubtful: this.#failures > 0,
    });
    this.#lot = lot;
    while (!lot.isGranted()) {
      await sleep(clock, heldUpMs, lot.settled);
      signal.throwIfAborted();
      // Others hold its processor up: that is no silence of the source's, unless it was failing before.
      if (!lot.isGranted() && lot.need.isAwaited() && this.#failures === 0) this.#partition.onHeldUp();
    }
    return lot;
  }

  async #getRecords(iterator: string, lot: Lot, signal: AbortSignal): Promise<RecordsAnswer> {
    const { api, config, runtime } = this.#deps;
    const cancel = runtime.clock.setTimer(lateMs, () => {
      lot.late();
    });
    try {
      return await api.getRecords(iterator, config.maxRecords, signal);
    } finally {
      cancel();
    }
  }

  /** Of a read whose answer is not held. */
  #letGo(): void {
    this.#lot?.release();
    this.#lot = undefined;
  }

  #take(answer: RecordsAnswer, startedAtMs: number): boolean {
    const { config, runtime } = this.#deps;
    const { records: given, output } = answer;
    const behindMs = output.MillisBehindLatest;
    const stop = config.aggregated === "raw" ? -1 : given.findPayload(isAggregated);
    const aggregate = given.position(stop < 0 ? given.count : stop);
    const records = this.#withResumed(
      aggregate === undefined ? given : new MadeRecords(given.open().slice(0, stop)),
    );
    const last = records.position(-1);
    if (last !== undefined) this.#place.passed(last.sequenceNumber);
    const { heldBytes } = records;
    this.#nextAnswer.came(heldBytes, behindMs, startedAtMs);
    // An empty batch says that the shard was read; a second one behind it would say nothing new.
    if (last !== undefined || (config.emptyBatches && this.#buffer.isEmpty)) {
      this.#hold(heldBytes, new ReadBatch(records, behindMs));
    }
    if (aggregate !== undefined) throw this.#aggregateError(aggregate);
    if (given.count === 0 && (behindMs ?? 0) === 0) {
      // Scattered, so that the shards of a worker are not all read at one moment.
      const idleMs = jitter(runtime.random, config.idlePollIntervalMs, 0.9, 1);
      this.#nextCallAtMs = startedAtMs + Math.max(readSpacingMs, idleMs);
      this.#rests = true;
    }
    this.#iterator = output.NextShardIterator;
    if (this.#iterator !== undefined) {
      this.#falseEnds = 0;
      return false;
    }
    if ((output.ChildShards ?? []).length > 0) this.#children = output.ChildShards?.map(childOf);
    return true;
  }

  #hold(bytes: number, batch: ReadBatch): void {
    this.#lot?.arrived(bytes);
    this.#buffer.put(batch, this.#lot);
    this.#lot = undefined;
  }

  /**
   * A checkpoint inside an aggregate, as the KCL leaves one: handed over raw, the record comes whole once more, for what is
   * left of it. Its position must lie beyond the checkpoint, or it would count as done.
   */
  #withResumed(given: SealedRecords): SealedRecords {
    const { sequenceNumber, subSequenceNumber } = this.#partition.checkpoint;
    if (subSequenceNumber === 0 || given.position(0)?.sequenceNumber !== sequenceNumber) return given;
    const records = given.open();
    const [first, ...rest] = records;
    if (first === undefined || !isAggregated(first.data, 0, first.data.length))
      return new MadeRecords(records);
    const resumed = sourceRecord(first.data, first.partitionKey, sequenceNumber, first.arrivalMs);
    return new MadeRecords([Object.assign(resumed, { subSequenceNumber: subSequenceNumber + 1 }), ...rest]);
  }

  /** After a failed call: waits, throws when there is no point in going on, or true when the shard has gone. */
  async #failed(error: unknown, isRenewing: boolean, signal: AbortSignal): Promise<boolean> {
    if (error instanceof LeaseholdError && !error.retryable) throw error;
    const { config } = this.#deps;
    const kind = failureKind(error);
    if (kind === "denied") throw streamError(config.name, error);
    if (kind === "invalid" && isRenewing) throw this.#placeError(error);
    // Whatever became of the iterator, the place is known.
    if (kind !== "throttled" && kind !== "passing") this.#iterator = undefined;
    if (kind === "throttled" || kind === "expired") this.#partition.onAnswer();
    // An iterator is good for five minutes: that one got old is no failure, that the next is old at once would be.
    if (kind === "expired" && this.#failures++ === 0) return false;
    if (kind === "missing" && (await this.#end.isGone(signal))) return true;
    this.#partition.onError(streamError(config.name, error));
    this.#backOff(kind === "throttled" ? 2 : 0);
    return false;
  }

  #backOff(extra: number): void {
    const { clock, random } = this.#deps.runtime;
    const waitMs = Math.max(readSpacingMs, backOffMs(random, this.#failures + extra));
    this.#failures++;
    this.#nextCallAtMs = clock.monoMs() + waitMs;
  }

  /** Undefined: the list shows the shard open, so it is read on. */
  async #listedChildren(
    isCertain: boolean,
    signal: AbortSignal,
  ): Promise<readonly SourcePartition[] | undefined> {
    for (;;) {
      const children = await this.#end.children(isCertain, signal);
      if (children === "open") {
        this.#goOnThoughEnded();
        return undefined;
      }
      if (children !== "unknown") return children;
      this.#backOff(2);
      await this.#pace(signal);
    }
  }

  /** What was told as the shard's end was none, or the list is behind. The place is known. */
  #goOnThoughEnded(): void {
    this.#falseEnds++;
    if (this.#falseEnds >= childLists) {
      const { partitionKey } = this.#partition;
      const what = `an answer for shard ${partitionKey} told its end, but the list shows it open and without children`;
      this.#partition.onError(streamError(this.#deps.config.name, new Error(what)));
    }
    this.#backOff(1 + this.#falseEnds);
  }

  #placeError(error: unknown): LeaseholdError {
    return new LeaseholdError(
      "checkpoint-invalid",
      `shard ${this.#partition.partitionKey} of ${this.#deps.config.name} cannot be read from ${formatPosition(this.#partition.checkpoint)}: ${messageOf(error)}; if the stream was made anew, the leases are another stream's: use another application name`,
      { cause: error },
    );
  }

  #aggregateError({ sequenceNumber }: Position): LeaseholdError {
    return new LeaseholdError(
      "aggregated-record",
      `record ${sequenceNumber} of shard ${this.#partition.partitionKey} is an aggregate of the KPL, which this version does not take apart: set aggregated to "raw" to get such records as they are, or turn aggregation off in the producer`,
    );
  }
}
