import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { isFinished } from "../../src/model/position.js";
import { sleep } from "../../src/runtime/clock.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { shippedWorker } from "../../src/testing/shipped-worker.js";
import { SimulatedStore } from "../../src/testing/simulated-store.js";
import { SimulatedStream } from "../../src/testing/simulated-stream.js";
import type { SimulatedWorker } from "../../src/testing/simulated-worker.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

/**
 * What everybody tries first, with nothing going wrong: a mutant that fails here needs no safety test to be found. No
 * invariant is asked, only what a user sees.
 */
describe("the happy path of a fleet", () => {
  it("starts, shares, works every record, hands over to a newcomer and from a leaver, follows a split, and stops", async () => {
    const time = new VirtualTime();
    const random = seededRandom("happy path");
    const store = new SimulatedStore(time, { conditions: { latencyMs: [1, 4] } });
    const stream = new SimulatedStream(time, { shards: 6, idleMs: 500 });
    const events: LeaseholdEvent[] = [];
    const worked = new Set<string>();
    const start = (worker: number): SimulatedWorker => {
      const clock = time.clock();
      const link = { worker, clock, random: random.fork(`store ${String(worker)}`) };
      return shippedWorker({
        application: "simulated",
        label: `worker-${String(worker)}`,
        clock,
        random: random.fork(`worker ${String(worker)}`),
        store: store.connect(link),
        source: stream.source({ clock, random: random.fork(`stream ${String(worker)}`) }),
        processor: {
          process: async ({ records }, lease) => {
            await sleep(clock, 20);
            lease.assertHeld();
            for (const { sequenceNumber } of records) worked.add(`${lease.leaseKey} ${sequenceNumber}`);
          },
        },
        protocol: { leaseDurationMs: 4_000, checkpointIntervalMs: 2_000 },
        emit: (event) => events.push(event),
      });
    };
    const count = (type: LeaseholdEvent["type"]): number =>
      events.filter((event) => event.type === type).length;
    const open = (): readonly { readonly owner?: string | undefined }[] =>
      store.rows
        .view()
        .scan()
        .leases.filter(({ checkpoint, marked }) => !marked && !isFinished(checkpoint));
    const ownersNow = (): number => new Set(open().flatMap(({ owner }) => owner ?? [])).size;

    const stopProducing = stream.produce(100, random.fork("producer"));
    const first = [start(0), start(1)];
    await time.runUntilSettled(Promise.all(first.map((worker) => worker.start())), 10_000);
    await time.advance(5_000);
    expect(open()).to.have.length(6);
    expect(ownersNow()).to.equal(2);

    const third = start(2);
    await time.runUntilSettled(third.start(), 10_000);
    await time.advance(12_000);
    expect(ownersNow()).to.equal(3);
    expect(count("handed-off"), "handed to the newcomer").to.be.greaterThan(0);

    stream.splitAny(0.1);
    await time.advance(8_000);
    expect(count("partition-ended")).to.equal(1);
    expect(open()).to.have.length(7);

    const handedOff = count("handed-off");
    await time.runUntilSettled(first[0]!.stop(), 20_000);
    expect(count("handed-off"), "handed over by the leaver").to.be.greaterThan(handedOff);
    await time.advance(4_000);
    expect(ownersNow()).to.equal(2);

    stopProducing();
    await time.advance(5_000);
    expect(worked.size).to.equal(stream.putRecords);
    // One after the other: of two that stop at once, one may be handed something just as it leaves.
    await time.runUntilSettled(first[1]!.stop(), 20_000);
    await time.advance(2_000);
    await time.runUntilSettled(third.stop(), 20_000);
    // What was on its way arrives.
    await time.advance(1_000);
    expect(open().filter(({ owner }) => owner !== undefined)).to.deep.equal([]);
    expect(count("checkpointed")).to.be.greaterThan(10);
    expect(time.pendingTimers).to.equal(0);
  });
});
