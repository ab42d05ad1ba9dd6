import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import type { Batch } from "../../src/processing/batch.js";
import type { HeldLease } from "../../src/tenure/tenure.js";
import { codeOf, records, useBench, type BenchOptions } from "./workbench.js";

describe("stuck processors", () => {
  const bench = useBench();
  const limits: BenchOptions = {
    protocol: { processingTimeoutMs: 10_000, abortGraceMs: 2_000, maxConcurrentBatches: 4 },
  };

  it("aborts the signal of a call that neither returns nor reports progress in processingTimeoutMs", async () => {
    let lease: HeldLease | undefined;
    const b = bench(
      {
        process: (_batch, given) => {
          lease = given;
          return held.promise;
        },
      },
      limits,
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(9_999);
    expect(lease?.signal.aborted).to.equal(false);
    await b.advance(1);
    expect(hasCode(lease?.signal.reason, "processor-stuck")).to.equal(true);
    expect(b.of("processor-stuck")).to.have.length(1);
    expect(tenure.ended).to.equal(false);
  });

  it("releases the lease after abortGraceMs and may not be given it again before the call has returned", async () => {
    const b = bench({ process: () => held.promise }, limits);
    const held = b.gate();
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(11_999);
    expect(b.lane.releases).to.deep.equal([]);
    expect(b.host.unfit()).to.deep.equal([]);
    await b.advance(1);
    expect(b.lane.releases).to.deep.equal([{ leaseKey: "s1", reason: "stuck" }]);
    expect(tenure.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    expect(b.status()).to.include({ state: "ended", stuck: true });
    held.open();
    await b.settle();
    expect(b.host.unfit()).to.deep.equal([]);
    expect(b.of("stuck-processor-returned")).to.deep.equal([
      { type: "stuck-processor-returned", workerId: "w1", leaseKey: "s1" },
    ]);
    expect(b.host.statuses()).to.deep.equal([]);
  });

  it("is unfit before the release is written, so that nobody here takes it in between", async () => {
    let unfit: readonly string[] = [];
    const b = bench({ process: () => held.promise }, limits);
    const held = b.gate();
    const release = b.lane.release.bind(b.lane);
    b.lane.release = (tenure, reason) => {
      unfit = b.host.unfit();
      return release(tenure, reason);
    };
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(12_000);
    expect(unfit).to.deep.equal(["s1"]);
  });

  it("tells leaseLost without waiting for the stuck call, once", async () => {
    const lost: string[] = [];
    const b = bench({ process: () => held.promise, leaseLost: (reason) => lost.push(reason) }, limits);
    const held = b.gate();
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(12_000);
    expect(lost).to.deep.equal(["stuck"]);
    held.open();
    await b.advance(60_000);
    expect(lost).to.deep.equal(["stuck"]);
  });

  it("refuses the late checkpoint of a stuck call", async () => {
    let batch: Batch | undefined;
    const b = bench(
      {
        process: (given) => {
          batch = given;
          return held.promise;
        },
      },
      limits,
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(12_000);
    expect(await codeOf(batch!.checkpoint())).to.equal("lease-lost");
  });

  it("leaves a call alone that reports progress", async () => {
    const b = bench(
      {
        process: async (_batch, lease) => {
          for (let n = 0; n < 10; n++) {
            await new Promise<void>((resolve) => b.clock.setTimer(9_000, resolve));
            lease.progress();
          }
        },
      },
      limits,
    );
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(90_000);
    expect(b.of("processor-stuck")).to.have.length(0);
    expect(b.of("batch-finished")).to.have.length(1);
  });

  it("counts anew for every batch", async () => {
    const b = bench(
      { process: () => new Promise<void>((resolve) => b.clock.setTimer(9_000, resolve)) },
      limits,
    );
    b.source.script("s1", records(1), records(2), records(3));
    await b.begin();
    await b.advance(27_000);
    expect(b.of("processor-stuck")).to.have.length(0);
    expect(b.of("batch-finished")).to.have.length(3);
  });

  it("treats a call that returns within its grace as failed, keeps the lease and gives a fresh signal", async () => {
    const signals: AbortSignal[] = [];
    const b = bench(
      {
        process: (batch, { signal }) => {
          signals.push(signal);
          if (batch.attempt > 1) return undefined;
          return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        },
      },
      limits,
    );
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(10_000);
    expect(b.of("processor-failed")[0]?.error).to.match(/lease\.progress\(\)/);
    await b.advance(60_000);
    expect(tenure.ended).to.equal(false);
    expect(signals.map((signal) => signal.aborted)).to.deep.equal([true, false]);
    expect(b.of("batch-finished")).to.have.length(1);
    expect(b.of("stuck-processor-returned")).to.have.length(0);
  });

  it("tells of every stuck call of a tenure", async () => {
    const b = bench(
      {
        process: (_batch, { signal }) =>
          new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve())),
      },
      limits,
    );
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(25_000);
    expect(b.of("processor-stuck")).to.have.length(2);
  });

  it("watches initialize and partitionEnded, too", async () => {
    const b = bench({ initialize: () => held.promise, process: () => {} }, limits);
    const held = b.gate();
    const tenure = await b.begin();
    await b.advance(12_000);
    expect(tenure.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal(["s1"]);
  });

  it("is unfit for a lease whose call ignores the tenure's end for abortGraceMs", async () => {
    const b = bench({ process: () => held.promise }, limits);
    const held = b.gate();
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    tenure.end("lease-lost");
    await b.advance(1_999);
    expect(b.host.unfit()).to.deep.equal([]);
    await b.advance(1);
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    expect(b.of("processor-stuck")).to.have.length(1);
    expect(b.lane.releases).to.deep.equal([]);
  });

  it("begins a new tenure of the same lease only when the old call has returned", async () => {
    const seen: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          seen.push(`begin ${String(lease.fencingToken)}`);
          if (lease.fencingToken > 5) return undefined;
          return held.promise.then(() => seen.push("old returned"));
        },
      },
      limits,
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    const old = await b.begin();
    old.end("lease-lost");
    await b.begin("s1", { epoch: 6 });
    await b.advance(1_000);
    expect(b.status().state).to.equal("waiting");
    held.open();
    await b.settle();
    expect(seen).to.deep.equal(["begin 5", "old returned", "begin 6"]);
  });

  it("gives a new tenure up when the old call does not return in abortGraceMs", async () => {
    const b = bench({ process: () => held.promise }, limits);
    const held = b.gate();
    b.source.script("s1", records(1));
    const old = await b.begin();
    old.end("lease-lost");
    const next = await b.begin("s1", { epoch: 6 });
    await b.advance(2_000);
    expect(next.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    expect(b.of("lease-lost-told")).to.have.length(0);
  });

  it("gives a new tenure up in that time, however often a move is tried and called off meanwhile", async () => {
    const b = bench({ process: () => held.promise }, limits);
    const held = b.gate();
    b.source.script("s1", records(1));
    (await b.begin()).end("lease-lost");
    const next = await b.begin("s1", { epoch: 6 });
    for (let n = 0; n < 3; n++) {
      void b.host.drain("s1", "handoff", 500);
      await b.advance(600);
    }
    expect(next.ended).to.equal(false);
    void b.host.drain("s1", "handoff", 500);
    await b.advance(200);
    expect(next.endReason).to.equal("stuck");
  });

  it("waits for the stuck call even when tenures in between came and went", async () => {
    const begun: number[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          begun.push(lease.fencingToken);
          return begun.length === 1 ? held.promise : undefined;
        },
      },
      limits,
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    (await b.begin()).end("lease-lost");
    (await b.begin("s1", { epoch: 6 })).end("lease-lost");
    await b.settle();
    await b.begin("s1", { epoch: 7 });
    await b.advance(1_000);
    expect(begun).to.deep.equal([5]);
    held.open();
    await b.settle();
    expect(begun).to.deep.equal([5, 7]);
  });

  it("says so when stuck calls hold every slot, and not before", async () => {
    const b = bench(
      { process: () => held.promise },
      { protocol: { processingTimeoutMs: 10_000, abortGraceMs: 2_000, maxConcurrentBatches: 2 } },
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    await b.begin("s1");
    await b.advance(5_000);
    await b.begin("s2");
    await b.advance(7_000);
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    expect(b.allStuck).to.equal(0);
    await b.advance(5_000);
    expect(b.allStuck).to.equal(1);
    expect(b.host.load().utilisation).to.be.greaterThan(0.2);
  });
});

describe("silent sources", () => {
  const bench = useBench();
  const limits: BenchOptions = { protocol: { sourceSilenceMs: 60_000 } };

  /** Answers for a partition every second for so long. */
  const answering = async (
    b: ReturnType<typeof bench>,
    seconds: number,
    ...keys: string[]
  ): Promise<void> => {
    for (let n = 0; n < seconds; n++) {
      for (const key of keys) b.source.reader(key).partition.onAnswer();
      await b.advance(1_000);
    }
  };

  it("gives up a partition that is not answered for sourceSilenceMs while others are", async () => {
    const b = bench({ process: () => {} }, limits);
    const silent = await b.begin("s1");
    const other = await b.begin("s2");
    await answering(b, 59, "s2");
    expect(silent.ended).to.equal(false);
    await answering(b, 2, "s2");
    expect(silent.endReason).to.equal("silent");
    expect(other.ended).to.equal(false);
    expect(b.of("source-failed").map((e) => e.leaseKey)).to.deep.equal(["s1"]);
  });

  it("keeps every partition when the whole source is silent, and shows it", async () => {
    const b = bench({ process: () => {} }, limits);
    for (const key of ["s1", "s2", "s3"]) await b.begin(key);
    await answering(b, 30, "s1", "s2", "s3");
    b.source.reader("s3").partition.onAnswer();
    await b.advance(3_000_000);
    expect(b.lane.releases).to.deep.equal([]);
    expect(b.status("s1").silent).to.equal(true);
    expect(b.host.load().failing).to.deep.equal(["s1", "s2", "s3"]);
    expect(b.of("source-failed")).to.have.length(3);
  });

  it("keeps the partition whose answer comes a moment after the others', at the end of an outage", async () => {
    const b = bench({ process: () => {} }, limits);
    const late = await b.begin("s1");
    await b.begin("s2");
    await answering(b, 5, "s1", "s2");
    await b.advance(600_000);
    await answering(b, 16, "s2");
    await answering(b, 60, "s1", "s2");
    expect(late.ended).to.equal(false);
    expect(b.status("s1").silent).to.equal(false);
  });

  it("keeps the only partition of a worker, however silent", async () => {
    const b = bench({ process: () => {} }, limits);
    const tenure = await b.begin();
    await b.advance(3_000_000);
    expect(tenure.ended).to.equal(false);
  });

  it("keeps a partition that is held up on this side, and takes that for no answer of the source", async () => {
    const b = bench({ process: () => {} }, limits);
    const tenures = [await b.begin("s1"), await b.begin("s2"), await b.begin("s3")];
    for (let n = 0; n < 300; n++) {
      b.source.reader("s1").partition.onHeldUp();
      b.source.reader("s2").partition.onHeldUp();
      await b.advance(1_000);
    }
    expect(tenures.map(({ ended }) => ended)).to.deep.equal([false, false, false]);
    expect(["s1", "s2", "s3"].map((key) => b.status(key).silent)).to.deep.equal([false, false, true]);
    for (let n = 0; n < 120; n++) {
      b.source.reader("s1").partition.onHeldUp();
      b.source.reader("s2").partition.onAnswer();
      await b.advance(1_000);
    }
    expect(tenures.map(({ endReason }) => endReason)).to.deep.equal([undefined, undefined, "silent"]);
  });

  it("does not take a busy processor for a silent source", async () => {
    const b = bench(
      { process: (_batch, lease) => (lease.leaseKey === "s1" ? held.promise : undefined) },
      limits,
    );
    const held = b.gate();
    b.source.script("s1", records(1));
    const busy = await b.begin("s1");
    await b.begin("s2");
    await answering(b, 120, "s2");
    expect(busy.ended).to.equal(false);
    expect(b.of("source-failed")).to.have.length(0);
  });

  it("does not give up a partition whose source answers with errors", async () => {
    const b = bench({ process: () => {} }, limits);
    const tenure = await b.begin("s1");
    await b.begin("s2");
    for (let n = 0; n < 120; n++) {
      b.source.reader("s1").partition.onError(new Error("throttled"));
      b.source.reader("s1").partition.onAnswer();
      b.source.reader("s2").partition.onAnswer();
      await b.advance(1_000);
    }
    expect(tenure.ended).to.equal(false);
  });
});
