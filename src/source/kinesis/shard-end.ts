import { LeaseholdError } from "../../model/errors.js";
import type { OpenPartition, SourcePartition } from "../partition-source.js";
import type { ShardList } from "./shard-list.js";

/** How many lists must agree before it is believed that a shard has no children, or is gone: one may be behind. */
export const childLists = 3;

/** What lists say of the end of one shard, each told as the answer or the failure that it is. */
export class ShardEnd {
  readonly #shards: ShardList;
  readonly #partition: OpenPartition;
  /** Lists in a row that did not name the shard. */
  #missing = 0;
  /** Lists in a row that named it without children. */
  #childless = 0;

  constructor(shards: ShardList, partition: OpenPartition) {
    this.#shards = shards;
    this.#partition = partition;
  }

  /** The shard was read. */
  answered(): void {
    this.#missing = 0;
  }

  /** Whether the stream is there and the shard is not: it was trimmed away, with all its records. */
  async isGone(signal: AbortSignal): Promise<boolean> {
    const listed = await this.#list(signal);
    if (listed === undefined) return false;
    // A list that names nothing says nothing. One that is behind does not know a new shard, all of whose records would be
    // skipped: the shard is believed gone when some lists in a row agree.
    const isNamed = listed.some((shard) => shard.partitionKey === this.#partition.partitionKey);
    this.#missing = isNamed || listed.length === 0 ? 0 : this.#missing + 1;
    return this.#missing >= childLists;
  }

  /**
   * The children by a fresh list, for an end that told none (not every service does), and for a shard that was trimmed away.
   * `unknown`: ask again. `open`: so the list shows the shard, which ends it only if the end is certain: written down, it
   * would leave the rest unread for ever.
   */
  async children(
    isCertain: boolean,
    signal: AbortSignal,
  ): Promise<readonly SourcePartition[] | "open" | "unknown"> {
    const key = this.#partition.partitionKey;
    const listed = await this.#list(signal);
    if (listed === undefined || listed.length === 0) return "unknown";
    const children = listed.filter((shard) => shard.parents.includes(key));
    const own = listed.find((shard) => shard.partitionKey === key);
    if (children.length > 0 || own === undefined) return children;
    if (own.open && !isCertain) return "open";
    // A list may be behind. Whatever is still missing then, discovery creates.
    this.#childless++;
    return this.#childless >= childLists ? children : "unknown";
  }

  /** A fresh list of shards; undefined when it could not be had now. */
  async #list(signal: AbortSignal): Promise<readonly SourcePartition[] | undefined> {
    try {
      const listed = await this.#shards.list(signal);
      this.#partition.onAnswer();
      return listed;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LeaseholdError && !error.retryable) throw error;
      this.#partition.onError(error);
      return undefined;
    }
  }
}
