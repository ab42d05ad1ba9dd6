import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import type { HeldLease } from "../../src/tenure/tenure.js";
import type { DrainResult } from "../../src/tenure/partition-host.js";
import { codeOf, records, storeError, turn, useBench } from "./workbench.js";

describe("draining a partition", () => {
  const bench = useBench();

  /** A result that can be looked at without waiting. */
  const watch = (promise: Promise<DrainResult>): { result?: DrainResult } => {
    const seen: { result?: DrainResult } = {};
    void promise.then((result) => (seen.result = result));
    return seen;
  };

  it("lets the batch in flight finish, writes the last checkpoint, asks the processor to stop, hands nothing more over", async () => {
    const b = bench({
      process: async (batch) => {
        b.log.push(`process ${batch.records[0]!.sequenceNumber}`);
        await held.promise;
      },
      stopRequested: ({ reason }) => b.log.push(`stop ${reason}`),
    });
    const held = b.gate();
    b.source.script("s1", records(1), records(2));
    await b.begin();
    const drained = watch(b.host.drain("s1", "handoff", 30_000));
    await b.advance(1_000);
    expect(drained.result).to.equal(undefined);
    held.open();
    await b.settle();
    expect(drained.result).to.equal("drained");
    expect(b.log).to.deep.equal(["process 1", "checkpoint 1", "stop handoff"]);
    await b.advance(120_000);
    expect(b.log).to.have.length(3);
    expect(b.status().state).to.equal("drained");
  });

  it("drains at once while it waits for records", async () => {
    const b = bench({ process: () => {} });
    await b.begin();
    expect(await b.host.drain("s1", "stop", 30_000)).to.equal("drained");
  });

  it("says drained for a partition that it does not work", async () => {
    const b = bench({ process: () => {} });
    expect(await b.host.drain("s9", "stop", 30_000)).to.equal("drained");
    const tenure = await b.begin();
    tenure.end("fenced");
    expect(await b.host.drain("s1", "stop", 30_000)).to.equal("drained");
  });

  /** Its belief lapsed in the middle of a call, which does not return; it was resumed since. */
  const resumed = async () => {
    const b = bench({ process: () => held.promise, stopRequested: () => b.log.push("stop") });
    const held = b.gate();
    b.source.script("s1", records(1));
    const before = await b.begin();
    before.end("lease-lost");
    const tenure = await b.begin("s1", { epoch: 6 });
    return { b, held, tenure };
  };

  for (const reason of ["handoff", "stop"] as const) {
    it(`waits for the call of an earlier tenure that has not returned (${reason})`, async () => {
      const { b, held } = await resumed();
      const drained = watch(b.host.drain("s1", reason, 5_000));
      await b.advance(4_000);
      expect(drained.result).to.equal(undefined);
      held.open();
      await b.settle();
      expect(drained.result).to.equal("drained");
      expect(b.log).to.deep.equal([]);
    });
  }

  it("works on where the call of an earlier tenure does not return in time for a planned move", async () => {
    const { b, held, tenure } = await resumed();
    const drained = watch(b.host.drain("s1", "handoff", 5_000));
    await b.advance(5_000);
    expect(drained.result).to.equal("not-drained");
    expect(tenure.ended).to.equal(false);
    held.open();
    await b.settle();
    expect(b.of("batch-finished")).to.have.length(1);
  });

  it("is not drained where the call of an earlier tenure does not return in the time of a stop", async () => {
    const { b, held } = await resumed();
    const drained = watch(b.host.drain("s1", "stop", 5_000));
    await b.advance(5_000);
    expect(drained.result).to.equal("not-drained");
    held.open();
    await b.settle();
    expect(b.of("batch-finished")).to.have.length(0);
  });

  it("does not call leaseLost after a planned end", async () => {
    const b = bench({
      process: () => {},
      stopRequested: () => b.log.push("stop"),
      leaseLost: () => b.log.push("lost"),
    });
    const tenure = await b.begin();
    await b.host.drain("s1", "handoff", 30_000);
    tenure.end("handoff");
    await b.advance(60_000);
    expect(b.log).to.deep.equal(["stop"]);
    expect(b.source.readers[0]?.closed).to.equal(true);
  });

  it("lets stopRequested checkpoint: the end of what process returned from, or an earlier record", async () => {
    const codes: string[] = [];
    const b = bench(
      {
        process: () => {},
        stopRequested: async (stop) => {
          await stop.checkpoint("1");
          await stop.checkpoint();
          codes.push(await codeOf(stop.checkpoint("9")));
        },
      },
      { options: { checkpointing: "explicit" } },
    );
    b.source.script("s1", records(1, 2), records(3));
    await b.begin();
    expect(await b.host.drain("s1", "stop", 30_000)).to.equal("drained");
    expect(b.lane.positions).to.deep.equal(["1", "3"]);
    expect(codes).to.deep.equal(["checkpoint-beyond"]);
  });

  it("does not checkpoint a batch that failed and waits for its retry", async () => {
    const b = bench({
      process: (batch) =>
        batch.records[0]?.sequenceNumber === "2" ? Promise.reject(new Error("no")) : undefined,
      stopRequested: (stop) => stop.checkpoint(),
    });
    b.source.script("s1", records(1), records(2));
    await b.begin();
    expect(b.status().state).to.equal("backing-off");
    expect(await b.host.drain("s1", "stop", 30_000)).to.equal("drained");
    expect(b.lane.positions).to.deep.equal(["1"]);
  });

  it("takes a queued batch back and does not start it", async () => {
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          return held.promise;
        },
      },
      { protocol: { maxConcurrentBatches: 1 } },
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    await b.begin("s1");
    await b.begin("s2");
    expect(await b.host.drain("s2", "handoff", 30_000)).to.equal("drained");
    held.open();
    await b.settle();
    expect(processed).to.deep.equal(["s1"]);
    expect(b.lane.positions).to.deep.equal([]);
  });

  it("goes on as before when a planned move does not drain in time, without losing a batch", async () => {
    const seen: string[] = [];
    const b = bench({
      process: async (batch) => {
        seen.push(batch.records[0]!.sequenceNumber);
        if (seen.length === 1) await held.promise;
      },
      stopRequested: () => seen.push("stop"),
    });
    const held = b.gate();
    b.source.script("s1", records(1), records(2));
    const tenure = await b.begin();
    const drained = watch(b.host.drain("s1", "handoff", 5_000));
    await b.advance(4_999);
    expect(drained.result).to.equal(undefined);
    await b.advance(1);
    expect(drained.result).to.equal("not-drained");
    held.open();
    await b.settle();
    expect(seen).to.deep.equal(["1", "2"]);
    expect(tenure.ended).to.equal(false);
  });

  it("keeps a fetch that a drain interrupted: its batch is not lost when work goes on", async () => {
    const seen: string[] = [];
    const b = bench({ process: (batch) => seen.push(batch.records[0]!.sequenceNumber) });
    b.source.script("s1", records(1));
    await b.begin();
    b.lane.failures.push(storeError());
    const drained = b.host.drain("s1", "handoff", 5_000);
    b.source.script("s1", records(2));
    expect(await drained).to.equal("not-drained");
    await b.settle();
    expect(seen).to.deep.equal(["1", "2"]);
    expect(b.source.readers).to.have.length(1);
  });

  it("is not drained when the last checkpoint of a planned move fails: the lease stays and the checkpoint is made later", async () => {
    const b = bench({ process: () => {}, stopRequested: () => b.log.push("stop") });
    b.source.script("s1", records(1));
    await b.begin();
    b.lane.failures.push(storeError());
    expect(await b.host.drain("s1", "handoff", 5_000)).to.equal("not-drained");
    expect(b.log).to.deep.equal([]);
    await b.advance(10_000);
    expect(b.lane.positions).to.deep.equal(["1"]);
    expect(await b.host.drain("s1", "handoff", 5_000)).to.equal("drained");
  });

  it("does not call a stop off when the last checkpoint of the planned move before it fails", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", records(1));
    await b.begin();
    const writing = b.gate();
    b.lane.hold = writing.promise;
    b.lane.failures.push(storeError());
    const move = watch(b.host.drain("s1", "handoff", 30_000));
    await b.settle();
    const stop = watch(b.host.drain("s1", "stop", 30_000));
    b.source.script("s1", records(2));
    writing.open();
    await b.settle();
    expect([move.result, stop.result]).to.deep.equal(["not-drained", "drained"]);
    expect(b.lane.positions).to.deep.equal(["1"]);
    expect(b.of("batch-started")).to.have.length(1);
  });

  it("does not ask the processor to stop for a move that was called off during its last checkpoint", async () => {
    const b = bench({ process: () => {}, stopRequested: () => b.log.push("stop") });
    b.source.script("s1", records(1));
    await b.begin();
    const writing = b.gate();
    b.lane.hold = writing.promise;
    const move = watch(b.host.drain("s1", "handoff", 5_000));
    await b.advance(5_000);
    expect(move.result).to.equal("not-drained");
    writing.open();
    await b.settle();
    b.source.script("s1", records(2));
    await b.settle();
    expect(b.log).to.deep.equal(["checkpoint 1"]);
    expect(b.of("batch-started")).to.have.length(2);
  });

  it("tries the last checkpoint of a stop once more after stopRequested, then says not-drained", async () => {
    const b = bench({ process: () => {}, stopRequested: () => b.log.push("stop") });
    b.source.script("s1", records(1));
    await b.begin();
    b.lane.failures.push(storeError());
    expect(await b.host.drain("s1", "stop", 5_000)).to.equal("drained");
    expect(b.log).to.deep.equal(["stop", "checkpoint 1"]);

    const c = bench({ process: () => {} });
    c.source.script("s1", records(1));
    await c.begin();
    c.lane.failures.push(storeError(), storeError());
    expect(await c.host.drain("s1", "stop", 5_000)).to.equal("not-drained");
    c.source.script("s1", records(2));
    await c.advance(60_000);
    expect(c.of("batch-started")).to.have.length(1);
  });

  it("aborts the call's signal when a stop does not drain in time, and starts nothing more", async () => {
    let lease: HeldLease | undefined;
    const b = bench({
      process: (_batch, given) => {
        lease = given;
        return held.promise;
      },
      leaseLost: () => b.log.push("lost"),
    });
    const held = b.gate();
    b.source.script("s1", records(1), records(2));
    const tenure = await b.begin();
    const drained = watch(b.host.drain("s1", "stop", 5_000));
    await b.advance(5_000);
    expect(drained.result).to.equal("not-drained");
    expect(hasCode(lease?.signal.reason, "worker-stopped")).to.equal(true);
    held.open();
    await b.advance(60_000);
    expect(b.of("batch-started")).to.have.length(1);
    await tenure.release("stop");
    await b.settle();
    // It returned because it was told to: that does not make its batch done.
    expect(b.log).to.deep.equal(["release stop"]);
    expect(b.of("processor-failed")).to.have.length(0);
  });

  it("starts over from the checkpoint when stopRequested was told of a move that did not come about", async () => {
    const b = bench(
      {
        initialize: (_lease, { checkpoint }) => b.log.push(`initialize ${checkpoint.sequenceNumber}`),
        process: async (batch) => {
          b.log.push(`process ${batch.records[0]!.sequenceNumber}`);
          if (batch.records[0]!.sequenceNumber === "1") await batch.checkpoint();
        },
        stopRequested: async () => {
          b.log.push("stop");
          await held.promise;
        },
      },
      { options: { checkpointing: "explicit" } },
    );
    const held = b.gate();
    b.source.script("s1", records(1), records(2));
    await b.begin();
    const drained = b.host.drain("s1", "handoff", 5_000);
    await b.advance(5_000);
    expect(await drained).to.equal("not-drained");
    held.open();
    await b.settle();
    expect(b.log).to.deep.equal([
      "initialize TRIM_HORIZON",
      "process 1",
      "checkpoint 1",
      "process 2",
      "stop",
      "initialize 1",
      "process 2",
    ]);
    expect(b.source.readers.map((r) => r.closed)).to.deep.equal([true, false]);
  });

  it("refuses the checkpoint of a batch from before it started over", async () => {
    const checkpoints: (() => Promise<void>)[] = [];
    const b = bench(
      { process: (batch) => checkpoints.push(() => batch.checkpoint()), stopRequested: () => held.promise },
      { options: { checkpointing: "explicit" } },
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    await b.begin();
    const drained = b.host.drain("s1", "handoff", 5_000);
    await b.advance(5_000);
    await drained;
    held.open();
    await b.settle();
    expect(checkpoints).to.have.length(2);
    expect(await codeOf(checkpoints[0]!())).to.equal("checkpoint-refused");
    expect(await codeOf(checkpoints[1]!())).to.equal("none");
  });

  it("asks nothing of a processor whose lease is found gone by the drain", async () => {
    const b = bench(
      { process: () => {}, stopRequested: () => b.log.push("stop") },
      { protocol: { leaseDurationMs: 10_000 } },
    );
    const tenure = await b.begin();
    b.clock.freeze();
    await b.time.advance(30_000);
    expect(tenure.ended).to.equal(false);
    expect(await b.host.drain("s1", "stop", 5_000)).to.equal("not-drained");
    expect(b.log).to.deep.equal([]);
    expect(tenure.endReason).to.equal("lease-lost");
  });

  it("reports an error in stopRequested, and drains all the same", async () => {
    const b = bench({ process: () => {}, stopRequested: () => Promise.reject(new Error("no")) });
    await b.begin();
    expect(await b.host.drain("s1", "stop", 5_000)).to.equal("drained");
    expect(b.of("processor-failed")[0]).to.include({ callback: "stopRequested", error: "no" });
  });

  it("lets a stop take the place of a planned move under way", async () => {
    const reasons: string[] = [];
    const b = bench({ process: () => held.promise, stopRequested: ({ reason }) => reasons.push(reason) });
    const held = b.gate();
    b.source.script("s1", records(1));
    await b.begin();
    const move = watch(b.host.drain("s1", "handoff", 60_000));
    const stop = watch(b.host.drain("s1", "stop", 60_000));
    await b.advance(1_000);
    expect([move.result, stop.result]).to.deep.equal(["not-drained", undefined]);
    held.open();
    await b.settle();
    expect(stop.result).to.equal("drained");
    expect(reasons).to.deep.equal(["stop"]);
    expect(await b.host.drain("s1", "stop", 1_000)).to.equal("drained");
    expect(reasons).to.deep.equal(["stop"]);
  });

  it("is not drained when the lease is lost meanwhile", async () => {
    const b = bench({ process: () => held.promise });
    const held = b.gate();
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    const drained = b.host.drain("s1", "handoff", 60_000);
    tenure.end("fenced");
    expect(await drained).to.equal("not-drained");
  });

  it("asks nothing of a processor that was never begun", async () => {
    const b = bench({
      initialize: () => Promise.reject(new Error("no")),
      process: () => {},
      stopRequested: () => b.log.push("stop"),
    });
    await b.begin();
    expect(await b.host.drain("s1", "stop", 5_000)).to.equal("drained");
    expect(b.log).to.deep.equal([]);
  });

  it("drains fixed partitions the same: the last turn done is checkpointed", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", turn(1), turn(2));
    await b.begin();
    expect(await b.host.drain("s1", "handoff", 5_000)).to.equal("drained");
    expect(b.lane.positions).to.deep.equal(["2"]);
  });

  it("waits in close until every tenure's work has returned", async () => {
    let closed = false;
    const b = bench({ process: () => held.promise });
    const held = b.gate();
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    void b.host.close().then(() => (closed = true));
    tenure.end("stop");
    await b.settle();
    expect([closed, b.host.idle()]).to.deep.equal([false, false]);
    held.open();
    await b.settle();
    expect([closed, b.host.idle()]).to.deep.equal([true, true]);
  });
});
