import type { ChildShard, Shard } from "@aws-sdk/client-kinesis";
import { sleep } from "../../runtime/clock.js";
import { jitter } from "../../runtime/random.js";
import type { SourcePartition, SourceRuntime } from "../partition-source.js";
import { failureKind, streamError } from "./failures.js";
import type { KinesisApi } from "./kinesis-api.js";

const triesAtMost = 5;
const firstBackOffMs = 250;
const longestBackOffMs = 10_000;

/** How long to wait after the n-th failure in a row. */
export function backOffMs(random: SourceRuntime["random"], failures: number): number {
  return jitter(random, Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(failures, 10)), 0.5, 1);
}

/** The whole graph of a stream's shards, always without a filter: what a filter leaves out differs between services. */
export class ShardList {
  readonly #api: KinesisApi;
  readonly #stream: string;
  readonly #runtime: SourceRuntime;

  constructor(api: KinesisApi, stream: string, runtime: SourceRuntime) {
    this.#api = api;
    this.#stream = stream;
    this.#runtime = runtime;
  }

  /** @throws LeaseholdError `source-missing`, `source-denied`, `source-unavailable` */
  verify(signal: AbortSignal): Promise<void> {
    return this.#tried(signal, async () => {
      await this.#api.listShards({ MaxResults: 1 }, signal);
    });
  }

  /** @throws LeaseholdError `source-missing`, `source-denied`, `source-unavailable` */
  list(signal: AbortSignal): Promise<readonly SourcePartition[]> {
    return this.#tried(signal, async () => {
      const shards: SourcePartition[] = [];
      let token: string | undefined;
      do {
        const page = await this.#api.listShards(token === undefined ? {} : { NextToken: token }, signal);
        for (const shard of page.Shards ?? []) shards.push(partitionOf(shard));
        token = page.NextToken;
      } while (token !== undefined);
      return shards;
    });
  }

  /** Tries the passing failures again, from the first page on. */
  async #tried<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        return await call();
      } catch (error) {
        signal.throwIfAborted();
        const kind = failureKind(error);
        const isFinal = kind === "missing" || kind === "denied" || kind === "invalid";
        if (isFinal || failures >= triesAtMost) throw streamError(this.#stream, error);
      }
      await sleep(this.#runtime.clock, backOffMs(this.#runtime.random, failures), signal);
      signal.throwIfAborted();
    }
  }
}

function partitionOf(shard: Shard): SourcePartition {
  const range = shard.SequenceNumberRange;
  const parents = [shard.ParentShardId, shard.AdjacentParentShardId].filter((key) => key !== undefined);
  return {
    partitionKey: shard.ShardId ?? "",
    parents,
    open: range?.EndingSequenceNumber === undefined,
    ...hashesOf(shard),
    ...(range?.StartingSequenceNumber === undefined
      ? {}
      : { startingSequenceNumber: range.StartingSequenceNumber }),
  };
}

/** A child as the last read of its parent tells it. It may be closed itself by now, which only a list would say. */
export function childOf(child: ChildShard): SourcePartition {
  return {
    partitionKey: child.ShardId ?? "",
    parents: child.ParentShards ?? [],
    open: true,
    ...hashesOf(child),
  };
}

function hashesOf(shard: Shard | ChildShard): { startingHashKey?: string; endingHashKey?: string } {
  const { StartingHashKey, EndingHashKey } = shard.HashKeyRange ?? {};
  if (StartingHashKey === undefined || EndingHashKey === undefined) return {};
  return { startingHashKey: StartingHashKey, endingHashKey: EndingHashKey };
}
