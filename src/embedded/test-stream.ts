import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ResourceNotFoundException,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { sleep } from "../runtime/clock.js";
import { systemClock } from "../runtime/system.js";
import { DemoStream, type OpenShard } from "./demo-stream.js";
import { kinesisEndpoint, sharedSettings, type Endpoints } from "./endpoints.js";

export interface TestStreamOptions {
  readonly endpoints: Endpoints;
  readonly streamName: string;
  /** Shards at the start. Default 1. */
  readonly shards?: number;
  /** Until it must be ACTIVE, ms. Default 60,000. */
  readonly withinMs?: number;
}

const lookIntervalMs = 100;

/** A stream for a test, and what a producer and an operator do to it. */
export class TestStream {
  readonly streamName: string;
  readonly #client: KinesisClient;
  readonly #desk: DemoStream;

  /** Of a stream that is there already; `createStream` makes one. */
  constructor({ endpoints, streamName }: Pick<TestStreamOptions, "endpoints" | "streamName">) {
    const endpoint = kinesisEndpoint(endpoints);
    const settings = sharedSettings(endpoints);
    this.streamName = streamName;
    // Emulators speak HTTP/1.1 only.
    this.#client = new KinesisClient({ ...settings, endpoint, requestHandler: new NodeHttpHandler() });
    this.#desk = new DemoStream({ endpoint, region: settings.region, streamName, clock: systemClock });
  }

  /** @throws Error when it is not ACTIVE within `withinMs` */
  async create(shards: number, withinMs: number): Promise<void> {
    const { streamName: StreamName } = this;
    await this.#client.send(new CreateStreamCommand({ StreamName, ShardCount: shards }));
    const startedAtMs = systemClock.now().monoMs;
    while ((await this.#status()) !== "ACTIVE") {
      if (systemClock.now().monoMs - startedAtMs > withinMs) {
        throw new Error(`stream ${StreamName} was not ACTIVE within ${String(withinMs)} ms`);
      }
      await sleep(systemClock, lookIntervalMs);
    }
  }

  /**
   * Puts one record for each text, its UTF-8 bytes: spread evenly over the hash keys in their order, or all of them on one
   * shard.
   */
  async put(texts: readonly string[], shard?: OpenShard): Promise<void> {
    const records = texts.map((text, i) => ({
      data: Buffer.from(text),
      partitionKey: text.slice(0, 256) || "empty",
      place: shard === undefined ? (i + 0.5) / texts.length : middleOf(shard),
    }));
    await this.#desk.put(records, new AbortController().signal);
  }

  /** The shards that take records, in the order of their hash keys. */
  openShards(): Promise<readonly OpenShard[]> {
    return this.#desk.openShards();
  }

  /** Splits a shard in its middle. Waits while the stream is not ready for it. */
  split(shard: OpenShard): Promise<void> {
    return this.#desk.split(shard);
  }

  /** Merges two shards that lie side by side. Waits while the stream is not ready for it. */
  merge(left: OpenShard, right: OpenShard): Promise<void> {
    return this.#desk.merge(left, right);
  }

  /** Deletes the stream. */
  async delete(): Promise<void> {
    await this.#client.send(new DeleteStreamCommand({ StreamName: this.streamName }));
  }

  /** Closes its connections; the stream stays. */
  close(): void {
    this.#client.destroy();
    this.#desk.close();
  }

  async #status(): Promise<string | undefined> {
    try {
      const { StreamDescriptionSummary: summary } = await this.#client.send(
        new DescribeStreamSummaryCommand({ StreamName: this.streamName }),
      );
      return summary?.StreamStatus;
    } catch (error) {
      // What was created a moment ago may not be listed yet.
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    }
  }
}

/** From 0 up to 1. */
function middleOf({ start, end }: OpenShard): number {
  return Number((start + end) / 2n) / 2 ** 128;
}

/**
 * Creates a stream and waits until it can be used.
 * @throws Error when it is not ACTIVE within `withinMs`; the SDK's errors, if it exists already, say
 */
export async function createStream(options: TestStreamOptions): Promise<TestStream> {
  const stream = new TestStream(options);
  try {
    await stream.create(options.shards ?? 1, options.withinMs ?? 60_000);
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}
