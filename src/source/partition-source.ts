import type { PartitionNode } from "../model/lineage.js";
import type { Position } from "../model/position.js";
import type { Reading } from "../model/reading.js";

/** A partition as its source lists it. */
export type SourcePartition = PartitionNode;

/** One record. Plain data; the payload is bytes as they came. */
export interface SourceRecord {
  /** A part of `data.buffer`: others' bytes lie beside it there, which are kept as long as this is. */
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
  /** When the source took it, if it says so (wall time of the source, ms). */
  readonly arrivalMs?: number | undefined;
}

/** What a reader has. */
export type SourceFetch =
  | {
      readonly kind: "records";
      /** Perhaps made only when they are first looked at: by then a processor is to get them. */
      readonly records: readonly SourceRecord[];
      /** How many they are, where they are made so late. */
      readonly count?: number;
      /** Where the first of them lies, where they are made so late: who asks for no more need not look at them. */
      readonly firstPosition?: Position | undefined;
      /** A checkpoint here means that all of this, and what came before it, is done. Undefined for an empty batch with no position. */
      readonly lastPosition: Position | undefined;
      /** How far behind the newest record the reader is, where the source says so. */
      readonly millisBehindLatest?: number;
      /** Payload bytes, for bounds. */
      readonly bytes: number;
      /** For fixed partitions: the turn, from 1 up over the partition's life. */
      readonly turn?: number;
    }
  | { readonly kind: "ended"; readonly children: readonly SourcePartition[] };

/** Reads one partition in one tenure. */
export interface PartitionReader {
  /**
   * The next batch. Waits until the source has one (or its idle interval ended, when empty batches are wanted), obeying
   * the source's rate limits; retries the source's passing failures itself and reports each to `onError`.
   * Rejects with a LeaseholdError when there is no point in going on, with the signal's reason when it aborts.
   */
  next(signal: AbortSignal): Promise<SourceFetch>;
  /** Called when the batch that `next` brought is given to the processor: from then on it is not read ahead any more. */
  begun?(): void;
  /**
   * Called after a batch was worked through, so that a source of turns can time the next one. Nobody looks at what `next`
   * brought any more: a source may empty it.
   */
  done?(): void;
  /** Lets go; no call to `next` is under way. */
  close(): void;
}

export interface OpenPartition {
  readonly partitionKey: string;
  /** Resume after this position; at it where its sub-sequence number is above 0. */
  readonly checkpoint: Position;
  /**
   * Stands for the tenure. Opened again under the same one, a partition at a checkpoint that is a moment (`LATEST`) is
   * read from where it was first opened: what came since is not skipped.
   */
  readonly tenure?: object;
  /** Told of every passing failure. */
  readonly onError: (error: unknown) => void;
  /** Told whenever the source answered, with records or without: silence is measured from it. */
  readonly onAnswer: () => void;
  /**
   * Told at least every second while the source is not asked, because it rests between two reads or waits for memory: no
   * silence of this partition, and no answer that would make others' silence their own.
   */
  readonly onHeldUp: () => void;
}

/** Something that is partitioned. */
export interface PartitionSource {
  /** For people and events: `kinesis` or `fixed`. */
  readonly kind: string;
  /** For people: the stream's name, or what is shared. */
  readonly name: string;
  /** Whether partitions can end and have children. */
  readonly evolves: boolean;
  /** Where a partition that has no checkpoint yet begins; the checkpoint of leases created for an empty table. */
  readonly initialPosition: Position;
  /**
   * Checks that the source can be read.
   * @throws LeaseholdError `source-missing`, `source-denied`, `source-unavailable`
   */
  verify(signal: AbortSignal): Promise<void>;
  /** Every partition that the source still knows, closed ones included. */
  list(signal: AbortSignal): Promise<readonly SourcePartition[]>;
  open(partition: OpenPartition): PartitionReader;
  close(): void;
}

/** What a source takes of its host: the runtime's `Clock` and `Random`, by their shapes, for a port knows the model only. */
export interface SourceRuntime {
  readonly clock: {
    now(): Reading;
    monoMs(): number;
    wallMs(): number;
    setTimer(ms: number, fn: () => void): () => void;
  };
  readonly random: { next(): number; id(): string };
  /** Told, with why, when the source goes on for good in a way that costs more. */
  readonly onFallback?: (why: string) => void;
}

/** What a user gives as `source`, by `kinesis(…)` or `fixedPartitions(…)`; the worker makes the source on its own clock. */
export type SourceFactory = (runtime: SourceRuntime) => PartitionSource;
