import { DeleteTableCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { hasCode, type Batch, type HeldLease } from "../../src/index.js";
import { startFleet, type Endpoints, type FleetOptions, type TestFleet } from "../../src/testing/index.js";
import { emulatorClient } from "../support/dynamodb.js";

/** Processes are the integration suite's business; here the workers run in this one. */
describe("a fleet under test", function () {
  this.timeout(60_000);
  let dynalite: Dynalite;
  let fleet: TestFleet | undefined;
  let cases = 0;
  let options: FleetOptions;
  const turns: string[] = [];

  before(async () => {
    dynalite = await startDynalite();
  });

  after(async () => {
    await dynalite.stop();
  });

  beforeEach(() => {
    turns.length = 0;
    options = {
      application: `under-test-${String(++cases)}`,
      endpoints: { dynamodb: dynalite.endpoint },
      partitions: { partitions: ["a", "b"], turnIntervalMs: 20 },
      processor: {
        process: (batch: Batch, lease: HeldLease) => turns.push(`${lease.leaseKey} ${String(batch.turn)}`),
      },
      leaseDurationMs: 2_000,
    };
  });

  afterEach(async () => {
    await fleet?.close();
    fleet = undefined;
  });

  async function failure(promise: Promise<unknown>): Promise<Error> {
    try {
      await promise;
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error("it did not fail with an error");
  }

  it("starts workers, waits for what they do, shows their tables and stops them", async () => {
    fleet = await startFleet({ ...options, workers: 2 });
    expect(fleet.workers.map(({ label, state, pid }) => [label, state, pid])).to.deep.equal([
      ["w1", "running", undefined],
      ["w2", "running", undefined],
    ]);
    await fleet.until(() => turns.includes("a 2") && turns.includes("b 2"));
    const status = await fleet.untilStatus(
      (found) => found.leases.every(({ state }) => state === "owned") && found,
    );
    expect(status.leases.map(({ leaseKey }) => leaseKey)).to.deep.equal(["a", "b"]);
    const owners = fleet.workers.map(({ workerId }) => workerId);
    for (const { owner } of status.leases) expect(owners).to.include(owner);
    await fleet.stop();
    expect(fleet.of("exited").map(({ label, code }) => `${label} ${String(code)}`)).to.have.members([
      "w1 0",
      "w2 0",
    ]);
  });

  it("starts a further worker under a label of its own, and stops one alone", async () => {
    fleet = await startFleet(options);
    const late = await fleet.start({ label: "late" });
    expect(late.workerId).to.match(/^late-/);
    await fleet.stop(fleet.workers[0]);
    expect(fleet.workers.map(({ state }) => state)).to.deep.equal(["exited", "running"]);
    await fleet.untilStatus(({ leases }) => leases.every(({ owner }) => owner === late.workerId));
  });

  it("says what it waited for in vain, and what happened last", async () => {
    fleet = await startFleet(options);
    const error = await failure(fleet.until(() => false, { withinMs: 300, what: "the moon" }));
    expect(error.message).to.match(
      /^waited 300 ms in vain for the moon; workers: w1 \(running\); last events: /,
    );
    // And why, where a worker told: what it says is not looked for among the last events only.
    await fleet.close();
    fleet = await startFleet({
      ...options,
      application: `${options.application}-failing`,
      processor: {
        process: () => {
          throw new Error("the moon is full");
        },
      },
    });
    await fleet.until(() => fleet?.of("processor-failed")[0]);
    const failing = await failure(fleet.until(() => false, { withinMs: 1 }));
    expect(failing.message).to.match(/; last error: w1 processor-failed: the moon is full$/);
    const other = await failure(fleet.untilStatus(() => undefined, { withinMs: 1 }));
    expect(other.message).to.include("the condition");
  });

  it("waits no longer when a worker has ended that nobody had asked to", async () => {
    fleet = await startFleet(options);
    const client = emulatorClient(dynalite.endpoint);
    for (const suffix of ["", "-fleet"]) {
      await client.send(new DeleteTableCommand({ TableName: `${options.application}${suffix}` }));
    }
    client.destroy();
    const error = await failure(fleet.until(() => false, { what: "the moon" }));
    expect(hasCode(error, "child-failed")).to.equal(true);
    expect(error.message).to.match(/waited for the moon: worker w1 ended by itself: .*table-missing/);
    expect(await fleet.workers[0]?.exited).to.equal(1);
  });

  it("tells a start that fails with the worker's own words, and leaves nothing running", async () => {
    const error = await failure(startFleet({ ...options, leaseDurationMs: 3 }));
    expect(error.message).to.match(/leaseDurationMs is 3/);
    // In a process, which says it by its channel; and where the start itself fails, and not only the options.
    const handler = new URL("nowhere.mjs", import.meta.url);
    const { processor: _processor, ...others } = options;
    const late = await failure(startFleet({ ...others, handler, workers: 2 }));
    expect(late.message).to.match(
      /worker w[12] to start: worker w[12] ended by itself: .*nowhere.mjs.*handler-invalid/,
    );
  });

  it("refuses to kill or freeze what is no process, and strangers", async () => {
    fleet = await startFleet(options);
    const [worker] = fleet.workers;
    expect((await failure(fleet.kill(worker!))).message).to.match(
      /w1 runs in the test's own process.*handler/,
    );
    expect(() => fleet?.freeze(worker!)).to.throw(/cannot be frozen/);
    expect(() => fleet?.thaw(worker!)).to.throw(/cannot be thawed/);
    expect(worker?.state).to.equal("running");
    expect(() => fleet?.freeze({ ...worker!, label: "nobody" })).to.throw(/nobody is none of this fleet's/);
  });

  it("refuses options that contradict each other, by name", async () => {
    const { partitions: _partitions, ...withoutPartitions } = options;
    const wrong: Record<string, FleetOptions> = {
      "stream and partitions": { ...options, stream: { streamName: "s" } },
      "handler and processor": { ...options, handler: "handler.mjs" },
      "workers is -1": { ...options, workers: -1 },
      "endpoints.dynamodb is missing": { ...options, endpoints: {} as Endpoints },
      "endpoints.dynamodb is missing: it": { ...options, endpoints: undefined as unknown as Endpoints },
      'endpoints.dynamodb is "127.0.0.1:8000"': { ...options, endpoints: { dynamodb: "127.0.0.1:8000" } },
      'endpoints.dynamodb is "localhost:8000"': { ...options, endpoints: { dynamodb: "localhost:8000" } },
      "endpoints.kinesis is missing": { ...withoutPartitions, stream: { streamName: "s" } },
      'endpoints.kinesis is ""': {
        ...withoutPartitions,
        stream: { streamName: "s" },
        endpoints: { dynamodb: dynalite.endpoint, kinesis: "" },
      },
    };
    for (const [text, given] of Object.entries(wrong)) {
      const error = await failure(startFleet(given));
      expect(hasCode(error, "invalid-option"), text).to.equal(true);
      expect(error.message).to.include(text);
    }
  });
});
