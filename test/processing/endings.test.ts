import { expect } from "chai";
import { endReasons } from "../../src/model/reasons.js";
import type { EndOfPartition } from "../../src/processing/processor.js";
import { ended, records, storeError, useBench, type BenchOptions } from "./workbench.js";

const steady: BenchOptions["options"] = { retry: { firstMs: 1_000, longestMs: 1_000 } };

describe("the end of a partition", () => {
  const bench = useBench();

  it("creates the children, tells the processor, writes one checkpoint, gives the lease back, looks after the children", async () => {
    const b = bench({
      process: () => b.log.push("process"),
      partitionEnded: async (end) => {
        b.log.push(`partitionEnded ${end.children.join(",")}`);
        await end.checkpoint();
      },
      leaseLost: () => b.log.push("lost"),
      stopRequested: () => b.log.push("stop"),
    });
    b.source.script("s1", records(1), ended("c1", "c2"));
    const tenure = await b.begin();
    await b.advance(60_000);
    expect(b.log).to.deep.equal([
      "process",
      "children c1,c2",
      "partitionEnded c1,c2",
      "checkpoint SHARD_END",
      "release partition-ended",
      "finished s1",
    ]);
    expect(tenure.endReason).to.equal("partition-ended");
    expect(b.lane.written[0]?.extra.children).to.deep.equal(["c1", "c2"]);
    expect(b.of("partition-ended")).to.deep.equal([
      { type: "partition-ended", workerId: "w1", leaseKey: "s1", epoch: 5, children: ["c1", "c2"] },
    ]);
  });

  it("checkpoints the end by itself for a processor without partitionEnded", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", records(1), ended("c1"));
    const tenure = await b.begin();
    expect(b.lane.positions).to.deep.equal(["SHARD_END"]);
    expect(tenure.endReason).to.equal("partition-ended");
  });

  it("with explicit checkpointing does so only when the last batch was checkpointed", async () => {
    let checkpoint: (() => Promise<void>) | undefined;
    const b = bench(
      { process: (batch) => (checkpoint = () => batch.checkpoint()) },
      { options: { ...steady, checkpointing: "explicit" } },
    );
    b.source.script("s1", records(1), ended());
    const tenure = await b.begin();
    expect(b.of("processor-failed")[0]?.error).to.match(/checkpoint its last batch/);
    await checkpoint?.();
    await b.advance(1_000);
    expect(b.lane.positions).to.deep.equal(["1", "SHARD_END"]);
    expect(tenure.endReason).to.equal("partition-ended");
  });

  it("takes it for an error when partitionEnded returns without its checkpoint, and calls it again", async () => {
    const ends: EndOfPartition[] = [];
    const b = bench(
      {
        process: () => {},
        partitionEnded: (end) => {
          ends.push(end);
          return ends.length < 3 ? undefined : end.checkpoint();
        },
      },
      { options: steady },
    );
    b.source.script("s1", ended("c1"));
    const tenure = await b.begin();
    expect(b.of("processor-failed")[0]).to.include({ callback: "partitionEnded", attempt: 1 });
    expect(b.status().lastError?.message).to.match(/end\.checkpoint\(\)/);
    expect(tenure.ended).to.equal(false);
    await b.advance(2_000);
    expect(ends).to.have.length(3);
    expect(tenure.endReason).to.equal("partition-ended");
    expect(b.log.filter((line) => line.startsWith("children"))).to.have.length(1);
  });

  it("calls partitionEnded again when it threw before its checkpoint, and not when it threw after", async () => {
    let calls = 0;
    const b = bench(
      {
        process: () => {},
        partitionEnded: async (end) => {
          calls += 1;
          if (calls === 2) await end.checkpoint();
          throw new Error(`number ${String(calls)}`);
        },
      },
      { options: steady },
    );
    b.source.script("s1", ended());
    const tenure = await b.begin();
    await b.advance(5_000);
    expect(calls).to.equal(2);
    expect(b.of("processor-failed").map((e) => e.error)).to.deep.equal(["number 1", "number 2"]);
    expect(tenure.endReason).to.equal("partition-ended");
  });

  it("writes the end once, however often the processor asks", async () => {
    const b = bench({
      process: () => {},
      partitionEnded: (end) => Promise.all([end.checkpoint(), end.checkpoint(), end.checkpoint()]),
    });
    b.source.script("s1", ended());
    await b.begin();
    expect(b.lane.positions).to.deep.equal(["SHARD_END"]);
  });

  it("tries again when the children's rows cannot be made, and tells the processor nothing before", async () => {
    let tries = 0;
    const b = bench(
      { process: () => {}, partitionEnded: (end) => end.checkpoint() },
      {
        options: steady,
        partitionEnd: {
          createChildren: async () => {
            tries += 1;
            if (tries < 3) throw storeError();
          },
        },
      },
    );
    b.source.script("s1", ended("c1"));
    const tenure = await b.begin();
    expect(b.of("discovery-failed")).to.have.length(1);
    expect(b.status().lastError?.callback).to.equal("children");
    await b.advance(2_000);
    expect(tries).to.equal(3);
    expect(tenure.endReason).to.equal("partition-ended");
  });

  it("tries again when the end could not be written", async () => {
    const b = bench({ process: () => {} }, { options: steady });
    b.lane.failures.push(storeError());
    b.source.script("s1", ended("c1"));
    const tenure = await b.begin();
    expect(tenure.ended).to.equal(false);
    await b.advance(1_000);
    expect(tenure.endReason).to.equal("partition-ended");
  });

  it("reports when the children cannot be looked after: others will find them", async () => {
    const b = bench(
      { process: () => {} },
      { partitionEnd: { finished: () => Promise.reject(new Error("no")) } },
    );
    b.source.script("s1", ended("c1"));
    const tenure = await b.begin();
    expect(tenure.endReason).to.equal("partition-ended");
    expect(b.of("discovery-failed")[0]?.error).to.equal("no");
  });

  it("is repeated whole by the next owner when the lease was lost before the checkpoint", async () => {
    const b = bench({
      process: () => b.log.push("process"),
      partitionEnded: async (end) => {
        b.log.push("partitionEnded");
        if (b.tenures.length === 1) await held.promise;
        await end.checkpoint();
      },
    });
    const held = b.gate();
    b.source.script("s1", records(1), ended("c1"));
    const first = await b.begin();
    first.end("fenced");
    held.open();
    await b.settle();
    expect(b.lane.written).to.deep.equal([]);
    await b.begin("s1", { epoch: 6 });
    expect(b.log).to.deep.equal([
      "process",
      "children c1",
      "partitionEnded",
      "process",
      "children c1",
      "partitionEnded",
      "checkpoint SHARD_END",
      "release partition-ended",
      "finished s1",
    ]);
  });

  it("is over although the lease was lost right after the checkpoint: no leaseLost after partitionEnded", async () => {
    const b = bench({
      process: () => {},
      partitionEnded: async (end) => {
        await end.checkpoint();
        b.tenures[0]!.end("lease-lost");
      },
      leaseLost: () => b.log.push("lost"),
    });
    b.source.script("s1", ended("c1"));
    await b.begin();
    await b.advance(1_000);
    expect(b.log).to.deep.equal(["children c1", "checkpoint SHARD_END"]);
    expect(b.of("partition-ended")).to.have.length(1);
  });

  it("is drained when its partition ends meanwhile", async () => {
    const b = bench({
      process: () => {},
      partitionEnded: async (end) => {
        await held.promise;
        await end.checkpoint();
      },
      stopRequested: () => b.log.push("stop"),
    });
    const held = b.gate();
    b.source.script("s1", ended());
    await b.begin();
    const drained = b.host.drain("s1", "stop", 30_000);
    held.open();
    expect(await drained).to.equal("drained");
    expect(b.log).not.to.include("stop");
  });
});

describe("the loss of a lease", () => {
  const bench = useBench();
  const planned = ["partition-ended", "handoff", "stop"];

  for (const reason of endReasons.filter((one) => !planned.includes(one))) {
    it(`calls leaseLost once for ${reason}, after the running call was told by its signal`, async () => {
      const told: string[] = [];
      const b = bench({
        process: (_batch, { signal }) => {
          signal.addEventListener("abort", () => told.push("signal"));
          return held.promise;
        },
        leaseLost: (why, lease) => told.push(`${why} ${String(lease.remainingMs())}`),
      });
      const held = b.gate();
      b.source.script("s1", records(1));
      const tenure = await b.begin();
      tenure.end(reason);
      tenure.end("fenced");
      await b.settle();
      expect(told).to.deep.equal(["signal", `${reason} 0`]);
      expect(b.of("lease-lost-told")).to.deep.equal([
        { type: "lease-lost-told", workerId: "w1", leaseKey: "s1", epoch: 5, reason },
      ]);
    });
  }

  for (const reason of ["handoff", "stop", "partition-ended"] as const) {
    it(`does not call leaseLost for ${reason}`, async () => {
      const b = bench({ process: () => {}, leaseLost: () => b.log.push("lost") });
      const tenure = await b.begin();
      tenure.end(reason);
      await b.settle();
      expect(b.log).to.deep.equal([]);
    });
  }

  it("begins the next tenure of a lease only when leaseLost of the one before has returned", async () => {
    const b = bench({
      initialize: (lease) => b.log.push(`begin ${String(lease.fencingToken)}`),
      process: () => {},
      leaseLost: async (_reason, lease) => {
        await telling.promise;
        b.log.push(`lost ${String(lease.fencingToken)}`);
      },
    });
    const telling = b.gate();
    const tenure = await b.begin();
    tenure.end("lease-lost");
    await b.begin("s1", { epoch: 6 });
    expect(b.log).to.deep.equal(["begin 5"]);
    telling.open();
    await b.settle();
    expect(b.log).to.deep.equal(["begin 5", "lost 5", "begin 6"]);
  });

  it("opens nothing for a tenure whose belief is found gone at the look before: it would never be closed", async () => {
    const b = bench(
      { initialize: () => beginning.promise, process: () => {} },
      { protocol: { leaseDurationMs: 10_000 } },
    );
    const beginning = b.gate();
    const tenure = await b.begin();
    b.clock.freeze();
    await b.time.advance(30_000);
    expect(tenure.ended).to.equal(false);
    beginning.open();
    await b.settle();
    expect(b.source.readers).to.deep.equal([]);
    expect(b.host.statuses()).to.deep.equal([]);
  });

  it("does not call leaseLost on a processor that never heard of the tenure", async () => {
    const b = bench({ process: () => {}, leaseLost: () => b.log.push("lost") });
    const tenure = b.tenure();
    b.host.begin(tenure);
    tenure.end("fenced");
    await b.settle();
    expect(b.log).to.deep.equal([]);
  });

  it("reports what leaseLost throws, and ignores it", async () => {
    const b = bench({ process: () => {}, leaseLost: () => Promise.reject(new Error("no")) });
    const tenure = await b.begin();
    tenure.end("fenced");
    await b.settle();
    expect(b.of("processor-failed")[0]).to.include({ callback: "leaseLost", error: "no" });
    expect(b.host.statuses()).to.deep.equal([]);
  });

  it("does not run leaseLost on the stack of whoever found the belief gone", async () => {
    const order: string[] = [];
    const b = bench(
      { process: () => {}, leaseLost: () => order.push("leaseLost") },
      { protocol: { leaseDurationMs: 10_000 } },
    );
    const tenure = await b.begin();
    b.clock.jumpWall(60_000);
    tenure.remainingMs();
    order.push("asked");
    await b.settle();
    expect(order).to.deep.equal(["asked", "leaseLost"]);
  });

  it("ends with the belief when no beat passes, at D minus the margin", async () => {
    const b = bench(
      {
        process: () => held.promise,
        leaseLost: (reason) => b.log.push(`${reason} at ${String(b.time.nowMs)}`),
      },
      { protocol: { leaseDurationMs: 10_000 } },
    );
    const held = b.gate();
    b.source.script("s1", records(1), records(2));
    await b.begin();
    await b.advance(9_000);
    expect(b.log).to.deep.equal(["lease-lost at 9000"]);
    held.open();
    await b.advance(60_000);
    expect(b.of("batch-started")).to.have.length(1);
    expect(b.lane.written).to.deep.equal([]);
  });

  it("gives the lease back as failed when the runner itself fails", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", records(1));
    const tenure = b.tenure();
    b.host.begin(tenure);
    Object.defineProperty(tenure, "unsettled", {
      get: () => {
        throw new Error("a bug");
      },
    });
    await b.settle();
    expect(tenure.endReason).to.equal("failed");
    expect(b.of("processor-failed")[0]).to.include({ callback: "runner", error: "a bug" });
  });
});
