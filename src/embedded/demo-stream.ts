import {
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  ResourceInUseException,
  SplitShardCommand,
  type Shard,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { sleep, type Clock } from "../runtime/clock.js";

export interface DemoRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  /** Where on the ring of hash keys it falls, from 0 up to but not including 1. */
  readonly place: number;
}

export interface OpenShard {
  readonly shardId: string;
  readonly start: bigint;
  readonly end: bigint;
}

export interface DemoStreamOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly streamName: string;
  readonly clock: Clock;
}

const recordsPerCall = 500;
const changeTries = 100;
const changeBackOffMs = 100;
const ring = 2n ** 128n;
/** A place is given to so many binary digits: more than enough for any number of shards. */
const placeDigits = 2 ** 40;

/** What the demo does to its stream, as a producer and as an operator. Credentials mean nothing to an emulator. */
export class DemoStream {
  readonly #client: KinesisClient;
  readonly #options: DemoStreamOptions;

  constructor(options: DemoStreamOptions) {
    this.#options = options;
    this.#client = new KinesisClient({
      endpoint: options.endpoint,
      region: options.region,
      credentials: { accessKeyId: "demo", secretAccessKey: "demo" },
      // A put that is repeated by the SDK may be applied twice: the books would show duplicates that no worker made.
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ requestTimeout: 20_000 }),
    });
  }

  /** Puts all records, those again that the stream refused. */
  async put(records: readonly DemoRecord[], signal: AbortSignal): Promise<void> {
    let left = records;
    while (left.length > 0 && !signal.aborted) {
      const portion = left.slice(0, recordsPerCall);
      const answer = await this.#client.send(
        new PutRecordsCommand({
          StreamName: this.#options.streamName,
          Records: portion.map((record) => ({
            Data: record.data,
            PartitionKey: record.partitionKey,
            ExplicitHashKey: hashKey(record.place),
          })),
        }),
      );
      const refused = portion.filter((_, i) => answer.Records?.[i]?.ErrorCode !== undefined);
      left = [...refused, ...left.slice(portion.length)];
      // A shard takes so much a second: what it refused waits for the next.
      if (refused.length > 0) await sleep(this.#options.clock, 200, signal);
    }
  }

  /** The shards that take records, in the order of their hash keys. */
  async openShards(): Promise<readonly OpenShard[]> {
    const { Shards = [] } = await this.#client.send(
      new ListShardsCommand({ StreamName: this.#options.streamName }),
    );
    return Shards.filter((shard) => shard.SequenceNumberRange?.EndingSequenceNumber === undefined)
      .map(openShard)
      .sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  /** Splits a shard in its middle. */
  async split(shard: OpenShard): Promise<void> {
    await this.#whenActive(() =>
      this.#client.send(
        new SplitShardCommand({
          StreamName: this.#options.streamName,
          ShardToSplit: shard.shardId,
          NewStartingHashKey: String((shard.start + shard.end) / 2n),
        }),
      ),
    );
  }

  /** Merges two neighbours. */
  async merge(left: OpenShard, right: OpenShard): Promise<void> {
    await this.#whenActive(() =>
      this.#client.send(
        new MergeShardsCommand({
          StreamName: this.#options.streamName,
          ShardToMerge: left.shardId,
          AdjacentShardToMerge: right.shardId,
        }),
      ),
    );
  }

  /** A stream takes one change at a time: while it is UPDATING the next is refused. */
  async #whenActive(change: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await change();
        return;
      } catch (error) {
        if (!(error instanceof ResourceInUseException) || tries >= changeTries) throw error;
        await sleep(this.#options.clock, changeBackOffMs);
      }
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

function hashKey(place: number): string {
  return String((BigInt(Math.floor(place * placeDigits)) * ring) / BigInt(placeDigits));
}

function openShard(shard: Shard): OpenShard {
  return {
    shardId: shard.ShardId ?? "",
    start: BigInt(shard.HashKeyRange?.StartingHashKey ?? 0),
    end: BigInt(shard.HashKeyRange?.EndingHashKey ?? 0),
  };
}
