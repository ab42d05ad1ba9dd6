import { expect } from "chai";
import {
  fixedPartitions,
  hasCode,
  kinesis,
  openInspector,
  Worker,
  type Batch,
  type FleetStatus,
  type HeldLease,
  type WorkerOptions,
} from "../../../src/index.js";
import { kinesisAt } from "../../../src/testing/index.js";
import { EventLog } from "../../support/event-log.js";
import { Bench, failure } from "./bench.js";
import type { Place } from "./place.js";

/** Workers in this process, so that a case can reach into what goes wrong. Every case has tables of its own. */
export function badInputCases(place: () => Place): void {
  describe("a worker given bad input", function () {
    this.timeout(120_000);
    let bench: Bench;
    const workers: Worker[] = [];

    beforeEach(() => {
      bench = new Bench(place(), "bad-input");
    });

    afterEach(async () => {
      for (const worker of workers.splice(0)) await worker.stop({ force: true }).catch(() => undefined);
      await bench.close();
    });

    function worker(options: Partial<WorkerOptions> = {}): { worker: Worker; log: EventLog } {
      const log = new EventLog();
      const made = new Worker({
        application: bench.application,
        source: fixedPartitions({ partitions: ["a", "b"], turnIntervalMs: 50 }),
        processor: { process: () => undefined },
        leaseDurationMs: 2_000,
        dynamodb: bench.dynamodb,
        onEvent: log.take,
        ...options,
      });
      workers.push(made);
      return { worker: made, log };
    }

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
      const source = kinesis({ streamName: "nowhere", ...kinesisAt(place().endpoints) });
      const error = await failure(worker({ source }).worker.start());
      expect(error.code).to.equal("source-missing");
      expect(error.message).to.contain("nowhere");
      expect(await bench.tables()).to.deep.equal([]);
    });

    it("leaves a row with an unknown checkpoint alone, says so once, shows it in status, and works the others", async () => {
      await oneFleet();
      await bench.set(bench.application, { leaseKey: "a" }, "checkpoint", { S: "the-moon" });
      const before = await bench.row("a");
      const { worker: running, log } = worker();
      await running.start();
      await log.until(() => log.of("lease-invalid").length > 0 && log.of("tenure-began").length > 0);
      expect(log.of("lease-invalid")[0]?.problem).to.contain("the-moon");
      expect(log.of("tenure-began").map(({ leaseKey }) => leaseKey)).to.deep.equal(["b"]);
      const found = await status();
      expect(found.leases.find(({ leaseKey }) => leaseKey === "a")?.state).to.equal("invalid");
      await running.stop();
      expect(await bench.row("a")).to.deep.equal(before);
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
      const found = await status();
      expect(found.workers.map(({ failing }) => failing)).to.deep.equal([["a"]]);
      expect(running.status().partitions[0]?.lastError?.message).to.contain("the sink is full");
      expect(new Set(turns)).to.deep.equal(new Set([1]));
      expect(turns.length).to.be.greaterThan(1);
      expect((await bench.row("a"))?.["checkpoint"]?.S).to.equal("TRIM_HORIZON");
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
      const key = { pk: "fleet", sk: `worker#${workerId}` };
      await bench.set(bench.fleetTable, key, "fenceKind", { S: "observer" });
      const fenced = await bench.set(bench.fleetTable, key, "fencedBy", { S: "somebody" });
      expect(fenced?.["beat"]?.N).to.be.a("string");
      await log.until(() => log.of("lease-lost-told").length > 0 && log.of("worker-created").length > 1);
      await log.until(() => error !== undefined);
      expect(hasCode(error, "lease-lost")).to.equal(true);
      expect((await bench.row("a"))?.["checkpoint"]?.S).to.equal("TRIM_HORIZON");
      expect(running.workerId).to.not.equal(workerId);
    });

    for (const by of ["a worker", "a Java worker"] as const) {
      it(`is refused its checkpoint by the store once ${by} has its lease, though it believes in it still`, async () => {
        let kept: Batch | undefined;
        let isTaken = false;
        const { worker: running, log } = worker({
          source: fixedPartitions({ partitions: ["a"], turnIntervalMs: 10_000 }),
          checkpointing: "explicit",
          // After the worker's own look at its belief, and before the store's at the row.
          dynamodb: bench.dynamodbWith(async (table) => {
            if (kept === undefined || isTaken || table !== bench.application) return;
            isTaken = true;
            await bench.takeAway("a", "other-0123456789ab", by);
          }),
          processor: {
            process: (batch: Batch) => {
              kept = batch;
            },
          },
        });
        await running.start();
        await log.until(() => log.of("batch-finished").length > 0);
        const error = await failure(Promise.resolve(kept?.checkpoint()));
        expect(isTaken).to.equal(true);
        expect(error.code).to.equal("checkpoint-refused");
        expect(error.message).to.contain("the lease belongs to other-0123456789ab");
        expect(log.of("checkpoint-refused").map(({ reason }) => reason)).to.deep.equal(["deposed"]);
        expect(log.of("tenure-ended").map(({ reason }) => reason)).to.deep.equal([
          by === "a worker" ? "lease-lost" : "foreign",
        ]);
        const row = await bench.row("a");
        expect([row?.["leaseOwner"]?.S, row?.["checkpoint"]?.S]).to.deep.equal([
          "other-0123456789ab",
          "TRIM_HORIZON",
        ]);
      });
    }

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
      await bench.set(bench.fleetTable, { pk: "fleet", sk: "meta" }, name, value);
    }

    async function status(): Promise<FleetStatus> {
      const inspector = openInspector({ application: bench.application, dynamodb: bench.dynamodb });
      try {
        return await inspector.status();
      } finally {
        inspector.close();
      }
    }
  });
}
