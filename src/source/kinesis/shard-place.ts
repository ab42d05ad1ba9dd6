import type { GetShardIteratorInput } from "@aws-sdk/client-kinesis";
import { isSentinel, type Position } from "../../model/position.js";
import type { SourceRuntime } from "../partition-source.js";
import type { KinesisApi } from "./kinesis-api.js";

/** Without a time from the service, how far our own wall clock may be ahead of it: AWS refuses signatures beyond this. */
const clockToleranceMs = 5 * 60_000;

/** When the first iterator at LATEST was made, by the service's clock: LATEST asked again would skip what came since. */
export interface LatestMark {
  sinceMs?: number;
}

/** Where in its shard a reader is, so that a new iterator goes on exactly there. */
export class ShardPlace {
  readonly #shardId: string;
  readonly #checkpoint: Position;
  readonly #timestampMs: number | undefined;
  readonly #latest: LatestMark;
  #lastRead: string | undefined;

  /** @param latest shared by all readers of one tenure */
  constructor(
    shardId: string,
    checkpoint: Position,
    timestampMs: number | undefined,
    latest: LatestMark = {},
  ) {
    this.#shardId = shardId;
    this.#checkpoint = checkpoint;
    this.#timestampMs = timestampMs;
    this.#latest = latest;
  }

  /** Everything up to here was read. */
  passed(sequenceNumber: string): void {
    this.#lastRead = sequenceNumber;
  }

  async iterator(api: KinesisApi, clock: SourceRuntime["clock"], signal: AbortSignal): Promise<string> {
    const at = this.#at();
    const sentWallMs = clock.wallMs();
    const { iterator, serverMs } = await api.getShardIterator(at, signal);
    if (at.ShardIteratorType === "LATEST") {
      // To the second and rounded down, so at worst a second of older records comes along.
      this.#latest.sinceMs = serverMs ?? sentWallMs - clockToleranceMs;
    }
    return iterator;
  }

  #at(): Omit<GetShardIteratorInput, "StreamName" | "StreamARN"> {
    const ShardId = this.#shardId;
    const { sequenceNumber, subSequenceNumber } = this.#checkpoint;
    if (this.#lastRead !== undefined) {
      return { ShardId, ShardIteratorType: "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber: this.#lastRead };
    }
    if (!isSentinel(sequenceNumber)) {
      // Above 0 the record was perhaps not done to its end: it comes once more.
      const ShardIteratorType = subSequenceNumber > 0 ? "AT_SEQUENCE_NUMBER" : "AFTER_SEQUENCE_NUMBER";
      return { ShardId, ShardIteratorType, StartingSequenceNumber: sequenceNumber };
    }
    if (sequenceNumber === "LATEST") {
      const { sinceMs } = this.#latest;
      if (sinceMs === undefined) return { ShardId, ShardIteratorType: "LATEST" };
      return { ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(sinceMs) };
    }
    if (sequenceNumber === "AT_TIMESTAMP" && this.#timestampMs !== undefined) {
      return { ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(this.#timestampMs) };
    }
    // Also for a lease created at a timestamp that the options name no more: too much is read rather than too little.
    return { ShardId, ShardIteratorType: "TRIM_HORIZON" };
  }
}
