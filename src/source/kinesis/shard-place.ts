import type { GetShardIteratorInput } from "@aws-sdk/client-kinesis";
import { isSentinel, type Position } from "../../model/position.js";
import type { SourceRuntime } from "../partition-source.js";
import type { KinesisApi } from "./kinesis-api.js";

/** Without a time from the service, how far our own wall clock may be ahead of it: AWS refuses signatures beyond this. */
const clockToleranceMs = 5 * 60_000;

/** Where in its shard a reader is, so that a new iterator goes on exactly there. */
export class ShardPlace {
  readonly #shardId: string;
  readonly #checkpoint: Position;
  readonly #timestampMs: number | undefined;
  #lastRead: string | undefined;
  /** When the first iterator at LATEST was made, by the service's clock: LATEST asked again would skip what came since. */
  #latestSinceMs: number | undefined;

  constructor(shardId: string, checkpoint: Position, timestampMs: number | undefined) {
    this.#shardId = shardId;
    this.#checkpoint = checkpoint;
    this.#timestampMs = timestampMs;
  }

  /** Everything up to here was read. */
  passed(sequenceNumber: string): void {
    this.#lastRead = sequenceNumber;
  }

  async iterator(api: KinesisApi, clock: SourceRuntime["clock"], signal: AbortSignal): Promise<string> {
    const at = this.#at();
    const sentWallMs = clock.now().wallMs;
    const { iterator, serverMs } = await api.getShardIterator(at, signal);
    if (at.ShardIteratorType === "LATEST") {
      // To the second and rounded down, so at worst a second of older records comes along.
      this.#latestSinceMs = serverMs ?? sentWallMs - clockToleranceMs;
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
      if (this.#latestSinceMs === undefined) return { ShardId, ShardIteratorType: "LATEST" };
      return { ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(this.#latestSinceMs) };
    }
    if (sequenceNumber === "AT_TIMESTAMP" && this.#timestampMs !== undefined) {
      return { ShardId, ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(this.#timestampMs) };
    }
    // Also for a lease created at a timestamp that the options name no more: too much is read rather than too little.
    return { ShardId, ShardIteratorType: "TRIM_HORIZON" };
  }
}
