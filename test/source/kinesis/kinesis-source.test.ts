import { KinesisClient, type KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect } from "chai";
import { LeaseholdError } from "../../../src/model/errors.js";
import { position } from "../../../src/model/position.js";
import { kinesis } from "../../../src/source/kinesis/kinesis-source.js";
import type { KinesisOptions } from "../../../src/source/kinesis/options.js";
import { seededRandom } from "../../../src/testing/index.js";
import { failure, FakeKinesis, listed } from "./fake-kinesis.js";

const signal = new AbortController().signal;

describe("the Kinesis source", () => {
  let fake: FakeKinesis;
  beforeEach(() => {
    fake = new FakeKinesis();
  });

  const refusal = (promise: Promise<unknown>): Promise<unknown> =>
    fake.time.runUntilSettled(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );

  it("lists every page of the whole graph, without a filter and without a name beside a token", async () => {
    const closed = {
      ...listed("shard-1"),
      SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: "8" },
    };
    fake.listScript = [
      { Shards: [closed], NextToken: "page 2" },
      { Shards: [listed("shard-2", "shard-1", "shard-0")] },
    ];
    const range = { startingHashKey: "0", endingHashKey: "9", startingSequenceNumber: "1" };
    expect(await fake.source().list(signal)).to.deep.equal([
      { partitionKey: "shard-1", parents: [], open: false, ...range },
      { partitionKey: "shard-2", parents: ["shard-1", "shard-0"], open: true, ...range },
    ]);
    expect(fake.lists).to.deep.equal([{ StreamName: "orders" }, { NextToken: "page 2" }]);
  });

  it("starts its list anew after a page that failed", async () => {
    fake.listScript = [
      { Shards: [listed("shard-1")], NextToken: "page 2" },
      failure("ExpiredNextTokenException"),
      { Shards: [listed("shard-1")] },
    ];
    const shards = await fake.time.runUntilSettled(fake.source().list(signal));
    expect(shards.map((s) => s.partitionKey)).to.deep.equal(["shard-1"]);
  });

  const failures: [string, string, boolean][] = [
    ["ResourceNotFoundException", "source-missing", false],
    ["AccessDeniedException", "source-denied", false],
    ["UnrecognizedClientException", "source-denied", false],
    ["CredentialsProviderError", "source-denied", false],
    ["ValidationException", "source-unavailable", false],
    ["LimitExceededException", "source-throttled", true],
    ["TimeoutError", "source-unavailable", true],
  ];
  for (const [name, code, retryable] of failures) {
    it(`is verified as ${code} on ${name}, naming the stream`, async () => {
      fake.listScript = [failure(name, "said the service")];
      const error = await refusal(fake.source().verify(signal));
      expect(error).to.be.instanceOf(LeaseholdError);
      expect(error).to.include({ code, retryable });
      expect((error as Error).message).to.match(/stream orders .*said the service/);
      const isPassing = retryable || name === "CredentialsProviderError";
      expect(fake.lists).to.have.length(isPassing ? 5 : 1);
    });
  }

  it("gives up a list when the signal aborts", async () => {
    fake.listScript = ["never"];
    const controller = new AbortController();
    const list = refusal(fake.source().list(controller.signal));
    const reason = new Error("stopped");
    controller.abort(reason);
    expect(await list).to.equal(reason);
    expect(fake.time.pendingTimers).to.equal(0);
  });

  it("names a stream of another account by its ARN in every call", async () => {
    const streamArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders";
    const source = fake.source({ streamArn });
    expect(source.name).to.equal("orders");
    await source.list(signal);
    expect(fake.lists).to.deep.equal([{ StreamARN: streamArn }]);
    const reader = fake.open({ streamArn });
    fake.start(reader);
    await fake.time.settle();
    reader.close();
    expect(fake.iterators[0]).to.include({ StreamARN: streamArn });
    expect(fake.send.lastCall.firstArg).to.have.nested.property("input.StreamARN", streamArn);
  });

  it("leaves a client that the user made to the user", () => {
    fake.source().close();
    expect(fake.destroy.called).to.equal(false);
  });

  it("gives the user's factory defaults that suit polling", async () => {
    const given: KinesisClientConfig[] = [];
    kinesis({
      streamName: "orders",
      client: (defaults) => {
        given.push(defaults);
        return new KinesisClient({ ...defaults, region: "us-east-1" });
      },
    })({ clock: fake.clock, random: seededRandom(1) });
    expect(given[0]?.maxAttempts).to.equal(1);
    expect(given[0]?.requestHandler).to.be.instanceOf(NodeHttpHandler);
  });

  it("takes the time at LATEST from the service's own answer", async () => {
    const asked: { target: string; body: Record<string, unknown> }[] = [];
    const answers = [
      { ShardIterator: "i0" },
      { Records: [], NextShardIterator: "i1", MillisBehindLatest: 0 },
      { __type: "ExpiredIteratorException", message: "expired" },
      { ShardIterator: "i2" },
      { Records: [{ SequenceNumber: "5", Data: "eA==", PartitionKey: "k" }], NextShardIterator: "i3" },
    ];
    const handler = {
      handle: async (request: { headers: Record<string, string>; body: unknown }) => {
        asked.push({
          target: request.headers["x-amz-target"] ?? "",
          body: JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as Record<string, unknown>,
        });
        const answer = answers.shift();
        const response = {
          statusCode: answer !== undefined && "__type" in answer ? 400 : 200,
          headers: { date: "Sat, 03 Jan 2026 10:20:30 GMT", "content-type": "application/x-amz-json-1.1" },
          body: new Blob([JSON.stringify(answer ?? {})]).stream(),
        };
        return { response };
      },
      destroy: () => {},
    };
    const credentials = { accessKeyId: "a", secretAccessKey: "b" };
    const source = kinesis({
      streamName: "orders",
      // The handler reads JSON only.
      wire: "json",
      client: (defaults) =>
        new KinesisClient({
          ...defaults,
          region: "us-east-1",
          credentials,
          requestHandler: handler as never,
        }),
    })({ clock: fake.clock, random: seededRandom(1) });
    const reader = source.open({
      partitionKey: "shard-1",
      checkpoint: position("LATEST"),
      onError: (error) => fake.errors.push(error),
      onAnswer: () => {},
      onHeldUp: () => {},
    });
    // The SDK takes turns of the event loop that virtual time does not know.
    const next = reader.next(signal);
    let isDone = false;
    void next.finally(() => (isDone = true));
    while (!isDone) await fake.time.advance(10);
    const fetch = await next;
    reader.close();
    expect(fetch.kind === "records" && fetch.records.map((r) => r.sequenceNumber)).to.deep.equal(["5"]);
    expect(fake.errors).to.deep.equal([]);
    const iterators = asked.filter((a) => a.target.endsWith("GetShardIterator"));
    expect(iterators.map((a) => a.body["ShardIteratorType"])).to.deep.equal(["LATEST", "AT_TIMESTAMP"]);
    expect(iterators[1]?.body["Timestamp"]).to.equal(Date.parse("2026-01-03T10:20:30Z") / 1_000);
  });
});

describe("the Kinesis source's options", () => {
  const code = (options: unknown): string => {
    try {
      kinesis(options as KinesisOptions);
    } catch (error) {
      if (error instanceof LeaseholdError && error.code === "invalid-option") return error.message;
      throw error;
    }
    return "accepted";
  };

  it("default to reading the oldest first", () => {
    const fake = new FakeKinesis();
    expect(fake.source().initialPosition).to.deep.equal(position("TRIM_HORIZON"));
    expect(fake.source({ initialPosition: "LATEST" }).initialPosition).to.deep.equal(position("LATEST"));
    const since = { timestamp: new Date(0) };
    expect(fake.source({ initialPosition: since }).initialPosition).to.deep.equal(position("AT_TIMESTAMP"));
    expect([fake.source().kind, fake.source().name, fake.source().evolves]).to.deep.equal([
      "kinesis",
      "orders",
      true,
    ]);
  });

  const bad: [unknown, RegExp][] = [
    [{}, /streamName is "neither of streamName and streamArn".*one of the two/],
    [{ streamName: "s", streamArn: "arn:aws:kinesis:r:a:stream/s" }, /both/],
    [{ streamName: "a b" }, /streamName is "a b".*1 to 128/],
    [{ streamName: 3 }, /streamName is 3/],
    [{ streamArn: "arn:aws:sqs:r:a:q" }, /streamArn is "arn:aws:sqs:r:a:q"/],
    [{ streamName: "s", maxRecords: 0 }, /maxRecords is 0.*from 1 to 10000/],
    [{ streamName: "s", maxRecords: 10_001 }, /maxRecords is 10001/],
    [{ streamName: "s", idlePollIntervalMs: 199 }, /idlePollIntervalMs is 199.*from 200/],
    [{ streamName: "s", prefetchRecords: 0 }, /prefetchRecords is 0/],
    [{ streamName: "s", prefetchBytes: 1.5 }, /prefetchBytes is 1.5/],
    [{ streamName: "s", prefetchTotalBytes: 0 }, /prefetchTotalBytes is 0.*from 1/],
    [{ streamName: "s", prefetchBytes: "8" }, /prefetchBytes is "8"/],
    [{ streamName: "s", emptyBatches: "yes" }, /emptyBatches is "yes"/],
    [{ streamName: "s", zeroCopy: 1 }, /zeroCopy is 1.*true or false/],
    [{ streamName: "s", aggregated: "drop" }, /aggregated is "drop"/],
    [{ streamName: "s", wire: "cbor" }, /wire is "cbor": it must be "auto", "json", "sdk"; leave it out/],
    [{ streamName: "s", client: {} }, /client is a object/],
    [{ streamName: "s", initialPosition: "EARLIEST" }, /initialPosition is "EARLIEST".*TRIM_HORIZON/],
    [{ streamName: "s", initialPosition: {} }, /initialPosition is a object/],
    [{ streamName: "s", initialPosition: { timestamp: "soon" } }, /initialPosition.timestamp is "soon"/],
    [{ streamName: "s", initialPosition: { timestamp: new Date(NaN) } }, /an invalid Date/],
    [{ streamName: "s", pollInterval: 5 }, /pollInterval is "given".*one of streamName/],
  ];
  for (const [options, message] of bad) {
    it(`refuse ${JSON.stringify(options)}`, () => {
      expect(code(options)).to.match(message);
    });
  }
});
