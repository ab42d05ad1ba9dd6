import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";

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
interface Read {
  readonly shardId: string;
  readonly start: number;
  readonly records: number;
  readonly sum: number;
}
interface Frame {
  readonly label: string;
  readonly micros: number;
  readonly children: Map<string, Frame>;
}

const urlOf = (file: string): string => new URL(`../../bench/${file}`, import.meta.url).href;
const bench = (file: string): Promise<unknown> => import(urlOf(file));
const { CannedStream } = (await bench("throughput/canned/stream.mjs")) as {
  CannedStream: new (shape: Shape) => Stream;
};
const { json, cbor11 } = (await bench("throughput/canned/wire.mjs")) as Record<"json" | "cbor11", Format>;
const { placeOf, sequenceNumber, sumsOf } = (await bench("throughput/canned/records.mjs")) as {
  sequenceNumber(place: object): string;
  placeOf(sequence: string): { readonly block: number; readonly record: number };
  sumsOf(recordBytes: number, size: number): (records: number) => number;
};
const { CannedServer } = (await bench("throughput/canned-server.mjs")) as {
  CannedServer: {
    start(cell: object): Promise<{
      endpoint: string;
      stats(): Promise<{ readonly records: number[]; readonly cpuSeconds: number }>;
      stop(): Promise<void>;
    }>;
  };
};
const { checkRead, checkMoved, mergedRuns } = (await bench("throughput/run.mjs")) as {
  checkRead(cell: object, read: Read[], before: number[], after: number[]): number;
  checkMoved(cell: object, from: Map<string, string>, to: Map<string, string>): number;
  mergedRuns(reads: Read[][]): Read[];
};
const { isComplete } = (await bench("throughput/measure.mjs")) as {
  isComplete(cell: object, wanted: string[]): boolean;
};
const { verdicts } = (await bench("throughput/reach.mjs")) as {
  verdicts(result: object): { readonly name: string; readonly kept: boolean; readonly shown: string }[];
};
const { fold } = (await bench("throughput/flame.mjs")) as { fold(profile: object): Frame };

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

describe("the throughput bench's check of what was read", () => {
  const cell = { recordBytes: 30, size: 4, shards: 1 };
  const sumOf = sumsOf(30, 4);
  const shardId = "shardId-000000000000";
  const check =
    (records: number, sum: number, sent: number, start = 0) =>
    (): void => {
      checkRead(cell, [{ shardId, start, records, sum }], [100], [100 + sent]);
    };

  it("takes what adds up and was sent", () => {
    expect(check(9, sumOf(9), 12)).not.to.throw();
  });

  it("refuses other bytes, more than was sent, and far less", () => {
    expect(check(9, sumOf(9) - 1, 12)).to.throw("the bytes of its 9 records from 0 on are others");
    expect(check(9, sumOf(8), 12)).to.throw("the bytes of its 9 records from 0 on are others");
    expect(check(13, sumOf(13), 12)).to.throw("13 records were counted, 12 were sent");
    expect(check(9, sumOf(9), 100_000)).to.throw("of 100000 records only 9 were counted");
  });

  it("refuses a shard whose first records were left out", () => {
    expect(check(9, sumOf(13) - sumOf(4), 16, 4)).to.throw("4 records were not read from 0 on");
  });

  it("counts what was read twice, because a lease was lost, and refuses a gap between two tenures", () => {
    const tenures = (start: number): Read[] => [
      { shardId, start: 0, records: 9, sum: sumOf(9) },
      { shardId, start, records: 4, sum: sumOf(start + 4) - sumOf(start) },
    ];
    expect(checkRead(cell, tenures(6), [0], [16])).to.equal(3);
    expect(() => checkRead(cell, tenures(10), [0], [16])).to.throw("1 records were not read from 9 on");
  });

  it("refuses a shard that was never read", () => {
    expect(() => {
      checkRead({ ...cell, shards: 2 }, [{ shardId, start: 0, records: 4, sum: sumOf(4) }], [0, 0], [4, 4]);
    }).to.throw("1 of 2 shards were read");
  });
});

describe("the throughput bench's check of processes that share a stream", () => {
  const cell = { recordBytes: 30, size: 4, shards: 1 };
  const sumOf = sumsOf(30, 4);
  const run = (start: number, end: number): Read => ({
    shardId: "shardId-000000000000",
    start,
    records: end - start,
    sum: sumOf(end) - sumOf(start),
  });
  const check = (...reads: Read[][]): number => checkRead(cell, mergedRuns(reads), [0], [40]);

  it("takes a shard that went to another process and came back", () => {
    expect(check([run(0, 9), run(20, 30)], [run(9, 20)])).to.equal(0);
  });

  it("refuses what no process has read", () => {
    expect(() => check([run(0, 9)], [run(10, 20)])).to.throw("1 records were not read from 9 on");
  });

  it("counts what two have read", () => {
    expect(check([run(0, 9)], [run(5, 20)])).to.equal(4);
    expect(check([run(0, 20)], [run(0, 20)])).to.equal(20);
  });

  it("allows no more to be read ahead than eight full answers, however large records are", () => {
    const large = { recordBytes: 25_600, size: 4, shards: 1 };
    const most = (8 * 10 * 2 ** 20) / 25_600;
    const sum = sumsOf(25_600, 4)(4);
    const read = [{ shardId: "shardId-000000000000", start: 0, records: 4, sum }];
    expect(checkRead(large, read, [0], [4 + Math.floor(most)])).to.equal(0);
    expect(() => checkRead(large, read, [0], [5 + Math.floor(most)])).to.throw("only 4 were counted");
  });
});

describe("the throughput bench's subjects on Node", () => {
  const sequence = (index: number): string =>
    sequenceNumber({ block: Math.floor(index / 10), record: index % 10 });
  const batch = (from: number): unknown => ["s", 10, sequence(from), sequence(from + 9), 0];

  /** Has a tally see batches, the last of them over and over, and tells what it said before the word to begin and after. */
  async function tell(alone: string, batches: unknown[]): Promise<Record<string, unknown>[]> {
    const script = `
      const { Tally } = await import(${JSON.stringify(urlOf("throughput/subjects/tally.mjs"))});
      const tally = new Tally();
      for (const each of ${JSON.stringify(batches)}) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        tally.batch(...each);
      }`;
    const env = {
      ...process.env,
      BENCH_ALONE: alone,
      BENCH_SHARDS: "1",
      BENCH_BLOCK: "10",
      BENCH_WARM_UP_MS: "0",
      BENCH_WINDOW_MS: "1",
    };
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env });
    const said: Record<string, unknown>[] = [];
    for await (const line of createInterface(child.stdout)) {
      const told = JSON.parse(line) as Record<string, unknown>;
      said.push(told);
      if (told.event === "ready") child.stdin.write("begin\n");
      if (told.event === "to") child.stdin.end();
    }
    return said;
  }

  it("say when they are ready, and count from the bench's word on", async () => {
    const said = await tell(
      "yes",
      Array.from({ length: 12 }, (_, i) => batch(10 * i)),
    );
    expect(said.map(({ event }) => event)).to.deep.equal(["ready", "to"]);
    expect(said[1]?.records).to.be.within(10, 100);
  });

  it("refuse a gap when they are alone, and tell of one as two runs when they share the stream", async () => {
    const gap = [batch(0), batch(10), ...Array.from({ length: 10 }, (_, i) => batch(500 + 10 * i))];
    expect((await tell("yes", gap)).at(-1)?.event).to.equal("lost");
    const read = (await tell("no", gap)).at(-1)?.read as Read[];
    expect(read.map(({ start }) => start)).to.deep.equal([0, 500]);
  });
});

describe("the throughput bench's demand for checkpoints", () => {
  const rows = (...checkpoints: string[]): Map<string, string> =>
    new Map(checkpoints.map((checkpoint, i) => [String(i), checkpoint]));

  it("counts the shards whose checkpoints moved, and refuses fewer than half", () => {
    expect(checkMoved({ shards: 2 }, rows("a", "b"), rows("c", "d"))).to.equal(2);
    expect(checkMoved({ shards: 2 }, rows("a", "b"), rows("c", "b"))).to.equal(1);
    expect(() => checkMoved({ shards: 2 }, rows("a", "b"), rows("a", "b"))).to.throw(
      "checkpoints of 0 of 2 shards moved",
    );
  });
});

describe("the throughput bench's verdicts", () => {
  const result = {
    ratios: { toBareSdk: 4, zeroCopyToBareSdk: 5, toKcl: null, residentToKcl: null },
    serverShare: 0.05,
    subjects: ["bareSdk", "leasehold", "leaseholdZeroCopy", "kcl"],
    cells: [{ cell: "1KiB-full-4" }],
  };
  const told = (of: object): string[] =>
    verdicts(of)
      .filter(({ name }) => name.includes("KCL"))
      .map(({ kept, shown }) => `${String(kept)}: ${shown}`);

  it("say of a subject that was wanted and has no figure that it failed", () => {
    expect(told(result)).to.deep.equal(["false: not measured: it failed", "false: not measured: it failed"]);
    expect(verdicts(result)).to.have.length(5);
  });

  it("say nothing of a subject that was not wanted", () => {
    expect(told({ ...result, subjects: ["bareSdk", "leasehold"] })).to.deep.equal([]);
  });

  it("hold a run for incomplete in which a wanted subject has no figure or records were lost", () => {
    const runs = [{ leasehold: {}, kcl: undefined }];
    expect(isComplete({ runs, failures: [] }, ["leasehold"])).to.equal(true);
    expect(isComplete({ runs, failures: [] }, ["leasehold", "kcl"])).to.equal(false);
    expect(isComplete({ runs, failures: [{ isLoss: true }] }, ["leasehold"])).to.equal(false);
  });
});

describe("the throughput bench's flame graph", () => {
  it("adds up what equal callees of one caller take, and leaves out idle time, the profiler and the machine's folders", () => {
    const call = (functionName: string, url = ""): object => ({ functionName, url, lineNumber: 6 });
    const nodes = [
      { id: 1, callFrame: call("(root)"), children: [2, 3, 4, 6] },
      { id: 2, callFrame: call("(idle)") },
      { id: 3, callFrame: call("work", "file:///home/someone/leasehold/dist/worker.js"), children: [5] },
      { id: 4, callFrame: call("work", "file:///home/someone/leasehold/dist/worker.js") },
      { id: 5, callFrame: call("", "file:///x/node_modules/@smithy/core/index.js") },
      { id: 6, callFrame: call("post", "node:inspector") },
    ];
    const top = fold({ nodes, samples: [2, 3, 4, 5, 5, 6], timeDeltas: [1_000, 20, 30, 40, 50, 60] });
    expect(top.micros).to.equal(140);
    const [work] = [...top.children.values()];
    expect([work?.label, work?.micros]).to.deep.equal(["work dist/worker.js:7", 140]);
    expect([...(work?.children.values() ?? [])].map(({ label, micros }) => [label, micros])).to.deep.equal([
      ["(anonymous) @smithy/core/index.js:7", 90],
    ]);
  });
});
