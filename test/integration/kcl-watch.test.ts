import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { fixedPartitions, hasCode, Worker, type LeaseholdEvent } from "../../src/index.js";
import { noteOf, strangersRows } from "../../src/model/strangers.js";
import { createDynamoDbStore } from "../../src/store/dynamodb/index.js";
import type { Store } from "../../src/store/store.js";
import { kclItems } from "../support/kcl-rows.js";

const application = "java";

describe("a table with rows of a Java KCL fleet, on dynalite", () => {
  let dynalite: Dynalite;
  let client: DynamoDBClient;
  let store: Store;
  const events: LeaseholdEvent[] = [];
  let onEvent: (event: LeaseholdEvent) => void = () => undefined;

  const make = (): DynamoDBClient =>
    new DynamoDBClient({
      endpoint: dynalite.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "kcl", secretAccessKey: "kcl" },
    });

  const put = async (name: string): Promise<void> => {
    for (const Item of kclItems(name))
      await client.send(new PutItemCommand({ TableName: application, Item }));
  };

  const worker = (): Worker =>
    new Worker({
      application,
      source: fixedPartitions({ partitions: ["p1"] }),
      processor: { process: () => Promise.resolve() },
      leaseDurationMs: 2_000,
      kclFailoverMs: 1_000,
      dynamodb: { client: make },
      onEvent: (event) => {
        events.push(event);
        onEvent(event);
      },
    });

  before(async () => {
    dynalite = await startDynalite();
    client = make();
    store = createDynamoDbStore({ application, client: make });
    await store.tables.prepare();
  });

  after(async () => {
    client.destroy();
    store.close();
    await dynalite.stop();
  });

  it("refuses a worker as soon as one of them changes", async () => {
    await put("kcl3-01-initial-1worker");
    const starting = worker();
    const watched = new Promise<void>((resolve) => {
      onEvent = ({ type }) => {
        if (type === "kcl-watched") resolve();
      };
    });
    const started = starting.start().catch((error: unknown) => error);
    await watched;
    await put("kcl3-02-after-balancing");
    expect(hasCode(await started, "kcl-alive")).to.equal(true);
    const fleet = await store.membership.readFleet({ consistent: true });
    expect(fleet.workers).to.deep.equal([]);
    expect(fleet.meta?.kclNote).to.equal(undefined);
  });

  it("lets one start at once where they are noted, and touches none but leases", async () => {
    await put("kcl3-03-after-sigkill");
    const rows = strangersRows(await store.leases.scan({ consistent: true }), () => undefined);
    await store.membership.note(noteOf(rows));
    events.length = 0;
    const began = new Promise<void>((resolve) => {
      onEvent = ({ type }) => {
        if (type === "tenure-began") resolve();
      };
    });
    const started = worker();
    await started.start();
    await began;
    expect(events.some(({ type }) => type === "kcl-watched")).to.equal(false);
    await started.stop();
    const { kclRows } = await store.leases.scan({ consistent: true });
    expect(kclRows.map(({ leaseKey, state }) => rows.get(leaseKey)?.state === state)).to.deep.equal([
      true,
      true,
      true,
    ]);
  });
});
