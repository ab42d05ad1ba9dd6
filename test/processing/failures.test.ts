import { expect } from "chai";
import { LeaseholdError } from "../../src/model/errors.js";
import type { FailureContext, ProcessingOptions } from "../../src/processing/options.js";
import { records, storeError, turn, useBench } from "./workbench.js";

describe("failing processors", () => {
  const bench = useBench();
  const steady: ProcessingOptions = { retry: { firstMs: 1_000, longestMs: 1_000 } };

  it("hands a failed batch over again after a back-off, never the one after it", async () => {
    const seen: string[] = [];
    const b = bench({
      process: (batch) => {
        seen.push(`${batch.records[0]!.sequenceNumber}#${String(batch.attempt)}`);
        if (seen.length < 3) throw new Error("no");
      },
    });
    b.source.script("s1", records(1), records(2));
    await b.begin();
    expect(seen).to.deep.equal(["1#1"]);
    await b.advance(10_000);
    expect(seen).to.deep.equal(["1#1", "1#2", "1#3", "2#1"]);
  });

  it("reports every failure as an event, and in the status", async () => {
    const b = bench({ process: () => Promise.reject(new Error("no such table")) }, { options: steady });
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(1_000);
    expect(
      b.of("processor-failed").map(({ callback, attempt, error }) => [callback, attempt, error]),
    ).to.deep.equal([
      ["process", 1, "no such table"],
      ["process", 2, "no such table"],
    ]);
    const status = b.status();
    expect(status).to.include({ state: "backing-off", failures: 2, inFlight: 0 });
    expect(status.lastError).to.include({ callback: "process", message: "no such table" });
    expect(status.lastError?.at).to.match(/^2026-01-01T/);
  });

  it("doubles the back-off from retry.firstMs to retry.longestMs, with jitter", async () => {
    const at: number[] = [];
    const b = bench(
      {
        process: () => {
          at.push(b.time.nowMs);
          throw new Error("no");
        },
      },
      { options: { retry: { firstMs: 1_000, longestMs: 8_000 } } },
    );
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(60_000);
    const waits = at.slice(1).map((t, i) => t - at[i]!);
    [1_000, 2_000, 4_000, 8_000, 8_000, 8_000].forEach((longest, i) =>
      expect(waits[i]).to.be.within(longest / 2, longest + 1),
    );
    expect(new Set(waits).size).to.equal(waits.length);
  });

  it("begins the back-off anew after a batch went through", async () => {
    let fail = true;
    const b = bench({
      process: () => {
        if (fail) throw new Error("no");
      },
    });
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(20_000);
    expect(b.status().failures).to.be.greaterThan(2);
    fail = false;
    await b.advance(60_000);
    expect(b.status()).to.include({ failures: 0, state: "fetching" });
    expect(b.status().lastError?.message).to.equal("no");
  });

  it("occupies no slot while it backs off", async () => {
    const processed: string[] = [];
    const b = bench(
      {
        process: (_batch, lease) => {
          processed.push(lease.leaseKey);
          if (lease.leaseKey === "s1") throw new Error("no");
        },
      },
      { protocol: { maxConcurrentBatches: 1 } },
    );
    b.source.script("s1", records(1));
    b.source.script("s2", records(1), records(2));
    await b.begin("s1");
    await b.begin("s2");
    expect(processed).to.deep.equal(["s1", "s2", "s2"]);
  });

  it("hands over only what was not checkpointed, when a batch failed half way", async () => {
    const seen: string[] = [];
    const b = bench(
      {
        process: async (batch) => {
          for (const record of batch.records) {
            seen.push(record.sequenceNumber);
            if (record.sequenceNumber === "3" && batch.attempt === 1) throw new Error("no");
            await batch.checkpoint(record);
          }
        },
      },
      { options: { ...steady, checkpointing: "explicit" } },
    );
    b.source.script("s1", records(1, 2, 3, 4));
    await b.begin();
    await b.advance(1_000);
    expect(seen).to.deep.equal(["1", "2", "3", "3", "4"]);
    expect(b.lane.positions).to.deep.equal(["1", "2", "3", "4"]);
  });

  it("takes a batch for done that was checkpointed whole before it failed", async () => {
    const seen: string[] = [];
    const b = bench(
      {
        process: async (batch) => {
          seen.push(batch.records[0]!.sequenceNumber);
          await batch.checkpoint();
          if (batch.records[0]!.sequenceNumber === "1") throw new Error("too late");
        },
      },
      { options: steady },
    );
    b.source.script("s1", records(1), records(2));
    await b.begin();
    await b.advance(1_000);
    expect(seen).to.deep.equal(["1", "2"]);
    expect(b.of("processor-failed")).to.have.length(1);
  });

  it("gives the same turn again when a turn failed", async () => {
    const turns: (number | undefined)[] = [];
    const b = bench(
      {
        process: (batch) => {
          turns.push(batch.turn);
          if (turns.length === 1) throw new Error("no");
        },
      },
      { options: steady },
    );
    b.source.script("s1", turn(1), turn(2));
    await b.begin();
    await b.advance(1_000);
    expect(turns).to.deep.equal([1, 1, 2]);
    expect(b.source.doneCalls).to.equal(2);
  });

  it("calls initialize again when it failed, and hands nothing over before", async () => {
    const calls: string[] = [];
    const b = bench(
      {
        initialize: () => {
          calls.push("initialize");
          if (calls.length === 1) throw new Error("no");
        },
        process: () => calls.push("process"),
      },
      { options: steady },
    );
    b.source.script("s1", records(1));
    await b.begin();
    expect(b.source.readers).to.have.length(0);
    await b.advance(1_000);
    expect(calls).to.deep.equal(["initialize", "initialize", "process"]);
    expect(b.of("processor-failed")[0]?.callback).to.equal("initialize");
  });

  it("calls a factory again when it threw, or returned no processor", async () => {
    let made = 0;
    const b = bench(
      () => {
        made += 1;
        if (made === 1) throw new Error("no");
        if (made === 2) return {} as never;
        return { process: () => {} };
      },
      { options: steady },
    );
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(2_000);
    const failed = b.of("processor-failed");
    expect(failed.map((e) => e.callback)).to.deep.equal(["factory", "factory"]);
    expect(failed[1]?.error).to.match(/process\(batch, lease\)/);
    expect(b.of("batch-finished")).to.have.length(1);
  });

  it("asks onError what follows, and gives the lease up when told to", async () => {
    const asked: FailureContext[] = [];
    const lost: string[] = [];
    const b = bench(
      { process: () => Promise.reject(new Error("no")), leaseLost: (reason) => lost.push(reason) },
      {
        options: {
          ...steady,
          onError: (_error, context) => {
            asked.push(context);
            return context.failures < 2 ? "retry" : "give-up";
          },
        },
      },
    );
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(1_000);
    expect(asked).to.deep.equal([
      { leaseKey: "s1", callback: "process", failures: 1 },
      { leaseKey: "s1", callback: "process", failures: 2 },
    ]);
    expect(tenure.endReason).to.equal("failed");
    expect(lost).to.deep.equal(["failed"]);
  });

  it("hands nothing over while a lease that it gives up is being released", async () => {
    const b = bench(
      { process: () => Promise.reject(new Error("no")) },
      { options: { ...steady, onError: () => "give-up" } },
    );
    const releasing = b.gate();
    b.lane.holdRelease = releasing.promise;
    b.source.script("s1", records(1), records(2));
    const tenure = await b.begin();
    await b.advance(60_000);
    expect([tenure.ended, b.of("batch-started").length]).to.deep.equal([false, 1]);
    releasing.open();
    await b.settle();
    expect(tenure.endReason).to.equal("failed");
  });

  it("ends the tenure though its release failed: nothing is worked, and nothing waits for ever", async () => {
    const b = bench(
      { process: () => Promise.reject(new Error("no")) },
      { options: { ...steady, onError: () => "give-up" } },
    );
    b.lane.holdRelease = Promise.reject(storeError());
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    expect(tenure.endReason).to.equal("failed");
    expect(b.host.statuses()).to.deep.equal([]);
  });

  it("stops the partition's work and keeps its lease when onError says so", async () => {
    const b = bench(
      { process: () => Promise.reject(new Error("poison")) },
      { options: { onError: () => "stop" } },
    );
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(3_000_000);
    expect(tenure.ended).to.equal(false);
    expect(b.of("batch-started")).to.have.length(1);
    expect(b.status()).to.include({ state: "failed" });
    expect(b.status().lastError?.message).to.equal("poison");
    expect(await b.host.drain("s1", "handoff", 1_000)).to.equal("drained");
  });

  it("retries when onError throws or answers something else", async () => {
    const answers = [
      (): never => {
        throw new Error("bug");
      },
      (): never => Promise.resolve("stop") as never,
    ];
    const b = bench(
      { process: (batch) => (batch.attempt < 3 ? Promise.reject(new Error("no")) : undefined) },
      { options: { ...steady, onError: () => answers.shift()!() } },
    );
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(3_000);
    expect(b.of("batch-finished")).to.have.length(1);
    const failed = b.of("processor-failed");
    expect(failed.map((e) => e.callback)).to.deep.equal(["process", "onError", "process", "onError"]);
    expect(failed.at(-1)?.error, "an answer that is none is no secret").to.match(/onError.*promise.*retry/);
  });

  it("does not call it a failure when a call breaks off because the lease was lost", async () => {
    const b = bench({
      process: (_batch, lease) =>
        new Promise((_resolve, reject) =>
          lease.signal.addEventListener("abort", () => reject(lease.signal.reason as LeaseholdError)),
        ),
    });
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    tenure.end("fenced");
    await b.settle();
    expect(b.of("processor-failed")).to.have.length(0);
    expect(b.host.idle()).to.equal(true);
  });
});

describe("failing sources", () => {
  const bench = useBench();
  const steady: ProcessingOptions = { retry: { firstMs: 1_000, longestMs: 1_000 } };
  const denied = (): LeaseholdError => new LeaseholdError("source-denied", "not allowed to read");

  it("opens the source again after the last batch done, and keeps the lease", async () => {
    const seen: string[] = [];
    const b = bench({ process: (batch) => seen.push(batch.records[0]!.sequenceNumber) }, { options: steady });
    b.source.script("s1", records(1), denied());
    const tenure = await b.begin();
    expect(b.status()).to.include({ state: "backing-off" });
    expect(b.status().lastError).to.include({ callback: "source", message: "not allowed to read" });
    b.source.script("s1", records(2));
    await b.advance(1_000);
    expect(seen).to.deep.equal(["1", "2"]);
    expect(b.source.readers.map((r) => r.partition.checkpoint.sequenceNumber)).to.deep.equal([
      "TRIM_HORIZON",
      "1",
    ]);
    expect(b.source.readers.map((r) => r.closed)).to.deep.equal([true, false]);
    expect(tenure.ended).to.equal(false);
    expect(b.of("source-failed").map((e) => e.error)).to.deep.equal(["not allowed to read"]);
    // By this a source that begins at a moment, not at a record, knows that it has begun before.
    expect(b.source.readers.map((r) => r.partition.tenure)).to.deep.equal([tenure, tenure]);
  });

  it("tries again when the source cannot even be opened", async () => {
    const b = bench({ process: () => {} }, { options: steady });
    b.source.openError = denied();
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(5_000);
    expect(b.of("source-failed").length).to.be.greaterThan(3);
    b.source.openError = undefined;
    await b.advance(1_000);
    expect(b.of("batch-finished")).to.have.length(1);
  });

  it("reports the reader's passing errors and goes on", async () => {
    const b = bench({ process: () => {} });
    await b.begin();
    b.source.reader("s1").partition.onError(new Error("throttled"));
    expect(b.of("source-failed")[0]).to.include({ leaseKey: "s1", error: "throttled" });
    b.source.script("s1", records(1));
    await b.settle();
    expect(b.of("batch-finished")).to.have.length(1);
  });

  it("stops a partition at an aggregated record, keeps its lease, and the status says why", async () => {
    const b = bench({ process: () => {} }, { options: steady });
    b.source.script("s1", records(1), new LeaseholdError("aggregated-record", "record 2 is a KPL aggregate"));
    const tenure = await b.begin();
    await b.advance(3_000_000);
    expect(tenure.ended).to.equal(false);
    expect(b.source.readers).to.have.length(1);
    expect(b.status()).to.include({ state: "failed", checkpoint: "1" });
    expect(b.status().lastError?.message).to.equal("record 2 is a KPL aggregate");
  });
});
