import { GetItemCommand, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { toStoreError } from "../../src/store/dynamodb/errors.js";
import { startFaultProxy, type FaultProxy } from "../../src/testing/fault-proxy.js";
import type { ProxyFault } from "../../src/testing/proxy-faults.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { emulatorClient } from "../support/dynamodb.js";

interface Seen {
  readonly action: string;
  readonly body: Record<string, unknown>;
}

/** An endpoint that answers everything, and remembers what came. */
class Endpoint {
  readonly seen: Seen[] = [];
  answer: Record<string, unknown> = {};
  status = 200;
  readonly #server: Server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += String(chunk)));
    request.on("end", () => {
      const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
      this.seen.push({ action, body: JSON.parse(text) as Record<string, unknown> });
      response.writeHead(this.status, { "content-type": "application/x-amz-json-1.0" });
      response.end(JSON.stringify(this.answer));
    });
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const read = (table = "orders"): GetItemCommand =>
  new GetItemCommand({ TableName: table, Key: { leaseKey: { S: "s1" } } });
const update = (table = "orders"): UpdateItemCommand =>
  new UpdateItemCommand({ TableName: table, Key: { leaseKey: { S: "s1" } } });
const records = (): GetRecordsCommand => new GetRecordsCommand({ ShardIterator: "of a shard" });

describe("the fault proxy", () => {
  let endpoint: Endpoint;
  let proxy: FaultProxy;
  let closing: (() => void)[];

  beforeEach(async () => {
    endpoint = new Endpoint();
    await endpoint.listen();
    proxy = await startFaultProxy({ target: endpoint.url, random: seededRandom("proxy") });
    closing = [];
  });

  afterEach(async () => {
    for (const close of closing) close();
    await proxy.stop();
    endpoint.close();
  });

  function dynamodb(to = proxy): ReturnType<typeof emulatorClient> {
    const client = emulatorClient(to.endpoint, { maxAttempts: 1 });
    closing.push(() => {
      client.destroy();
    });
    return client;
  }

  function kinesis(): KinesisClient {
    const client = new KinesisClient({
      endpoint: proxy.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    });
    closing.push(() => {
      client.destroy();
    });
    return client;
  }

  async function failure(call: Promise<unknown>): Promise<Error & { code?: string }> {
    try {
      await call;
    } catch (error) {
      return error as Error;
    }
    throw new Error("the call went through");
  }

  it("passes requests and answers on as they are in good weather", async () => {
    endpoint.answer = { Item: { leaseKey: { S: "s1" } } };
    const { Item } = await dynamodb().send(read());
    expect(Item).to.deep.equal({ leaseKey: { S: "s1" } });
    expect(endpoint.seen).to.deep.equal([
      { action: "GetItem", body: { TableName: "orders", Key: { leaseKey: { S: "s1" } } } },
    ]);
  });

  it("throttles in the form of each service and each kind of call", async () => {
    proxy.set({ kind: "throttle" });
    const names = await Promise.all([
      failure(dynamodb().send(update())),
      failure(kinesis().send(new ListShardsCommand({ StreamName: "orders" }))),
      failure(kinesis().send(records())),
    ]);
    expect(names.map(({ name }) => name)).to.deep.equal([
      "ProvisionedThroughputExceededException",
      "LimitExceededException",
      "ProvisionedThroughputExceededException",
    ]);
    expect(endpoint.seen).to.deep.equal([]);
  });

  it("hits the share that it was told to", async () => {
    proxy.set({ kind: "throttle", share: 0.5 });
    const client = dynamodb();
    for (let i = 0; i < 200; i++) await client.send(read()).catch(() => undefined);
    expect(endpoint.seen.length).to.be.within(80, 120);
    expect(proxy.counts.get("GetItem")).to.include({ requests: 200, faulted: 200 - endpoint.seen.length });
  });

  it("denies one action with a sentence that names it and its resource, and lets the others through", async () => {
    proxy.set({ kind: "denied", actions: ["UpdateItem", "GetRecords"] });
    const error = await failure(dynamodb().send(update("orders-fleet")));
    expect(error.name).to.equal("AccessDeniedException");
    expect(error.message).to.match(
      /not authorized to perform: dynamodb:UpdateItem on resource: arn:aws:dynamodb:[^ ]*:table\/orders-fleet /,
    );
    await dynamodb().send(read());
    await kinesis().send(new DescribeStreamSummaryCommand({ StreamName: "clicks" }));
    const ofStream = await failure(kinesis().send(records()));
    expect(ofStream.name).to.equal("AccessDeniedException");
    expect(ofStream.message).to.match(
      /kinesis:GetRecords on resource: arn:aws:kinesis:[^ ]*:stream\/clicks /,
    );
  });

  it("fails as the service does, and as the load balancer before it", async () => {
    const context = { table: "orders", action: "GetItem", doing: "read", writes: false };
    proxy.set({ kind: "error", status: 500 });
    const own = await failure(dynamodb().send(read()));
    expect(own.name).to.equal("InternalServerError");
    expect(toStoreError(own, context).code).to.equal("store-unavailable");
    proxy.set({ kind: "error", status: 503 });
    const html = toStoreError(await failure(dynamodb().send(read())), context);
    expect(html).to.include({ code: "store-unavailable", retryable: true });
    expect(html.message).to.include("503");
  });

  it("applies what it swallows the answer of, and destroys the connection", async () => {
    proxy.set({ kind: "lost-answer", of: "writes" });
    const client = dynamodb();
    expect((await failure(client.send(update()))).code).to.equal("ECONNRESET");
    await client.send(read());
    expect(endpoint.seen.map(({ action }) => action)).to.deep.equal(["UpdateItem", "GetItem"]);
    expect(proxy.counts.get("UpdateItem")).to.include({ requests: 1, applied: 1, faulted: 1 });
  });

  it("swallows a request on a connection that stays open, and stays deaf there after the weather", async () => {
    proxy.set({ kind: "silent", actions: ["UpdateItem"] });
    const client = dynamodb();
    const abort = new AbortController();
    const call = failure(client.send(update(), { abortSignal: abort.signal }));
    await until(() => proxy.counts.get("UpdateItem")?.requests === 1);
    proxy.clear();
    expect(proxy.connections).to.equal(1);
    await client.send(read());
    expect(proxy.connections).to.equal(2);
    abort.abort();
    expect((await call).name).to.equal("AbortError");
    await until(() => proxy.connections === 1);
    expect(endpoint.seen.map(({ action }) => action)).to.deep.equal(["GetItem"]);
  });

  it("makes the connections that are open deaf, and no others", async () => {
    const client = dynamodb();
    await client.send(read());
    proxy.set({ kind: "half-open" });
    const abort = new AbortController();
    const call = failure(client.send(read(), { abortSignal: abort.signal }));
    await until(() => proxy.counts.get("GetItem")?.requests === 2);
    await dynamodb().send(read());
    expect(endpoint.seen).to.have.length(2);
    abort.abort();
    await call;
  });

  it("resets the connections of what an outage hits, and every connection where it hits all", async () => {
    const client = dynamodb();
    proxy.set({ kind: "outage", of: "reads" });
    expect((await failure(client.send(read()))).code).to.equal("ECONNRESET");
    await client.send(update());
    expect(proxy.connections).to.equal(1);
    proxy.set({ kind: "outage" });
    await until(() => proxy.connections === 0);
    expect((await failure(client.send(update()))).code).to.equal("ECONNRESET");
    expect(proxy.counts.get("UpdateItem")?.requests).to.equal(1);
    proxy.clear();
    await client.send(update());
  });

  it("delays by the clock that it was given, fixed or drawn", async () => {
    const time = new VirtualTime();
    const slow = await startFaultProxy({
      target: endpoint.url,
      clock: time.clock(),
      random: seededRandom("delays"),
    });
    slow.set({ kind: "delay", ms: 1_000 }, { kind: "delay", ms: [1_000, 3_000], actions: ["GetItem"] });
    let over = 0;
    const calls = [dynamodb(slow).send(read()), dynamodb(slow).send(update())].map((call) =>
      call.then(() => over++),
    );
    await until(() => time.pendingTimers === 2);
    await time.advance(999);
    expect(over).to.equal(0);
    await time.advance(1);
    await calls[1];
    expect(over).to.equal(1);
    await time.advance(3_000);
    await Promise.all(calls);
    await slow.stop();
  });

  it("holds many requests at once without a warning of a leak", async () => {
    const warnings: Error[] = [];
    const heard = (warning: Error): void => void warnings.push(warning);
    process.on("warning", heard);
    closing.push(() => {
      process.off("warning", heard);
    });
    const time = new VirtualTime();
    const slow = await startFaultProxy({ target: endpoint.url, clock: time.clock() });
    slow.set({ kind: "delay", ms: 1_000 });
    const client = dynamodb(slow);
    const calls = Array.from({ length: 20 }, () => client.send(read()));
    await until(() => time.pendingTimers === 20);
    await time.advance(1_000);
    await Promise.all(calls);
    await slow.stop();
    expect(warnings.map(({ name }) => name)).not.to.include("MaxListenersExceededWarning");
  });

  it("scopes by what the request says", async () => {
    const ofFleet: ProxyFault = {
      kind: "throttle",
      where: ({ body }) => body["TableName"] === "orders-fleet",
    };
    proxy.set(ofFleet);
    await failure(dynamodb().send(update("orders-fleet")));
    await dynamodb().send(update("orders"));
    expect(endpoint.seen.map(({ body }) => body["TableName"])).to.deep.equal(["orders"]);
  });

  it("adds up the capacity that the answers tell, asking for it where nobody did", async () => {
    const metering = await startFaultProxy({ target: endpoint.url, countCapacity: true });
    endpoint.answer = { ConsumedCapacity: { TableName: "orders", CapacityUnits: 2.5 } };
    const client = dynamodb(metering);
    await client.send(new ScanCommand({ TableName: "orders" }));
    await client.send(update());
    endpoint.status = 400;
    endpoint.answer = { __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" };
    await failure(client.send(update()));
    expect(endpoint.seen.map(({ body }) => body["ReturnConsumedCapacity"])).to.deep.equal(
      Array(3).fill("TOTAL"),
    );
    expect(metering.counts.get("Scan")).to.include({ readUnits: 2.5, writeUnits: 0 });
    expect(metering.counts.get("UpdateItem")).to.include({ writeUnits: 2.5, applied: 2, refused: 1 });
    metering.resetCounts();
    expect(metering.counts.size).to.equal(0);
    await metering.stop();
  });

  it("asks for no capacity unless told to", async () => {
    await dynamodb().send(update());
    expect(endpoint.seen[0]?.body).not.to.have.property("ReturnConsumedCapacity");
  });

  it("breaks the client's connection when its endpoint is gone", async () => {
    endpoint.close();
    expect((await failure(dynamodb().send(read()))).code).to.equal("ECONNRESET");
  });

  it("refuses a target that it could not reach", async () => {
    expect((await failure(startFaultProxy({ target: "https://example.com" }))).code).to.equal(
      "invalid-option",
    );
  });
});

/** Waits for what another process or socket does; the test's own timeout bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}
