import type { PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CreateTableCommand,
  DeleteTableCommand,
  GetItemCommand,
  ListTablesCommand,
  UpdateItemCommand,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { KinesisClient, ResourceNotFoundException } from "@aws-sdk/client-kinesis";
import { expect } from "chai";
import sinon from "sinon";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import {
  fixedPartitions,
  hasCode,
  kinesis,
  openInspector,
  Worker,
  type Batch,
  type HeldLease,
  type WorkerOptions,
} from "../../src/index.js";
import { emulated, emulatorClient } from "../support/dynamodb.js";
import { EventLog } from "../support/event-log.js";

/** Every case has tables of its own, on one emulator, and short leases. */
describe("a worker given bad input, on dynalite", function () {
  this.timeout(60_000);
  let emulator: Dynalite;
  let client: DynamoDBClient;
  let cases = 0;
  let application = "";
  const workers: Worker[] = [];

  before(async () => {
    emulator = await startDynalite();
    client = emulatorClient(emulator.endpoint);
  });

  after(async () => {
    client.destroy();
    await emulator.stop();
  });

  beforeEach(() => {
    application = `bad-input-${String(++cases)}`;
  });

  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop({ force: true }).catch(() => undefined);
  });

  function worker(options: Partial<WorkerOptions> = {}): { worker: Worker; log: EventLog } {
    const log = new EventLog();
    const made = new Worker({
      application,
      source: fixedPartitions({ partitions: ["a", "b"], turnIntervalMs: 50 }),
      processor: { process: () => undefined },
      leaseDurationMs: 2_000,
      dynamodb: emulated(emulator.endpoint),
      onEvent: log.take,
      ...options,
    });
    workers.push(made);
    return { worker: made, log };
  }

  async function failure(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
    try {
      await promise;
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error("it did not fail with an error");
  }

  async function tableNames(): Promise<readonly string[]> {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}));
    return TableNames.filter((name) => name.startsWith(application));
  }

  it("refuses a lease table of another shape, says what differs, and makes nothing", async () => {
    await client.send(
      new CreateTableCommand({
        TableName: application,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    );
    const error = await failure(worker().worker.start());
    expect(error.code).to.equal("table-mismatch");
    expect(error.message).to.contain(application).and.to.contain("id").and.to.contain("leaseKey");
    expect(await tableNames()).to.deep.equal([application]);
  });

  it("refuses tables in a format of a newer version, and creates no worker", async () => {
    await oneFleet();
    await setMeta("format", { N: "99" });
    const { worker: late, log } = worker();
    const error = await failure(late.start());
    expect(error.code).to.equal("table-mismatch");
    expect(error.message).to.contain("99");
    expect(log.of("worker-created")).to.have.length(0);
  });

  it("refuses tables in another liveness mode, and names both", async () => {
    await oneFleet();
    await setMeta("liveness", { S: "lease" });
    const error = await failure(worker().worker.start());
    expect(error.code).to.equal("table-mismatch");
    expect(error.message).to.contain('"lease"').and.to.contain('"worker"');
  });

  it("names a missing stream, before any table is made", async () => {
    const missing = new ResourceNotFoundException({ message: "no such stream", $metadata: {} });
    const send = sinon.stub(KinesisClient.prototype, "send").rejects(missing);
    try {
      const error = await failure(worker({ source: kinesis({ streamName: "nowhere" }) }).worker.start());
      expect(error.code).to.equal("source-missing");
      expect(error.message).to.contain("nowhere");
      expect(send.called).to.equal(true);
    } finally {
      send.restore();
    }
    expect(await tableNames()).to.deep.equal([]);
  });

  it("stops when its tables are deleted under it, says so, and does not make them again", async () => {
    const { worker: running, log } = worker();
    const run = running.run();
    await log.until(() => log.of("tenure-began").length === 2);
    await client.send(new DeleteTableCommand({ TableName: application }));
    await client.send(new DeleteTableCommand({ TableName: `${application}-fleet` }));
    const error = await failure(run);
    expect(error.code).to.equal("table-missing");
    expect(error.message).to.contain(application);
    expect(log.of("worker-ended").map(({ reason }) => reason)).to.deep.equal(["table-missing"]);
    expect(running.status().leases).to.deep.equal([]);
    expect(await tableNames()).to.deep.equal([]);
  });

  it("leaves a row with an unknown checkpoint alone, says so once, shows it in status, and works the others", async () => {
    await oneFleet();
    await client.send(
      new UpdateItemCommand({
        TableName: application,
        Key: { leaseKey: { S: "a" } },
        UpdateExpression: "SET checkpoint = :garbage",
        ExpressionAttributeValues: { ":garbage": { S: "the-moon" } },
      }),
    );
    const before = await row("a");
    const { worker: running, log } = worker();
    await running.start();
    await log.until(() => log.of("lease-invalid").length > 0 && log.of("tenure-began").length > 0);
    expect(log.of("lease-invalid")[0]?.problem).to.contain("the-moon");
    expect(log.of("tenure-began").map(({ leaseKey }) => leaseKey)).to.deep.equal(["b"]);
    const inspector = openInspector({ application, dynamodb: emulated(emulator.endpoint) });
    const status = await inspector.status();
    inspector.close();
    expect(status.leases.find(({ leaseKey }) => leaseKey === "a")?.state).to.equal("invalid");
    await running.stop();
    expect(await row("a")).to.deep.equal(before);
    expect(log.of("lease-invalid")).to.have.length(1);
  });

  it("shows in status which partition's processor throws, and hands the same turn over again", async () => {
    const turns: (number | undefined)[] = [];
    const { worker: running, log } = worker({
      source: fixedPartitions({ partitions: ["a"], turnIntervalMs: 10 }),
      retry: { firstMs: 50, longestMs: 50 },
      processor: {
        process: (batch: Batch) => {
          turns.push(batch.turn);
          throw new Error("the sink is full");
        },
      },
    });
    await running.start();
    // The row says so with the next beat after the failure.
    await log.until(() => {
      const failedAt = log.events.findIndex(({ type }) => type === "processor-failed");
      return (
        failedAt >= 0 &&
        log.events.slice(failedAt).filter(({ type }) => type === "beat-acknowledged").length > 1
      );
    });
    const inspector = openInspector({ application, dynamodb: emulated(emulator.endpoint) });
    const status = await inspector.status();
    inspector.close();
    expect(status.workers.map(({ failing }) => failing)).to.deep.equal([["a"]]);
    expect(running.status().partitions[0]?.lastError?.message).to.contain("the sink is full");
    expect(new Set(turns)).to.deep.equal(new Set([1]));
    expect(turns.length).to.be.greaterThan(1);
    expect((await row("a"))?.["checkpoint"]?.S).to.equal("TRIM_HORIZON");
  });

  it("gives a lease up when its processor hangs, refuses its late checkpoint, and another worker redoes the turn", async () => {
    let release: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    let late: Promise<Error & { readonly code?: string }> | undefined;
    const { worker: first, log } = worker({
      label: "hangs",
      source: fixedPartitions({ partitions: ["a"], turnIntervalMs: 10 }),
      processingTimeoutMs: 300,
      abortGraceMs: 100,
      processor: {
        process: (batch: Batch) => {
          late ??= failure(hanging.then(() => batch.checkpoint()));
          return late.then(() => undefined);
        },
      },
    });
    await first.start();
    await log.until(() => log.of("released").length > 0);
    expect(log.of("released")[0]?.reason).to.equal("stuck");
    const turns: { readonly turn: number | undefined; readonly token: number }[] = [];
    const { worker: second, log: secondLog } = worker({
      label: "works",
      source: fixedPartitions({ partitions: ["a"], turnIntervalMs: 10 }),
      processor: {
        process: (batch: Batch, lease: HeldLease) => {
          turns.push({ turn: batch.turn, token: lease.fencingToken });
        },
      },
    });
    await second.start();
    await secondLog.until(() => turns.length > 0);
    expect(turns[0]?.turn).to.equal(1);
    // The first worker still beats, and has not touched the lease whose old call has not returned.
    expect(log.of("tenure-began")).to.have.length(1);
    release();
    await log.until(() => log.of("stuck-processor-returned").length > 0);
    expect((await late)?.code).to.equal("lease-lost");
  });

  it("throws at a checkpoint after the lease was lost, and nothing moves", async () => {
    let kept: Batch | undefined;
    let error: unknown;
    const { worker: running, log } = worker({
      source: fixedPartitions({ partitions: ["a"], turnIntervalMs: 10_000 }),
      checkpointing: "explicit",
      processor: {
        process: (batch: Batch) => {
          kept = batch;
        },
        leaseLost: async () => {
          try {
            await kept?.checkpoint();
          } catch (thrown) {
            error = thrown;
          }
        },
      },
    });
    await running.start();
    await log.until(() => log.of("batch-finished").length > 0);
    // Somebody fences it: it ends its tenures, and comes back as a new worker.
    const { workerId } = running;
    const fleet = await client.send(
      new UpdateItemCommand({
        TableName: `${application}-fleet`,
        Key: { pk: { S: "fleet" }, sk: { S: `worker#${workerId}` } },
        UpdateExpression: "SET fencedBy = :me, fenceKind = :kind",
        ExpressionAttributeValues: { ":me": { S: "somebody" }, ":kind": { S: "observer" } },
        ReturnValues: "ALL_NEW",
      }),
    );
    expect(fleet.Attributes?.["beat"]?.N).to.be.a("string");
    await log.until(() => log.of("lease-lost-told").length > 0 && log.of("worker-created").length > 1);
    await log.until(() => error !== undefined);
    expect(hasCode(error, "lease-lost")).to.equal(true);
    expect((await row("a"))?.["checkpoint"]?.S).to.equal("TRIM_HORIZON");
    expect(running.workerId).to.not.equal(workerId);
  });

  async function oneFleet(): Promise<void> {
    const { worker: first, log } = worker();
    await first.start();
    await log.until(() => log.of("tenure-began").length === 2);
    await first.stop();
  }

  async function setMeta(
    name: string,
    value: { readonly N: string } | { readonly S: string },
  ): Promise<void> {
    await client.send(
      new UpdateItemCommand({
        TableName: `${application}-fleet`,
        Key: { pk: { S: "fleet" }, sk: { S: "meta" } },
        UpdateExpression: "SET #name = :value",
        ExpressionAttributeNames: { "#name": name },
        ExpressionAttributeValues: { ":value": "N" in value ? { N: value.N } : { S: value.S } },
      }),
    );
  }

  async function row(leaseKey: string): Promise<PutItemCommand["input"]["Item"]> {
    const get = new GetItemCommand({
      TableName: application,
      Key: { leaseKey: { S: leaseKey } },
      ConsistentRead: true,
    });
    return (await client.send(get)).Item;
  }
});
