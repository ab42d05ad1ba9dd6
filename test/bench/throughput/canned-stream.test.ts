import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect } from "chai";
import { bench, type Records } from "./bench.js";

interface Shape {
  readonly name: string;
  readonly shards: number;
  readonly recordBytes: number;
  readonly recordsPerCall: number;
}
interface Batch {
  readonly MillisBehindLatest: number;
  readonly NextShardIterator: string;
  readonly Records: readonly {
    readonly Data: Uint8Array | string;
    readonly PartitionKey: string;
    readonly SequenceNumber: string;
    readonly ApproximateArrivalTimestamp: number;
  }[];
}
interface Format {
  encode(value: unknown): Buffer;
  decode(bytes: Buffer): unknown;
}
interface Stream {
  call(
    operation: string,
    format: Format,
    request: object,
    use: (parts: Buffer[], done: () => void) => void,
  ): void;
  counts(): { readonly records: number[] };
}

const { CannedStream } = (await bench("canned/stream.mjs")) as { CannedStream: new (shape: Shape) => Stream };
const { json, cbor11 } = (await bench("canned/wire.mjs")) as Record<"json" | "cbor11", Format>;
const { placeOf, sumsOf } = (await bench("canned/records.mjs")) as Records;
const { CannedServer } = (await bench("canned-server.mjs")) as {
  CannedServer: {
    start(cell: object): Promise<{
      endpoint: string;
      stats(): Promise<{ readonly records: number[]; readonly cpuSeconds: number }>;
      stop(): Promise<void>;
    }>;
  };
};

/** An answer of the stream's, decoded, and what says that it was sent. */
function ask(
  stream: Stream,
  operation: string,
  format: Format,
  request: object,
): Promise<[unknown, () => void]> {
  return new Promise((resolve) => {
    stream.call(operation, format, request, (parts, done) => {
      resolve([format.decode(Buffer.concat(parts)), done]);
    });
  });
}

async function answer(stream: Stream, operation: string, format: Format, request: object): Promise<unknown> {
  const [value, done] = await ask(stream, operation, format, request);
  done();
  return value;
}

async function start(stream: Stream, at: object = { ShardIteratorType: "TRIM_HORIZON" }): Promise<string> {
  const request = { StreamName: "s", ShardId: "shardId-000000000001", ...at };
  const { ShardIterator } = (await answer(stream, "GetShardIterator", json, request)) as {
    ShardIterator: string;
  };
  return ShardIterator;
}

async function read(stream: Stream, format: Format, iterator: string, limit: number): Promise<Batch> {
  const request = { ShardIterator: iterator, Limit: limit };
  return (await answer(stream, "GetRecords", format, request)) as Batch;
}

const places = ({ Records }: Batch): string[] =>
  Records.map(({ SequenceNumber }) => {
    const { block, record } = placeOf(SequenceNumber);
    return `${String(block)}/${String(record)}`;
  });

describe("the throughput bench's canned stream", () => {
  let stream: Stream;
  beforeEach(() => {
    stream = new CannedStream({ name: "s", shards: 2, recordBytes: 30, recordsPerCall: 4 });
  });

  it("goes on without a gap, from block to block, whatever is asked for", async () => {
    let iterator = await start(stream);
    const seen: string[] = [];
    for (const limit of [10_000, 3, 3, 1, 10_000]) {
      const batch = await read(stream, json, iterator, limit);
      seen.push(places(batch).join(" "));
      iterator = batch.NextShardIterator;
    }
    expect(seen).to.deep.equal(["0/0 0/1 0/2 0/3", "1/0 1/1 1/2", "1/3", "2/0", "2/1 2/2 2/3"]);
    expect(stream.counts().records).to.deep.equal([0, 12]);
  });

  it("goes on behind and at a sequence number", async () => {
    const first = await read(stream, json, await start(stream), 4);
    const StartingSequenceNumber = first.Records[3]?.SequenceNumber;
    const at = await start(stream, { ShardIteratorType: "AT_SEQUENCE_NUMBER", StartingSequenceNumber });
    expect(places(await read(stream, json, at, 4))).to.deep.equal(["0/3"]);
    const behind = await start(stream, {
      ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
      StartingSequenceNumber,
    });
    expect(places(await read(stream, json, behind, 2))).to.deep.equal(["1/0", "1/1"]);
  });

  it("says the same in both formats", async () => {
    const iterator = (await read(stream, json, await start(stream), 2)).NextShardIterator;
    const [inJson, inCbor] = [await read(stream, json, iterator, 4), await read(stream, cbor11, iterator, 4)];
    const told = ({ MillisBehindLatest, NextShardIterator, Records }: Batch): unknown => ({
      MillisBehindLatest,
      NextShardIterator,
      records: Records.map(({ Data, PartitionKey, SequenceNumber }) => ({
        data: Buffer.from(Data as string, "base64").toString("hex"),
        PartitionKey,
        SequenceNumber,
      })),
    });
    const bytes = inCbor.Records.map((record) => ({
      ...record,
      Data: Buffer.from(record.Data as Uint8Array).toString("base64"),
    }));
    expect(told({ ...inCbor, Records: bytes })).to.deep.equal(told(inJson));
    const [seconds, milliseconds] = [inJson, inCbor].map(
      (it) => it.Records[0]?.ApproximateArrivalTimestamp ?? 0,
    );
    expect(milliseconds).to.equal(Math.round((seconds ?? 0) * 1_000));
  });

  it("leaves what is on its way as it is, and has the seventeenth wait for its turn", async () => {
    const request = { ShardIterator: await start(stream), Limit: 4 };
    const under: (() => void)[] = [];
    let iterator = request.ShardIterator;
    const first: Buffer[][] = [];
    for (let i = 0; i < 16; i++) {
      await new Promise<void>((resolve) => {
        stream.call("GetRecords", json, { ShardIterator: iterator, Limit: 4 }, (parts, done) => {
          first.push(parts);
          under.push(done);
          resolve();
        });
      });
      iterator = (json.decode(Buffer.concat(first[i] ?? [])) as Batch).NextShardIterator;
    }
    const waiting = ask(stream, "GetRecords", json, { ShardIterator: iterator, Limit: 4 });
    let isServed = false;
    void waiting.then(() => (isServed = true));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isServed, "served before its turn").to.equal(false);
    expect(first.map((parts) => places(json.decode(Buffer.concat(parts)) as Batch)[0])).to.deep.equal(
      Array.from({ length: 16 }, (_, block) => `${String(block)}/0`),
    );
    under[0]?.();
    const [served] = await waiting;
    expect(places(served as Batch)[0]).to.equal("16/0");
  });

  it("refuses an iterator and a name of another stream's", () => {
    const ignore = (): void => {};
    expect(() => {
      stream.call("GetRecords", json, { ShardIterator: "AAAAAAAAAAE0000" }, ignore);
    }).to.throw("no iterator of this stream");
    expect(() => {
      stream.call("ListShards", json, { StreamName: "other" }, ignore);
    }).to.throw("no stream other");
  });

  it("answers the SDK's client over HTTP, and counts what it has sent", async () => {
    const server = await CannedServer.start({ shards: 1, recordBytes: 1_000, limit: 2_000 });
    const client = new KinesisClient({
      endpoint: server.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      requestHandler: new NodeHttpHandler(),
    });
    try {
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({
          StreamName: "canned",
          ShardId: "shardId-000000000000",
          ShardIteratorType: "TRIM_HORIZON",
        }),
      );
      const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
      const sum = Records.reduce((total, { Data }) => total + (Data?.[0] ?? 0) + (Data?.at(-1) ?? 0), 0);
      expect(Records).to.have.length(2_000);
      expect(sum).to.equal(sumsOf(1_000, 2_000)(2_000));
      const { records, cpuSeconds } = await server.stats();
      expect(records).to.deep.equal([2_000]);
      expect(cpuSeconds).to.be.above(0);
    } finally {
      client.destroy();
      await server.stop();
    }
  });
});
