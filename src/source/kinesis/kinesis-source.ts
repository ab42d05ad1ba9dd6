import type { Position } from "../../model/position.js";
import type {
  OpenPartition,
  PartitionReader,
  PartitionSource,
  SourceFactory,
  SourcePartition,
  SourceRuntime,
} from "../partition-source.js";
import { KinesisApi } from "./kinesis-api.js";
import { resolveKinesis, type KinesisConfig, type KinesisOptions } from "./options.js";
import { PrefetchBudget } from "./prefetch-budget.js";
import { ShardList } from "./shard-list.js";
import type { LatestMark } from "./shard-place.js";
import { ShardReader } from "./shard-reader.js";

/**
 * A Kinesis stream, read by polling.
 *
 * Permissions: `kinesis:ListShards`, `kinesis:GetShardIterator`, `kinesis:GetRecords`.
 * @throws LeaseholdError `invalid-option`
 */
export function kinesis(options: KinesisOptions): SourceFactory {
  const config = resolveKinesis(options);
  return (runtime) => new KinesisSource(config, runtime);
}

class KinesisSource implements PartitionSource {
  readonly kind = "kinesis";
  readonly name: string;
  readonly evolves = true;
  readonly initialPosition: Position;
  readonly #config: KinesisConfig;
  readonly #runtime: SourceRuntime;
  readonly #api: KinesisApi;
  readonly #shards: ShardList;
  readonly #budget: PrefetchBudget;
  /** Goes with the tenure: a reader that failed is followed by another, which must begin where it did. */
  readonly #latest = new WeakMap<object, LatestMark>();

  constructor(config: KinesisConfig, runtime: SourceRuntime) {
    this.name = config.name;
    this.initialPosition = config.initialPosition;
    this.#config = config;
    this.#runtime = runtime;
    this.#api = new KinesisApi(config, runtime);
    this.#shards = new ShardList(this.#api, config.name, runtime);
    this.#budget = new PrefetchBudget(config.prefetchTotalBytes);
  }

  verify(signal: AbortSignal): Promise<void> {
    return this.#shards.verify(signal);
  }

  list(signal: AbortSignal): Promise<readonly SourcePartition[]> {
    return this.#shards.list(signal);
  }

  open(partition: OpenPartition): PartitionReader {
    return new ShardReader(
      {
        api: this.#api,
        shards: this.#shards,
        config: this.#config,
        runtime: this.#runtime,
        budget: this.#budget,
      },
      partition,
      this.#latestOf(partition.tenure),
    );
  }

  #latestOf(tenure: object | undefined): LatestMark {
    if (tenure === undefined) return {};
    let mark = this.#latest.get(tenure);
    if (mark === undefined) this.#latest.set(tenure, (mark = {}));
    return mark;
  }

  close(): void {
    this.#api.close();
  }
}
