// A stream as its producer and its operator see it.
import {
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  ResourceInUseException,
  SplitShardCommand,
} from "@aws-sdk/client-kinesis";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../../scripts/host-clock.mjs";

const changeTries = 100;
/** So many puts in a row may fail: then the traffic is not what a scenario takes it for. */
const failuresInARow = 5;
const data = Buffer.alloc(256, "record ");

export class Stream {
  #client;
  #name;
  #producing;
  /** Every record that was put: { lease, record, at }, `at` when the answer came. */
  produced = [];

  constructor(rig, name) {
    this.#client = rig.kinesis();
    this.#name = name;
  }

  get name() {
    return this.#name;
  }

  /** The shards that take records, in the order of their hash keys. */
  async openShards() {
    const { Shards } = await this.#client.send(new ListShardsCommand({ StreamName: this.#name }));
    return Shards.filter((shard) => shard.SequenceNumberRange.EndingSequenceNumber === undefined)
      .map(({ ShardId, HashKeyRange }) => ({
        shardId: ShardId,
        start: BigInt(HashKeyRange.StartingHashKey),
        end: BigInt(HashKeyRange.EndingHashKey),
      }))
      .sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  /** One record into each of the shards. */
  async put(shards) {
    const answer = await this.#client.send(
      new PutRecordsCommand({
        StreamName: this.#name,
        Records: shards.map((shard) => ({
          Data: data,
          PartitionKey: "key",
          ExplicitHashKey: String((shard.start + shard.end) / 2n),
        })),
      }),
    );
    const at = nowMs();
    for (const { ShardId, SequenceNumber } of answer.Records) {
      if (SequenceNumber !== undefined) this.produced.push({ lease: ShardId, record: SequenceNumber, at });
    }
  }

  /** Even traffic: one record into each shard every `everyMs`, until `rest`. Resolves when the first are in. */
  async produce(everyMs) {
    const stop = new AbortController();
    const shards = await this.openShards();
    await this.put(shards);
    const running = (async () => {
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
      let failures = 0;
      for (let next = nowMs(); !stop.signal.aborted; next += everyMs) {
        try {
          await this.put(shards);
          failures = 0;
        } catch (error) {
          // The next round puts other records: one that was applied without an answer is owed to nobody.
          if (++failures >= failuresInARow) throw error;
        }
        await sleep(Math.max(0, next + everyMs - nowMs()), undefined, { signal: stop.signal }).catch(
          () => {},
        );
      }
    })();
    // Its failure is that of `rest`.
    running.catch(() => {});
    this.#producing = { stop, running };
  }

  /** Ends the traffic. */
  async rest() {
    const producing = this.#producing;
    this.#producing = undefined;
    producing?.stop.abort();
    await producing?.running;
  }

  /** Splits a shard in its middle. */
  split({ shardId, start, end }) {
    return this.#change(
      new SplitShardCommand({
        StreamName: this.#name,
        ShardToSplit: shardId,
        NewStartingHashKey: String((start + end) / 2n),
      }),
    );
  }

  /** Merges two neighbours. */
  merge(left, right) {
    return this.#change(
      new MergeShardsCommand({
        StreamName: this.#name,
        ShardToMerge: left,
        AdjacentShardToMerge: right,
      }),
    );
  }

  /** A stream takes one change at a time: while it is UPDATING the next is refused. */
  async #change(command) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#client.send(command);
      } catch (error) {
        if (!(error instanceof ResourceInUseException) || tries >= changeTries) throw error;
        await sleep(100);
      }
    }
  }

  close() {
    this.#client.destroy();
  }
}
