import { expect } from "chai";
import { position } from "../../src/model/position.js";
import { Slots } from "../../src/processing/slots.js";
import { VirtualTime } from "../../src/testing/index.js";
import { gate, records, useBench } from "./workbench.js";

describe("processing slots", () => {
  const bench = useBench();

  it("never runs more batches at once than maxConcurrentBatches, and uses all of them", async () => {
    let running = 0;
    let most = 0;
    const b = bench(
      {
        process: async () => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => b.clock.setTimer(100, resolve));
          running -= 1;
        },
      },
      { protocol: { maxConcurrentBatches: 3 } },
    );
    for (let n = 0; n < 20; n++) {
      b.source.script(`s${String(n)}`, records(1), records(2), records(3));
      await b.begin(`s${String(n)}`);
    }
    await b.advance(3_000);
    expect(most).to.equal(3);
    expect(b.of("batch-finished")).to.have.length(60);
  });

  it("tells a reader that its batch has begun only when it has: what waits for a slot is still read ahead", async () => {
    const held = gate();
    const b = bench({ process: () => held.promise }, { protocol: { maxConcurrentBatches: 1 } });
    for (const key of ["s1", "s2"]) {
      b.source.script(key, records(1));
      await b.begin(key);
    }
    expect([b.source.reader("s1").begins, b.source.reader("s2").begins]).to.deep.equal([1, 0]);
    held.open();
    await b.settle();
    expect([b.source.reader("s1").begins, b.source.reader("s2").begins]).to.deep.equal([1, 1]);
  });

  it("looks at a batch's records only when it has its slot: those of a queued one may not be made yet", async () => {
    const held = gate();
    const b = bench({ process: () => held.promise }, { protocol: { maxConcurrentBatches: 1 } });
    const looked: string[] = [];
    for (const key of ["s1", "s2", "s3"]) {
      const { records: made, ...batch } = records(6, 7);
      const late = {
        ...batch,
        count: made.length,
        firstPosition: position("6"),
        get records() {
          looked.push(key);
          return made;
        },
      };
      b.source.script(key, late);
    }
    // Behind a checkpoint, or from where the shard begins.
    await b.begin("s1", { checkpoint: position("5") });
    await b.begin("s2", { checkpoint: position("5") });
    const queued = await b.begin("s3");
    expect(new Set(looked)).to.deep.equal(new Set(["s1"]));
    queued.end("fenced");
    await b.settle();
    held.open();
    await b.settle();
    expect(new Set(looked)).to.deep.equal(new Set(["s1", "s2"]));
    expect(b.of("batch-dropped").map(({ leaseKey, records: dropped }) => [leaseKey, dropped])).to.deep.equal([
      ["s3", 2],
    ]);
    expect(b.of("batch-finished").map(({ leaseKey, records: done }) => [leaseKey, done])).to.deep.equal([
      ["s1", 2],
      ["s2", 2],
    ]);
  });

  it("counts initialize and partitionEnded as work, too", async () => {
    const held = gate();
    const started: string[] = [];
    const b = bench(
      {
        initialize: (lease) => {
          started.push(lease.leaseKey);
          return held.promise;
        },
        process: () => {},
      },
      { protocol: { maxConcurrentBatches: 1 } },
    );
    await b.begin("s1");
    await b.begin("s2");
    expect(started).to.deep.equal(["s1"]);
    expect(b.status("s2").state).to.equal("queued");
    held.open();
    await b.settle();
    expect(started).to.deep.equal(["s1", "s2"]);
  });

  it("never starts a queued batch whose lease ends, and says that it was dropped", async () => {
    const held = gate();
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          return lease.leaseKey === "s1" ? held.promise : undefined;
        },
      },
      { protocol: { maxConcurrentBatches: 1 } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1, 2));
    await b.begin("s1");
    const queued = await b.begin("s2");
    queued.end("fenced");
    await b.settle();
    held.open();
    await b.settle();
    expect(processed).to.deep.equal(["s1"]);
    expect(b.of("batch-dropped")).to.deep.equal([
      { type: "batch-dropped", workerId: "w1", leaseKey: "s2", epoch: 5, records: 2 },
    ]);
  });

  it("looks at the lease first thing when a queued batch gets its slot, whatever timers have fired", async () => {
    const held = gate();
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          return lease.leaseKey === "s1" ? held.promise : undefined;
        },
      },
      { protocol: { maxConcurrentBatches: 1, leaseDurationMs: 10_000 } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    await b.begin("s1");
    await b.begin("s2");
    b.clock.jumpWall(60_000);
    held.open();
    await b.settle();
    expect(processed).to.deep.equal(["s1"]);
    expect(b.of("batch-dropped").map((e) => e.leaseKey)).to.deep.equal(["s2"]);
    expect(b.tenures.map((t) => t.endReason)).to.deep.equal(["lease-lost", "lease-lost"]);
  });

  /** s1 is busy in the only slot, with a tenure that has ended; s2 waits for the slot. */
  const queuedBehindALostOne = async (more: { readonly leaseDurationMs?: number } = {}) => {
    const held = gate();
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          return lease.leaseKey === "s1" ? held.promise : undefined;
        },
      },
      { protocol: { maxConcurrentBatches: 1, processingTimeoutMs: 5_000, ...more } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    const lost = await b.begin("s1");
    const queued = await b.begin("s2");
    lost.end("fenced");
    await b.settle();
    return { b, held, processed, queued };
  };

  it("asks for the time left when a queued batch gets its slot, though nobody else has asked", async () => {
    const { b, held, processed, queued } = await queuedBehindALostOne({ leaseDurationMs: 10_000 });
    b.clock.jumpWall(60_000);
    expect(queued.ended).to.equal(false);
    held.open();
    await b.settle();
    expect(processed).to.deep.equal(["s1"]);
    expect(queued.endReason).to.equal("lease-lost");
  });

  it("does not start a queued batch while a write of unknown outcome is being cleared up", async () => {
    const { b, held, processed, queued } = await queuedBehindALostOne();
    const settled = queued.unsettle();
    held.open();
    await b.advance(1_000);
    expect(processed).to.deep.equal(["s1"]);
    settled();
    await b.advance(1_000);
    expect(processed).to.deep.equal(["s1", "s2"]);
  });

  it("does not start a queued batch whose lease is being given up, though its slot becomes free meanwhile", async () => {
    const { b, held, processed, queued } = await queuedBehindALostOne();
    const releasing = b.gate();
    b.lane.holdRelease = releasing.promise;
    await b.advance(5_000);
    expect(b.lane.releases).to.deep.equal([{ leaseKey: "s2", reason: "stuck" }]);
    held.open();
    await b.advance(1_000);
    expect(processed).to.deep.equal(["s1"]);
    releasing.open();
    await b.settle();
    expect(queued.endReason).to.equal("stuck");
  });

  it("keeps the slot of a call whose lease is lost for as long as it really runs", async () => {
    const held = gate();
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          return lease.leaseKey === "s1" ? held.promise : undefined;
        },
      },
      { protocol: { maxConcurrentBatches: 1 } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    const lost = await b.begin("s1");
    lost.end("fenced");
    await b.begin("s2");
    expect(processed).to.deep.equal(["s1"]);
    held.open();
    await b.settle();
    expect(processed).to.deep.equal(["s1", "s2"]);
  });

  it("gives up a lease whose batch waits processingTimeoutMs for a slot", async () => {
    const held = gate();
    const b = bench(
      {
        process: async (_batch, lease) => {
          if (lease.leaseKey !== "s1") return;
          const keep = setInterval1(b, () => lease.progress());
          await held.promise;
          keep();
        },
      },
      { protocol: { maxConcurrentBatches: 1, processingTimeoutMs: 5_000 } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    await b.begin("s1");
    const starved = await b.begin("s2");
    await b.advance(4_999);
    expect(starved.endReason).to.equal(undefined);
    await b.advance(1);
    expect(starved.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal([]);
    held.open();
    await b.settle();
  });

  it("measures utilisation as an average over the last while", async () => {
    const held = gate();
    const b = bench({ process: () => held.promise }, { protocol: { maxConcurrentBatches: 2 } });
    b.source.script("s1", records(1));
    await b.begin();
    expect(b.host.load().utilisation).to.equal(0);
    await b.advance(150_000);
    expect(b.host.load().utilisation).to.be.closeTo(0.5, 0.01);
    held.open();
    await b.advance(150_000);
    expect(b.host.load().utilisation).to.be.closeTo(0, 0.01);
  });

  it("frees nothing for work that was taken back, and says that it never began", async () => {
    const slots = new Slots(new VirtualTime().clock(), 1, () => {});
    const held = gate();
    const first = slots.run(
      () => true,
      () => held.promise.then(() => "first"),
    );
    const second = slots.run(
      () => true,
      async () => "second",
    );
    const refused = slots.run(
      () => false,
      async () => "third",
    );
    await Promise.resolve();
    second.cancel();
    expect(await second.ended).to.equal(undefined);
    expect(slots.inUse).to.equal(1);
    held.open();
    expect(await first.ended).to.equal("first");
    expect(await refused.ended).to.equal(undefined);
    first.cancel();
    expect(slots.inUse).to.equal(0);
  });

  /** Calls `fn` every second until the returned function is called. */
  function setInterval1(b: ReturnType<typeof bench>, fn: () => void): () => void {
    let cancel = (): void => {};
    const again = (): void => {
      fn();
      cancel = b.clock.setTimer(1_000, again);
    };
    again();
    return () => {
      cancel();
    };
  }
});
