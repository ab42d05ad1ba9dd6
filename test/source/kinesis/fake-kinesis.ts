import { createHash } from "node:crypto";
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListShardsCommand,
  type _Record,
  type GetRecordsOutput,
  type GetShardIteratorInput,
  type KinesisClient,
  type ListShardsInput,
  type ListShardsOutput,
  type Shard,
} from "@aws-sdk/client-kinesis";
import sinon from "sinon";
import { position } from "../../../src/model/position.js";
import { kinesis } from "../../../src/source/kinesis/kinesis-source.js";
import type { KinesisOptions } from "../../../src/source/kinesis/options.js";
import type { PartitionReader, PartitionSource, SourceFetch } from "../../../src/source/partition-source.js";
import { seededRandom, VirtualTime } from "../../../src/testing/index.js";

type Answer<T> = T | Error | "never";

/** A failure as the SDK throws it. */
export function failure(name: string, message = name): Error {
  return Object.assign(new Error(message), { name });
}

export function record(sequenceNumber: number | string, data: Uint8Array = Buffer.from("x")): _Record {
  return { SequenceNumber: String(sequenceNumber), Data: data, PartitionKey: "k" };
}

export function aggregate(): Uint8Array {
  const body = Buffer.from("the body of a protobuf message");
  return Buffer.concat([
    Buffer.from([0xf3, 0x89, 0x9a, 0xc2]),
    body,
    createHash("md5").update(body).digest(),
  ]);
}

export function listed(ShardId: string, ...parents: string[]): Shard {
  const [ParentShardId, AdjacentParentShardId] = parents;
  return {
    ShardId,
    ParentShardId,
    AdjacentParentShardId,
    HashKeyRange: { StartingHashKey: "0", EndingHashKey: "9" },
    SequenceNumberRange: { StartingSequenceNumber: "1" },
  };
}

/** A Kinesis that answers what the test says, on virtual time. The last answer of a script is given for ever. */
export class FakeKinesis {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock();
  readonly iterators: Omit<GetShardIteratorInput, "StreamName">[] = [];
  /** When each GetRecords was asked, ms, and with which iterator. */
  readonly reads: { at: number; iterator: string; limit: number }[] = [];
  readonly lists: ListShardsInput[] = [];
  readonly errors: unknown[] = [];
  answers = 0;
  heldUps = 0;
  iteratorScript: Answer<string>[] = ["i0"];
  readScript: Answer<Partial<GetRecordsOutput>>[] = [{}];
  listScript: Answer<Partial<ListShardsOutput>>[] = [{}];
  readonly destroy = sinon.stub();
  readonly #signals: AbortSignal[] = [];

  readonly send = sinon.stub().callsFake((command: unknown, options: { abortSignal: AbortSignal }) => {
    this.#signals.push(options.abortSignal);
    if (command instanceof GetShardIteratorCommand) {
      const { StreamName: _name, ...input } = command.input;
      this.iterators.push(input);
      return this.#given(this.iteratorScript, (ShardIterator) => ({ ShardIterator }));
    }
    if (command instanceof GetRecordsCommand) {
      const { ShardIterator = "", Limit = 0 } = command.input;
      this.reads.push({ at: this.time.nowMs, iterator: ShardIterator, limit: Limit });
      const next = `i${String(this.reads.length)}`;
      return this.#given(this.readScript, (answer) => ({
        Records: [],
        NextShardIterator: next,
        MillisBehindLatest: 0,
        ...answer,
      }));
    }
    if (command instanceof ListShardsCommand) {
      this.lists.push(command.input);
      return this.#given(this.listScript, (answer) => answer);
    }
    throw new Error("no such command");
  });

  #given<T, R>(script: Answer<T>[], make: (answer: T) => R): Promise<R> {
    const answer = script.length > 1 ? script.shift() : script[0];
    if (answer === "never") return new Promise<R>(() => {});
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve(make(answer as T));
  }

  get lastSignal(): AbortSignal | undefined {
    return this.#signals.at(-1);
  }

  source(options: Partial<KinesisOptions> = {}): PartitionSource {
    const client = { send: this.send, destroy: this.destroy } as unknown as KinesisClient;
    const stream = options.streamArn === undefined ? { streamName: "orders" } : {};
    const factory = kinesis({ ...stream, ...options, client: () => client });
    return factory({ clock: this.clock, random: seededRandom("kinesis") });
  }

  open(options: Partial<KinesisOptions> = {}, from = "TRIM_HORIZON", sub = 0): PartitionReader {
    return this.openIn(this.source(options), {}, from, sub);
  }

  openIn(source: PartitionSource, tenure: object, from: string, sub = 0): PartitionReader {
    return source.open({
      partitionKey: "shard-1",
      checkpoint: position(from, sub),
      tenure,
      onError: (error) => this.errors.push(error),
      onAnswer: () => this.answers++,
      onHeldUp: () => this.heldUps++,
    });
  }

  next(reader: PartitionReader, signal = new AbortController().signal): Promise<SourceFetch> {
    return this.time.runUntilSettled(reader.next(signal));
  }

  /** What a reader that is opened there brings first, of answers that are one after the other. */
  first(
    answers: Answer<Partial<GetRecordsOutput>>[],
    options: Partial<KinesisOptions> = {},
    from = "TRIM_HORIZON",
    sub = 0,
  ): Promise<SourceFetch> {
    this.readScript = answers;
    return this.next(this.open(options, from, sub));
  }

  /** A reader that is opened reads for so long, and is closed; `next` brings what it brings. */
  async readFor(ms: number, options: Partial<KinesisOptions> = {}): Promise<SourceFetch | undefined> {
    const reader = this.open(options);
    let brought: SourceFetch | undefined;
    reader.next(new AbortController().signal).then(
      (fetch) => (brought = fetch),
      () => {},
    );
    await this.time.advance(ms);
    reader.close();
    return brought;
  }

  /** What `next` is refused with. */
  async refusal(reader: PartitionReader): Promise<unknown> {
    const fetch = await this.next(reader).catch((error: unknown) => ({ error }));
    if (!("error" in fetch)) throw new Error(`it was not refused, but brought ${fetch.kind}`);
    return fetch.error;
  }

  /** Starts reading without waiting for what it brings. */
  start(reader: PartitionReader): AbortController {
    const controller = new AbortController();
    reader.next(controller.signal).catch(() => {});
    return controller;
  }

  /** Between the reads, ms. */
  get gaps(): number[] {
    return this.reads.slice(1).map((read, i) => read.at - (this.reads[i]?.at ?? 0));
  }
}

export function numbers(fetch: SourceFetch): string[] {
  return fetch.kind === "ended" ? ["ended"] : fetch.records.map((r) => r.sequenceNumber);
}

/** The children of which the end of a shard tells; none is told of where there is no end. */
export function childrenOf(fetch: SourceFetch): string[] | undefined {
  return fetch.kind === "ended" ? fetch.children.map(({ partitionKey }) => partitionKey) : undefined;
}
