import {
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  type GetShardIteratorInput,
  type KinesisClientConfig,
  type ListShardsInput,
  type ListShardsOutput,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Connections } from "../../runtime/connections.js";
import type { SourceRuntime } from "../partition-source.js";
import type { KinesisConfig } from "./options.js";
import { GetRecords, type RecordsAnswer } from "./wire/get-records.js";

/** Time for one call. A full answer of 10 MiB takes its time; a socket that hangs must not hold a shard for ever. */
const callTimeoutMs = 30_000;

export interface ShardIterator {
  readonly iterator: string;
  /** The service's own time when it answered, to the second, rounded down; undefined where the answer did not say. */
  readonly serverMs: number | undefined;
}

/** The three calls by which a stream is read, each of them one attempt bounded in time. */
export class KinesisApi {
  readonly #client: KinesisClient;
  readonly #stream: KinesisConfig["stream"];
  readonly #clock: SourceRuntime["clock"];
  readonly #records: GetRecords;
  /** A client made by the user's factory may be shared: it is theirs to destroy. */
  readonly #isOwn: boolean;
  /** One for each shard that is being read. */
  readonly #connections = new Connections(10_000);

  constructor(
    config: Pick<KinesisConfig, "client" | "stream" | "wire" | "zeroCopy">,
    { clock, random, onFallback }: SourceRuntime,
  ) {
    const defaults = clientDefaults(this.#connections);
    this.#client = config.client?.(defaults) ?? new KinesisClient(defaults);
    this.#isOwn = config.client === undefined;
    this.#stream = config.stream;
    this.#clock = clock;
    this.#records = new GetRecords(this.#client, {
      wire: config.wire,
      copy: !config.zeroCopy,
      onFallback: (why) => onFallback?.(why),
      clock,
      random,
    });
  }

  /** One page. A token stands for the stream: Kinesis refuses both at once. */
  listShards(
    page: Pick<ListShardsInput, "NextToken" | "MaxResults">,
    signal: AbortSignal,
  ): Promise<ListShardsOutput> {
    const input = page.NextToken === undefined ? { ...page, ...this.#stream } : page;
    return this.#call(signal, (abortSignal) =>
      this.#client.send(new ListShardsCommand(input), { abortSignal }),
    );
  }

  getRecords(iterator: string, limit: number, signal: AbortSignal): Promise<RecordsAnswer> {
    const input = { ShardIterator: iterator, Limit: limit, ...this.#arn() };
    return this.#call(signal, (abortSignal) => this.#records.send(input, abortSignal));
  }

  async getShardIterator(
    at: Omit<GetShardIteratorInput, "StreamName" | "StreamARN">,
    signal: AbortSignal,
  ): Promise<ShardIterator> {
    const command = new GetShardIteratorCommand({ ...at, ...this.#stream });
    let serverMs: number | undefined;
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        serverMs = dateOf(result.response);
        return result;
      },
      { step: "deserialize", priority: "low", name: "leaseholdAnswerDate" },
    );
    const output = await this.#call(signal, (abortSignal) => this.#client.send(command, { abortSignal }));
    if (output.ShardIterator === undefined) throw new Error("Kinesis answered without a shard iterator");
    return { iterator: output.ShardIterator, serverMs };
  }

  close(): void {
    if (this.#isOwn) this.#client.destroy();
  }

  /** An iterator knows its shard, but the ARN decides which account's endpoint is asked. */
  #arn(): { StreamARN?: string } {
    return "StreamARN" in this.#stream ? { StreamARN: this.#stream.StreamARN } : {};
  }

  async #call<T>(signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const controller = new AbortController();
    let end = (): void => undefined;
    const given = new Promise<never>((_, reject) => {
      const giveUp = (reason: unknown): void => {
        controller.abort();
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      };
      // A hanging socket: the SDK's own time-outs run on a clock that no test holds.
      const cancel = this.#clock.setTimer(callTimeoutMs, () => {
        this.#connections.dropIdle();
        giveUp(new Error(`Kinesis did not answer within ${String(callTimeoutMs)} ms`));
      });
      const onAbort = (): void => {
        giveUp(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      end = () => {
        cancel();
        signal.removeEventListener("abort", onAbort);
      };
    });
    try {
      return await Promise.race([send(controller.signal), given]);
    } finally {
      end();
    }
  }
}

function clientDefaults({ httpAgent, httpsAgent }: Connections): KinesisClientConfig {
  // The SDK's default for Kinesis is HTTP/2 with a session of its own for every call, and refuses plain endpoints.
  // Retries are the reader's, on the worker's clock.
  return {
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent, httpsAgent, connectionTimeout: 5_000 }),
  };
}

/** The `Date` header of an answer as the SDK's middleware sees it. */
function dateOf(response: unknown): number | undefined {
  if (typeof response !== "object" || response === null || !("headers" in response)) return undefined;
  const { headers } = response;
  if (typeof headers !== "object" || headers === null || !("date" in headers)) return undefined;
  const ms = typeof headers.date === "string" ? Date.parse(headers.date) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
