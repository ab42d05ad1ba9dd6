import { KinesisClient } from "@aws-sdk/client-kinesis";
import { expect } from "chai";
import { DemoStream } from "../../src/embedded/demo-stream.js";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { startKinesisLocal, type KinesisLocal } from "../../src/embedded/kinesis-local.js";
import {
  kinesis,
  openInspector,
  Worker,
  type Batch,
  type FleetStatus,
  type HeldLease,
} from "../../src/index.js";
import { systemClock } from "../../src/runtime/system.js";
import { createDynamoDbStore } from "../../src/store/dynamodb/index.js";
import { emulated } from "../support/dynamodb.js";
import { EventLog } from "../support/event-log.js";

const application = "kinesis-readers";
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** Two workers in this process, on real tables and a real stream, with leases of 2 s. */
describe("a fleet on kinesis-local and dynalite", function () {
  this.timeout(90_000);
  let dynalite: Dynalite;
  let emulator: KinesisLocal;
  let stream: DemoStream;
  const log = new EventLog();
  const workers: Worker[] = [];
  /** What was handed over, in the order in which it was: shard, payload, token. */
  const handed: { readonly shard: string; readonly text: string; readonly token: number }[] = [];
  const put: string[] = [];

  before(async () => {
    [dynalite, emulator] = await Promise.all([startDynalite(), startKinesisLocal({ streams: { fleet: 4 } })]);
    stream = new DemoStream({
      endpoint: emulator.endpoint,
      region: emulator.region,
      streamName: "fleet",
      clock: systemClock,
    });
  });

  after(async () => {
    for (const worker of workers) await worker.stop({ force: true }).catch(() => undefined);
    stream.close();
    await Promise.all([dynalite.stop(), emulator.stop()]);
  });

  function worker(label: string): Worker {
    const made = new Worker({
      application,
      label,
      source: kinesis({
        streamName: "fleet",
        idlePollIntervalMs: 200,
        client: (defaults) =>
          new KinesisClient({
            ...defaults,
            region: emulator.region,
            endpoint: emulator.endpoint,
            credentials,
          }),
      }),
      processor: {
        process: (batch: Batch, lease: HeldLease) => {
          for (const { data } of batch.records) {
            handed.push({
              shard: lease.leaseKey,
              text: Buffer.from(data).toString(),
              token: lease.fencingToken,
            });
          }
        },
      },
      leaseDurationMs: 2_000,
      discoveryIntervalMs: 1_000,
      checkpointIntervalMs: 200,
      dynamodb: emulated(dynalite.endpoint),
      onEvent: log.take,
    });
    workers.push(made);
    return made;
  }

  /** One record for every sixteenth of the ring, so that each shard there can be gets some. */
  async function produce(round: string): Promise<void> {
    const records = Array.from({ length: 16 }, (_, i) => ({
      data: Buffer.from(`${round}-${String(i)}`),
      partitionKey: `k${String(i)}`,
      place: (i + 0.5) / 16,
    }));
    await stream.put(records, new AbortController().signal);
    put.push(...records.map(({ data }) => data.toString()));
  }

  const allHanded = (): boolean => {
    const texts = new Set(handed.map(({ text }) => text));
    return put.every((text) => texts.has(text));
  };

  async function status(): Promise<FleetStatus> {
    const inspector = openInspector({ application, dynamodb: emulated(dynalite.endpoint) });
    try {
      return await inspector.status();
    } finally {
      inspector.close();
    }
  }

  it("reads a stream from its start", async () => {
    await produce("before");
    await worker("a").start();
    await log.until(allHanded);
    expect(new Set(handed.map(({ shard }) => shard)).size).to.equal(4);
  });

  it("gives a second worker its share, and shows who holds what", async () => {
    await worker("b").start();
    await log.until(
      () => log.of("tenure-began").filter(({ workerId }) => workerId.startsWith("b-")).length === 2,
    );
    const { leases, planner, liveness } = await status();
    expect(leases.map(({ owner, state }) => `${owner?.slice(0, 2) ?? ""} ${state}`).sort()).to.deep.equal([
      "a- owned",
      "a- owned",
      "b- owned",
      "b- owned",
    ]);
    expect(planner).to.match(/^a-/);
    expect(liveness).to.equal("worker");
  });

  it("reads the children of a split and of a merge after their parents, and loses nothing", async () => {
    await produce("parents");
    const [first, second, third] = await stream.openShards();
    await stream.split(first!);
    await stream.merge(second!, third!);
    await produce("children");
    await log.until(allHanded);
    await log.until(() => log.of("partition-ended").length === 3);
    for (const { leaseKey, children } of log.of("partition-ended")) {
      const last = handed.map(({ shard }) => shard).lastIndexOf(leaseKey);
      for (const child of children) {
        expect(handed.findIndex(({ shard }) => shard === child)).to.be.greaterThan(last);
      }
    }
  });

  it("marks finished parents deleted once their children have moved on, and does not make them again", async () => {
    await log.until(() => log.of("lease-marked").length === 3);
    const created = log.of("lease-created").length;
    const ended = log.of("partition-ended").map(({ leaseKey }) => leaseKey);
    await produce("after");
    await log.until(allHanded);
    const { leases } = await status();
    expect(leases.map(({ leaseKey }) => leaseKey)).to.have.length(4);
    expect(leases.filter(({ leaseKey }) => ended.includes(leaseKey))).to.deep.equal([]);
    expect(log.of("lease-created")).to.have.length(created);
  });

  it("hands everything over at a stop, with nothing read twice", async () => {
    const before = handed.length;
    await workers[0]!.stop();
    await produce("alone");
    await log.until(allHanded);
    expect(handed.length - before).to.equal(16);
    expect((await status()).leases.every(({ owner }) => owner?.startsWith("b-") === true)).to.equal(true);
  });

  it("leaves a history with every epoch once, from each lease's creation on", async () => {
    await workers[1]!.stop();
    const store = createDynamoDbStore({ application, ...emulated(dynalite.endpoint) });
    const { leases } = await store.leases.scan({ consistent: true });
    for (const { leaseKey, epoch, tenure, previousTenure } of leases) {
      const archived = (await store.history.list(leaseKey)).map((entry) => entry.epoch);
      const epochs = new Set([...archived, previousTenure?.epoch ?? epoch, tenure?.epoch ?? epoch]);
      const first = Math.min(...epochs);
      expect(
        [...epochs].sort((x, y) => x - y),
        leaseKey,
      ).to.deep.equal(Array.from({ length: epoch - first + 1 }, (_, i) => first + i));
    }
    store.close();
    expect(leases).to.have.length(7);
  });
});
