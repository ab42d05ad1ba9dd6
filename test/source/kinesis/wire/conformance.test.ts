import process from "node:process";
import {
  GetRecordsCommand,
  KinesisClient,
  ListShardsCommand,
  type GetRecordsCommandOutput,
  type KinesisClientConfig,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect } from "chai";
import { position } from "../../../../src/model/position.js";
import { systemClock, systemRandom } from "../../../../src/runtime/system.js";
import { kinesis } from "../../../../src/source/kinesis/kinesis-source.js";
import { GetRecords, type GetRecordsOptions } from "../../../../src/source/kinesis/wire/get-records.js";
import type { SourceRecord } from "../../../../src/source/partition-source.js";
import { secretAccessKey, startCannedKinesis, type Answer, type CannedKinesis } from "./canned-kinesis.js";
import { Time } from "./cbor-writer.js";

/** What a call came to, as far as somebody who called can tell. */
interface Outcome {
  readonly records?: readonly SourceRecord[];
  readonly rest?: object;
  readonly error?: object;
  readonly requests: number;
}

const input = {
  ShardIterator: "iterator-0",
  Limit: 10_000,
  StreamARN: "arn:aws:kinesis:eu-west-1:1:stream/s",
};
const never = new AbortController().signal;

const record = (number: number, data: Uint8Array, key = "key", more: object = {}) => ({
  SequenceNumber: String(number),
  ApproximateArrivalTimestamp: new Time(1_795_664_698_109 + number),
  Data: data,
  PartitionKey: key,
  ...more,
});
const full: Answer = {
  kind: "answer",
  body: {
    Records: [
      record(1, Buffer.from("first"), "é🙂\u0000", { EncryptionType: "KMS" }),
      record(2, new Uint8Array(0), ""),
      record(3, Buffer.alloc(100_000, "x"), '"Data":"', { Tomorrow: { Data: [1.5, true, null] } }),
      { SequenceNumber: "4", Data: Buffer.of(0xff, 0xfe), PartitionKey: "without a time" },
      ...Array.from({ length: 300 }, (_, i) => record(5 + i, Buffer.alloc(i, i))),
    ],
    NextShardIterator: "iterator-1",
    MillisBehindLatest: 5_000_000_000,
    Tomorrow: "more",
  },
};
const empty: Answer = {
  kind: "answer",
  body: { ChildShards: null, MillisBehindLatest: 0, NextShardIterator: "iterator-1", Records: [] },
};
const range = { StartingHashKey: "0", EndingHashKey: "340282366920938463463374607431768211455" };
const lastOne: Answer = {
  kind: "answer",
  body: {
    ChildShards: ["shard-1", "shard-2"].map((ShardId) => ({
      ShardId,
      ParentShards: ["shard-0"],
      HashKeyRange: range,
    })),
    MillisBehindLatest: 0,
    NextShardIterator: null,
    Records: [record(9, Buffer.from("last"))],
  },
};
const failed = (type: string, status = 400): Answer => ({
  kind: "error",
  status,
  body: { __type: type, message: `${type}, says the service` },
});
const page = (status: number): Answer => ({ kind: "page", status, text: "<html>no</html>" });

/** Each with how often it is tried: the SDK takes its time between. */
const answers: [string, Answer[], number?][] = [
  ["a full batch", [full]],
  ["an empty batch", [empty]],
  ["the last batch of a shard, with its children", [lastOne]],
  ["a cut body, and then the whole one", [{ kind: "cut", body: full.body }, full], 2],
  ["a cut body, whenever it is asked", [{ kind: "cut", body: full.body }], 2],
  ["a broken body, and then a whole one, as JSON", [{ kind: "broken", text: '{"Records":[' }, full], 2],
  ["a throttled call, and then a batch", [failed("ProvisionedThroughputExceededException"), full], 2],
  ["a throttled call, whenever it is asked", [failed("ProvisionedThroughputExceededException")], 2],
  ["a fault, and then a batch", [failed("InternalFailure", 500), full], 3],
  ["a proxy's page, 503, and then a batch", [page(503), full], 2],
  ...[
    "ProvisionedThroughputExceededException",
    "com.amazonaws.kinesis#ProvisionedThroughputExceededException",
    "LimitExceededException",
    "ExpiredIteratorException",
    "KMSThrottlingException",
    "KMSAccessDeniedException",
    "KMSDisabledException",
    "KMSInvalidStateException",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "ResourceNotFoundException",
    "InvalidArgumentException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "SomethingOfTomorrow",
  ].map((type): [string, Answer[]] => [type, [failed(type)]]),
  ["InternalFailure", [failed("InternalFailure", 500)]],
  ["ServiceUnavailable", [failed("ServiceUnavailable", 503)]],
  [
    "a type in the header alone",
    [
      {
        kind: "page",
        status: 400,
        headers: { "x-amzn-errortype": "ExpiredIteratorException:http://x" },
        text: "{}",
      },
    ],
  ],
  ["an error in JSON, whatever was asked", [{ ...failed("ExpiredIteratorException"), as: "json" } as Answer]],
  [
    "an error in JSON that says it is CBOR",
    [
      {
        kind: "page",
        status: 400,
        headers: { "content-type": "application/x-amz-cbor-1.1" },
        text: '{"__type":"ExpiredIteratorException","message":"expired"}',
      },
    ],
  ],
  ["a proxy's page, 403", [page(403)]],
  ["a proxy's page, 500", [page(500)]],
  ["a proxy's page, 502", [page(502)]],
  ["a proxy's page, 503", [page(503)]],
];

describe("GetRecords next to the wire", function () {
  this.timeout(30_000);
  let server: CannedKinesis;
  let nowMs = 0;
  const clients: KinesisClient[] = [];

  before(async () => {
    server = await startCannedKinesis();
  });
  beforeEach(() => {
    server.asked.length = 0;
    server.refusal = undefined;
    server.onAsked = () => {};
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const { isSigned, headers } of server.asked) {
      expect(isSigned, "the signature is that of what was sent").to.equal(true);
      expect(headers["x-amz-security-token"]).to.equal("canned-token");
      expect(headers.authorization).to.match(/SignedHeaders=\S*x-amz-security-token/);
      expect(headers.authorization).to.contain("/eu-west-1/kinesis/aws4_request");
    }
  });
  after(() => server.stop());

  function client(config: KinesisClientConfig = {}): KinesisClient {
    const made = new KinesisClient({
      endpoint: server.endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: "canned", secretAccessKey, sessionToken: "canned-token" },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
      ...config,
    });
    clients.push(made);
    return made;
  }

  function fast(options: Partial<GetRecordsOptions> = {}, from = client()) {
    const told: string[] = [];
    const onFallback = (why: string): void => void told.push(why);
    const clock = { monoMs: () => nowMs };
    const reads = new GetRecords(from, {
      wire: "auto",
      copy: true,
      onFallback,
      clock,
      random: systemRandom,
      ...options,
    });
    const send = async (signal = never) => {
      const { records, output } = await reads.send(input, signal);
      return { records: records.open(), bytes: records.bytes, output };
    };
    return { reads, told, send };
  }

  /** The same answers to a client that has read once before. */
  async function outcome(
    script: readonly Answer[],
    send: () => Promise<Pick<Outcome, "records" | "rest">>,
  ): Promise<Outcome> {
    server.script = [full];
    await send();
    server.script = [...script];
    const before = server.asked.length;
    const result = await send().catch((error: unknown) => ({ error: told(error) }));
    return { ...result, requests: server.asked.length - before };
  }

  const bare =
    (from = client()) =>
    async () =>
      plain(await from.send(new GetRecordsCommand(input)));
  const near = (options: Partial<GetRecordsOptions>, from: KinesisClient) => {
    const { send } = fast(options, from);
    return async () => {
      const { records, bytes, output } = await send();
      expect(bytes).to.equal(records.reduce((sum, { data }) => sum + data.length, 0));
      return { records, rest: withoutDelay(output) };
    };
  };

  it("is tried on the version of the SDK that is asked for", async () => {
    server.script = [empty];
    await fast().send();
    const wanted = process.env["WIRE_SDK_VERSION"];
    expect(server.asked[0]?.headers["user-agent"]).to.match(
      wanted === undefined ? /^aws-sdk-js\/3\./ : new RegExp(`^aws-sdk-js/${wanted.replaceAll(".", "\\.")} `),
    );
  });

  for (const [what, script, maxAttempts = 1] of answers) {
    it(`brings what a bare client brings: ${what}`, async () => {
      const expected = await outcome(script, bare(client({ maxAttempts })));
      expect(expected.records === undefined).to.equal(expected.error !== undefined);
      for (const options of [{}, { copy: false }, { wire: "json" }, { wire: "sdk" }] as const) {
        expect(
          await outcome(script, near(options, client({ maxAttempts }))),
          JSON.stringify(options),
        ).to.deep.equal(expected);
      }
    });
  }

  describe("falls back to JSON", () => {
    const refusals: [string, Answer][] = [
      ["SerializationException", failed("SerializationException")],
      ["UnknownOperationException", failed("UnknownOperationException")],
      ["UnknownOperationException in JSON", { ...failed("UnknownOperationException"), as: "json" } as Answer],
      [
        "UnknownOperationException in the header",
        { kind: "page", status: 400, headers: { "x-amzn-errortype": "UnknownOperationException" }, text: "" },
      ],
      ["400 without a type", page(400)],
      ["404 without a type", page(404)],
      ["415 without a type", page(415)],
      ["500 without a type", page(500)],
    ];
    for (const [what, refusal] of refusals) {
      it(`and keeps it, for a service that says ${what} to CBOR, telling it once`, async () => {
        server.refusal = refusal;
        server.script = [full];
        const { send, told } = fast();
        const both = await Promise.all([send(), send()]);
        const later = await send();
        const expected = await bare(client())();
        for (const { records } of [...both, later]) expect(records).to.deep.equal(expected.records);
        expect(formats()).to.deep.equal(["cbor", "cbor", "json", "json", "json", "json"]);
        expect(told).to.have.length(1);
        expect(told[0])
          .to.contain("JSON")
          .and.contain(what.includes(" without") ? what.slice(0, 3) : what.split(" ")[0]);
      });
    }

    it("for one call only, when that brings the same error", async () => {
      server.script = [failed("UnknownOperationException")];
      const { send, told } = fast();
      expect(await refused(send())).to.include({ name: "UnknownOperationException" });
      server.script = [full];
      await send();
      expect(formats()).to.deep.equal(["cbor", "json", "cbor"]);
      expect(told).to.deep.equal([]);
    });

    /** Of a service that has answered CBOR fifty times. */
    async function proven(from = client()) {
      const made = fast({}, from);
      server.script = [full];
      for (let reads = 0; reads < 50; reads++) await made.send();
      server.asked.length = 0;
      return made;
    }
    const broken: Answer = { kind: "broken", text: "\xa1gRecords" };

    for (const [what, refusal] of refusals.filter(([name]) => !name.startsWith("500"))) {
      it(`for one call only, once CBOR was answered, for a stray ${what}`, async () => {
        const { send, told } = await proven();
        server.script = [refusal, full];
        expect((await send()).records).to.have.length(304);
        await send();
        expect(formats()).to.deep.equal(["cbor", "json", "cbor"]);
        expect(told).to.deep.equal([]);
      });
    }

    it("once CBOR was answered, in the third moment without any, however often it is refused in each", async () => {
      const { send, told } = await proven();
      server.refusal = failed("UnknownOperationException");
      for (let moment = 0; moment < 3; moment++) {
        expect(told).to.deep.equal([]);
        await Promise.all([send(), send(), send()]);
        await send();
        nowMs += 5_000;
      }
      server.asked.length = 0;
      await send();
      expect(formats()).to.deep.equal(["json"]);
      expect(told).to.have.length(1);
    });

    it("not for a page without a type once the service has answered CBOR, if it says 500", async () => {
      const { send, told } = await proven();
      server.script = [page(500), full];
      await refused(send());
      await send();
      expect(formats()).to.deep.equal(["cbor", "cbor"]);
      expect(told).to.deep.equal([]);
    });

    it("when nothing but such pages came for three moments: another service, it may be, that reads JSON only", async () => {
      const { send, told } = await proven();
      server.refusal = page(500);
      for (let moment = 0; moment < 2; moment++) {
        expect(await refused(send())).to.be.instanceOf(Error);
        nowMs += 5_000;
      }
      expect((await send()).records).to.have.length(304);
      await send();
      expect(formats()).to.deep.equal(["cbor", "cbor", "cbor", "json", "json"]);
      expect(told).to.have.length(1);
    });

    it("at once for pages that say 500 to CBOR, where what came before was JSON", async () => {
      server.script = [{ ...full, as: "json" }];
      const { send, told } = fast();
      await send();
      server.refusal = page(500);
      expect((await send()).records).to.have.length(304);
      expect(told).to.have.length(1);
    });

    const others: Answer[] = [
      page(403),
      page(502),
      page(503),
      failed("InternalFailure", 500),
      failed("ExpiredIteratorException"),
    ];
    for (const other of others) {
      it(`never for ${JSON.stringify(other)}`, async () => {
        server.script = [other, full];
        const { send, told } = fast();
        await refused(send());
        await send();
        expect(formats()).to.deep.equal(["cbor", "cbor"]);
        expect(told).to.deep.equal([]);
      });
    }

    it("never for what an earlier attempt of the call met", async () => {
      // Every version tries a typed 500 again; a page of it, not the oldest.
      server.script = [failed("SerializationException", 500), { kind: "cut", body: full.body }, full];
      const { send, told } = fast({}, client({ maxAttempts: 2 }));
      expect(await refused(send())).to.include({ code: "ECONNRESET" });
      expect(formats()).to.deep.equal(["cbor", "cbor"]);
      expect(told).to.deep.equal([]);
    });

    it("for the same place once, after an answer that cannot be read, which is an error", async () => {
      const { send, told } = await proven();
      server.script = [broken, full];
      expect(await refused(send())).to.match(/CBOR/);
      for (let reads = 0; reads < 2; reads++) expect((await send()).records).to.have.length(304);
      expect(formats()).to.deep.equal(["cbor", "json", "cbor"]);
      expect(told).to.deep.equal([]);
    });

    it("never for many answers at once that cannot be read", async () => {
      const { reads, told } = await proven();
      server.script = [broken, broken, broken, full];
      const shards = ["a", "b", "c"].map((ShardIterator) => ({ ...input, ShardIterator }));
      const all = await Promise.all(shards.map((shard) => refused(reads.send(shard, never))));
      for (const error of all) expect(error).to.match(/CBOR/);
      for (const shard of shards) await reads.send(shard, never);
      await reads.send(input, never);
      expect(formats().slice(3)).to.deep.equal(["json", "json", "json", "cbor"]);
      expect(told).to.deep.equal([]);
    });

    it("for answers that cannot be read in three moments, once JSON has worked", async () => {
      server.refusal = broken;
      server.script = [page(503), full];
      const { send, told } = fast();
      // Not by three that fail as JSON too.
      for (const isJson of [false, true, false, true, false, true, false]) {
        expect(told).to.deep.equal([]);
        const error = await refused(send());
        if (isJson) server.script = [full];
        else expect(error).to.match(/CBOR/);
        nowMs += 2_500;
      }
      expect(told).to.deep.equal([]);
      await send();
      await send();
      expect(formats().slice(-3)).to.deep.equal(["cbor", "json", "json"]);
      expect(told).to.deep.equal([
        "records come as JSON and no more as CBOR, because the answer's CBOR has major type 6 where 5 is expected, at byte 0 of 10",
      ]);
    });
  });

  it("brings each attempt's records with that attempt's output, where middleware makes two at once", async () => {
    const hedged = client();
    const first = { ...full.body, NextShardIterator: "of-304" };
    const second = { ...lastOne.body, NextShardIterator: "of-1" };
    hedged.middlewareStack.add(
      (next) => async (args) => {
        const one = next(args);
        await Promise.all([one, next(args)]);
        return one;
      },
      { step: "finalizeRequest", priority: "low", name: "hedge" },
    );
    for (let reads = 0; reads < 5; reads++) {
      server.script = [
        { kind: "answer", body: first },
        { kind: "answer", body: second },
      ];
      const { records, output } = await fast({}, hedged).send();
      expect(output.NextShardIterator).to.equal(`of-${String(records.length)}`);
    }
  });

  it("reads an answer in JSON to a request in CBOR, and asks for CBOR again", async () => {
    server.script = [{ ...full, as: "json" }];
    const { send, told } = fast();
    const first = await send();
    expect(first.records).to.have.length(304);
    expect((await send()).records).to.deep.equal(first.records);
    expect(formats()).to.deep.equal(["cbor", "cbor"]);
    expect(told).to.deep.equal([]);
  });

  it("is what the source reads by, which tells its host of a fallback", async () => {
    server.refusal = failed("UnknownOperationException");
    server.script = [
      { kind: "answer", body: { ShardIterator: "iterator-0" } },
      { kind: "answer", body: { Records: [record(1, Buffer.from("one"))] } },
    ];
    const told: string[] = [];
    const source = kinesis({ streamName: "s", client: (defaults) => client(defaults) })({
      clock: systemClock,
      random: systemRandom,
      onFallback: (why) => told.push(why),
    });
    const ignore = (): void => undefined;
    const reader = source.open({
      partitionKey: "shard-0",
      checkpoint: position("TRIM_HORIZON"),
      onError: ignore,
      onAnswer: ignore,
      onHeldUp: ignore,
    });
    const fetch = await reader.next(never);
    reader.close();
    source.close();
    expect(
      fetch.kind === "records" && fetch.records.map(({ data }) => Buffer.from(data).toString()),
    ).to.deep.equal(["one"]);
    expect(told).to.deep.equal([
      "records come as JSON and no more as CBOR, because the service answered 400 UnknownOperationException to CBOR",
    ]);
  });

  it("asks for JSON alone where that is wanted, and by the SDK alone", async () => {
    server.script = [full];
    for (const wire of ["json", "sdk"] as const) await fast({ wire }).send();
    expect(formats()).to.deep.equal(["json", "json"]);
  });

  it("leaves the client as it was, for other commands and for the same one", async () => {
    const shared = client();
    const before = shared.middlewareStack.identify();
    server.script = [full];
    const one = fast({}, shared);
    const two = fast({}, shared);
    const [first, second] = await Promise.all([one.send(), two.send()]);
    expect(first.records).to.deep.equal(second.records);
    const { Records = [] } = await shared.send(new GetRecordsCommand(input));
    expect(Records).to.have.length(first.records.length);
    expect(Records[2]?.ApproximateArrivalTimestamp).to.be.instanceOf(Date);
    server.script = [{ kind: "answer", body: { Shards: [{ ShardId: "shard-0" }] }, as: "json" }];
    expect((await shared.send(new ListShardsCommand({ StreamName: "s" }))).Shards).to.have.length(1);
    expect(shared.middlewareStack.identify()).to.deep.equal(before);
    expect(server.asked.map(({ action, format }) => `${action} ${format}`)).to.deep.equal([
      "GetRecords cbor",
      "GetRecords cbor",
      "GetRecords json",
      "ListShards json",
    ]);
  });

  it("leaves to the SDK whatever else than JSON answers a request in JSON, and JSON with blanks before it", async () => {
    const headers = { "content-type": "application/x-amz-cbor-1.1" };
    const text = ' \n{"Records":[{"SequenceNumber":"1","PartitionKey":"k","Data":"AQID"}]}';
    server.script = [{ kind: "page", status: 200, headers, text }];
    for (const wire of ["auto", "json", "sdk"] as const) {
      expect((await fast({ wire }).send()).records, wire).to.have.length(1);
    }
    server.script = [{ ...full, as: "cbor" }];
    expect(await refused(fast({ wire: "json" }).send())).to.be.instanceOf(Error);
  });

  describe("throws for a record without", () => {
    const whole = { SequenceNumber: "1", PartitionKey: "k", Data: Buffer.of(1) };
    for (const [what, name, given] of [
      ["a sequence number", "SequenceNumber", { ...whole, SequenceNumber: undefined }],
      ["any digit in its sequence number", "SequenceNumber", { ...whole, SequenceNumber: "" }],
      ["a payload", "Data", { ...whole, Data: null }],
    ] as const) {
      it(`${what}, whatever reads it, and names that`, async () => {
        const Records = [
          Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        ];
        server.script = [{ kind: "answer", body: { Records, NextShardIterator: "next" } }];
        for (const wire of ["auto", "json", "sdk"] as const) {
          expect(await refused(fast({ wire }).send()), wire)
            .to.be.instanceOf(Error)
            .and.match(new RegExp(`record without a .*\\(${name}\\)`));
        }
      });
    }
  });

  describe("throws for an answer whose records are nowhere", () => {
    const nowhere = { NextShardIterator: "iterator-1", MillisBehindLatest: 0 };
    for (const as of ["cbor", "json"] as const) {
      it(`in ${as}`, async () => {
        server.script = [{ kind: "answer", body: nowhere, as }];
        for (const wire of ["auto", "json", "sdk"] as const) {
          if (wire !== "auto" && as === "cbor") continue;
          expect(await refused(fast({ wire }).send()), wire).to.match(/records/);
        }
      });
    }

    it("also when the client's middleware puts another in its place", async () => {
      const odd = client();
      odd.middlewareStack.add(
        () => () => Promise.resolve({ response: {}, output: { $metadata: {}, ...nowhere } }),
        { step: "finalizeRequest", priority: "high", name: "odd" },
      );
      expect(await refused(fast({}, odd).send())).to.match(/without records/);
    });
  });

  describe("rejects at once when it is aborted", () => {
    const aborted = async (script: Answer[], wire: "auto" | "sdk"): Promise<object> => {
      server.script = script;
      const controller = new AbortController();
      const first = script.length === 0;
      if (first) controller.abort();
      server.onAsked = () => {
        // The head is on its way: the client has had its turn when it aborts.
        setTimeout(() => {
          controller.abort();
        }, 20);
      };
      const since = process.hrtime.bigint();
      const error = await fast({ wire })
        .send(controller.signal)
        .catch((reason: unknown) => reason);
      expect(Number(process.hrtime.bigint() - since) / 1e6).to.be.lessThan(5_000);
      return { name: (error as Error).name };
    };
    const moments: [string, Answer[]][] = [
      ["before it began", []],
      ["before the head came", [{ kind: "silent" }]],
      ["in the body", [{ kind: "silent", body: full.body }]],
    ];
    for (const [when, script] of moments) {
      it(when, async () => {
        const expected = await aborted(script, "sdk");
        expect(await aborted(script, "auto")).to.deep.equal(expected);
      });
    }
  });

  function formats(): string[] {
    return server.asked.map(({ format }) => format);
  }
});

/** What a call was refused with; undefined for one that was answered. */
async function refused(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A bare client's answer, its records made ours by the book. */
function plain({ Records = [], ...rest }: GetRecordsCommandOutput): Pick<Outcome, "records" | "rest"> {
  const records = Records.map((given) => ({
    data: given.Data ?? new Uint8Array(0),
    partitionKey: given.PartitionKey ?? "",
    sequenceNumber: given.SequenceNumber ?? "",
    subSequenceNumber: 0,
    arrivalMs: given.ApproximateArrivalTimestamp?.getTime(),
  }));
  return { records, rest: withoutDelay(rest) };
}

/** How long the SDK waits before it tries again is drawn. */
function withoutDelay({ $metadata, ...rest }: { readonly $metadata: object }): object {
  return { ...rest, $metadata: { ...$metadata, totalRetryDelay: 0 } };
}

function told(error: unknown): object {
  if (!(error instanceof Error)) throw new Error("not an error", { cause: error });
  const { name, message } = error;
  const {
    $metadata,
    $response: _response,
    ...own
  } = error as Error & { $metadata?: object; $response?: unknown };
  const metadata = $metadata === undefined ? {} : withoutDelay({ $metadata });
  return { ...own, ...metadata, name, message, classes: classesOf(error) };
}

/** The very classes, so that `instanceof` says the same. */
function classesOf(error: object): unknown[] {
  const prototype: object | null = Object.getPrototypeOf(error) as object | null;
  return prototype === null ? [] : [prototype.constructor, ...classesOf(prototype)];
}
