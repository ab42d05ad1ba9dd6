import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
  type KinesisClientConfig,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect } from "chai";
import { startKinesisLocal, type KinesisLocal } from "../../src/embedded/kinesis-local.js";
import { position } from "../../src/model/position.js";
import { systemClock, systemRandom } from "../../src/runtime/system.js";
import { kinesis } from "../../src/source/kinesis/kinesis-source.js";
import type { KinesisOptions } from "../../src/source/kinesis/options.js";
import type { PartitionReader, PartitionSource, SourceFetch } from "../../src/source/partition-source.js";

const signal = new AbortController().signal;

describe("the Kinesis source on kinesis-local", function () {
  this.timeout(60_000);
  let emulator: KinesisLocal;
  let client: KinesisClient;
  const closers: (() => void)[] = [];

  before(async () => {
    emulator = await startKinesisLocal({ streams: { one: 1, two: 2, many: 3, formats: 1 } });
    client = new KinesisClient({ ...clientOptions(), requestHandler: new NodeHttpHandler() });
    for (const stream of ["one", "two", "many", "formats"]) await active(stream);
  });

  after(async () => {
    client.destroy();
    await emulator.stop();
  });

  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  function clientOptions(): KinesisClientConfig {
    return {
      endpoint: emulator.endpoint,
      region: emulator.region,
      credentials: { accessKeyId: "local", secretAccessKey: "local" },
    };
  }

  /** @param types is given the format of each answer to GetRecords */
  function source(
    streamName: string,
    options: Partial<KinesisOptions> = {},
    types: unknown[] = [],
  ): PartitionSource {
    const make = (defaults: KinesisClientConfig): KinesisClient => {
      const own = new KinesisClient({ ...defaults, ...clientOptions() });
      closers.push(() => own.destroy());
      own.middlewareStack.add(
        (next, context) => async (args) => {
          const result = await next(args);
          const { headers } = result.response as { readonly headers: Readonly<Record<string, string>> };
          if (context.commandName === "GetRecordsCommand") types.push(headers["content-type"]);
          return result;
        },
        { step: "deserialize", priority: "low", name: "types" },
      );
      return own;
    };
    return kinesis({ streamName, idlePollIntervalMs: 200, ...options, client: make })({
      clock: systemClock,
      random: systemRandom,
    });
  }

  function open(
    from: PartitionSource,
    partitionKey: string,
    sequenceNumber = "TRIM_HORIZON",
  ): PartitionReader {
    const reader = from.open({
      partitionKey,
      checkpoint: position(sequenceNumber),
      onError: (error) => {
        throw error;
      },
      onAnswer: () => {},
      onHeldUp: () => {},
    });
    closers.push(() => reader.close());
    return reader;
  }

  /** A stream is asked again until it has the state that the test waits for. */
  async function active(stream: string, shards = 1): Promise<void> {
    for (;;) {
      const listed = await client
        .send(new ListShardsCommand({ StreamName: stream }))
        .catch(() => ({ Shards: [] }));
      if ((listed.Shards ?? []).length >= shards) return;
    }
  }

  async function put(stream: string, ...texts: string[]): Promise<void> {
    const Records = texts.map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }));
    await client.send(new PutRecordsCommand({ StreamName: stream, Records }));
  }

  async function changed(change: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await change();
        return;
      } catch (error) {
        // The stream is still taking up its last change.
        if (!(error instanceof Error) || error.name !== "ResourceInUseException") throw error;
      }
    }
  }

  async function texts(reader: PartitionReader, count: number): Promise<string[]> {
    const found: string[] = [];
    while (found.length < count) {
      const fetch = await reader.next(signal);
      if (fetch.kind === "ended") throw new Error("ended too early");
      found.push(...fetch.records.map((record) => Buffer.from(record.data).toString()));
    }
    return found;
  }

  async function toTheEnd(reader: PartitionReader): Promise<{ records: number; children: string[] }> {
    let records = 0;
    for (;;) {
      const fetch: SourceFetch = await reader.next(signal);
      if (fetch.kind === "ended") {
        return { records, children: fetch.children.map((child) => child.partitionKey).sort() };
      }
      records += fetch.records.length;
    }
  }

  it("verifies a stream that is there, and names one that is not", async () => {
    await source("one").verify(signal);
    const error = await source("nowhere")
      .verify(signal)
      .catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "source-missing" });
  });

  it("reads what was put, and resumes after a checkpoint", async () => {
    await put("one", "a", "b", "c");
    const one = source("one");
    const [shard] = await one.list(signal);
    const key = shard?.partitionKey ?? "";
    const reader = open(one, key);
    const first = await reader.next(signal);
    if (first.kind === "ended") throw new Error("ended too early");
    const sequence = first.records[0]?.sequenceNumber ?? "";
    expect(await texts(open(one, key, sequence), 2)).to.deep.equal(["b", "c"]);
  });

  it("reads the same records in every format, as a bare client does", async () => {
    const sizes = [0, 1, 100, 5_000, 200_000];
    const put = sizes.map((size, i) => ({
      PartitionKey: `key ${String(i)} é🙂`,
      Data: Buffer.alloc(size, i),
    }));
    await client.send(new PutRecordsCommand({ StreamName: "formats", Records: put }));
    const [shard] = await source("formats").list(signal);
    const at = {
      StreamName: "formats",
      ShardId: shard?.partitionKey,
      ShardIteratorType: "TRIM_HORIZON" as const,
    };
    const { ShardIterator } = await client.send(new GetShardIteratorCommand(at));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    expect(Records).to.have.length(sizes.length);
    const expected = Records.map((record) => ({
      data: record.Data,
      partitionKey: record.PartitionKey,
      sequenceNumber: record.SequenceNumber,
      subSequenceNumber: 0,
      arrivalMs: record.ApproximateArrivalTimestamp?.getTime(),
    }));
    for (const wire of ["auto", "json", "sdk"] as const) {
      const types: unknown[] = [];
      const reader = open(source("formats", { wire }, types), shard?.partitionKey ?? "");
      const fetch = await reader.next(signal);
      expect(fetch.kind === "records" && fetch.records, wire).to.deep.equal(expected);
      reader.close();
      expect(new Set(types)).to.deep.equal(
        new Set([`application/x-amz-${wire === "auto" ? "cbor" : "json"}-1.1`]),
      );
    }
  });

  it("follows a split: the parent ends with both children, which hold what came after", async () => {
    const two = source("two");
    const [shard] = await two.list(signal);
    if (shard?.startingHashKey === undefined || shard.endingHashKey === undefined)
      throw new Error("no hashes");
    const middle = (BigInt(shard.startingHashKey) + BigInt(shard.endingHashKey)) / 2n;
    await changed(() =>
      client.send(
        new SplitShardCommand({
          StreamName: "two",
          ShardToSplit: shard.partitionKey,
          NewStartingHashKey: String(middle),
        }),
      ),
    );
    await active("two", 4);
    const { children } = await toTheEnd(open(two, shard.partitionKey));
    const listed = await two.list(signal);
    const expected = listed.filter((s) => s.parents.includes(shard.partitionKey));
    expect(children).to.deep.equal(expected.map((s) => s.partitionKey).sort());
    expect(children).to.have.length(2);
    expect(listed.find((s) => s.partitionKey === shard.partitionKey)?.open).to.equal(false);
  });

  it("follows a merge: both parents end with the one child", async () => {
    await put("many", ...Array.from({ length: 30 }, (_, i) => `record ${String(i)}`));
    const many = source("many");
    const shards = await many.list(signal);
    const [left, right] = shards;
    if (left === undefined || right === undefined) throw new Error("too few shards");
    await changed(() =>
      client.send(
        new MergeShardsCommand({
          StreamName: "many",
          ShardToMerge: left.partitionKey,
          AdjacentShardToMerge: right.partitionKey,
        }),
      ),
    );
    await active("many", 4);
    const ends = [
      await toTheEnd(open(many, left.partitionKey)),
      await toTheEnd(open(many, right.partitionKey)),
    ];
    const [end, otherEnd] = ends;
    expect(end?.children).to.have.length(1);
    expect(otherEnd?.children).to.deep.equal(end?.children);
    const child = (await many.list(signal)).find((s) => s.partitionKey === end?.children[0]);
    expect([...(child?.parents ?? [])].sort()).to.deep.equal([left.partitionKey, right.partitionKey].sort());
    const kept = await texts(
      open(many, shards[2]?.partitionKey ?? ""),
      30 - ends.reduce((n, e) => n + e.records, 0),
    );
    expect(kept.length + ends.reduce((sum, e) => sum + e.records, 0)).to.equal(30);
  });
});
