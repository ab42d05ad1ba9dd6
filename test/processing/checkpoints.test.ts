import { expect } from "chai";
import { position } from "../../src/model/position.js";
import type { Batch } from "../../src/processing/batch.js";
import { codeOf, gate, record, records, storeError, turn, useBench, type BenchOptions } from "./workbench.js";

describe("checkpoints", () => {
  const bench = useBench();
  const explicit: BenchOptions = { options: { checkpointing: "explicit" } };

  it("writes an explicit checkpoint at once, at the batch's end by default", async () => {
    const b = bench({ process: (batch) => batch.checkpoint() }, explicit);
    b.source.script("s1", records(1, 2), records(3));
    await b.begin();
    expect(b.lane.positions).to.deep.equal(["2", "3"]);
  });

  it("takes a record, a position or a sequence number, and keeps the sub-sequence number", async () => {
    const b = bench(
      {
        process: async (batch) => {
          await batch.checkpoint(record(1, 3));
          await batch.checkpoint("2");
          await batch.checkpoint({ sequenceNumber: "2", subSequenceNumber: 7 });
          await batch.checkpoint({ sequenceNumber: "3" });
        },
      },
      explicit,
    );
    b.source.script("s1", records(1, 2, 3));
    await b.begin();
    expect(b.lane.positions).to.deep.equal(["1.3", "2", "2.7", "3"]);
  });

  it("refuses a checkpoint beyond what was handed over", async () => {
    const codes: string[] = [];
    const b = bench({ process: async (batch) => codes.push(await codeOf(batch.checkpoint("3"))) }, explicit);
    b.source.script("s1", records(1, 2));
    await b.begin();
    expect(codes).to.deep.equal(["checkpoint-beyond"]);
    expect(b.lane.written).to.deep.equal([]);
  });

  it("compares sequence numbers as integers: 10 is beyond 9", async () => {
    const codes: string[] = [];
    const b = bench({ process: async (batch) => codes.push(await codeOf(batch.checkpoint("10"))) }, explicit);
    b.source.script("s1", records(9));
    await b.begin();
    expect(codes).to.deep.equal(["checkpoint-beyond"]);
  });

  it("lets an earlier batch be checkpointed at what a later one brought", async () => {
    const batches: Batch[] = [];
    const b = bench({ process: (batch) => batches.push(batch) }, explicit);
    b.source.script("s1", records(1), records(2));
    await b.begin();
    await batches[0]?.checkpoint("2");
    expect(b.lane.positions).to.deep.equal(["2"]);
  });

  it("refuses a checkpoint that goes back", async () => {
    const codes: string[] = [];
    const b = bench(
      {
        process: async (batch) => {
          await batch.checkpoint("2");
          codes.push(await codeOf(batch.checkpoint("1")));
        },
      },
      explicit,
    );
    b.source.script("s1", records(1, 2));
    await b.begin();
    expect(codes).to.deep.equal(["checkpoint-backwards"]);
    expect(b.lane.positions).to.deep.equal(["2"]);
  });

  it("does nothing for a checkpoint that is already there", async () => {
    const b = bench(
      {
        process: async (batch) => {
          await batch.checkpoint();
          await batch.checkpoint();
        },
      },
      explicit,
    );
    b.source.script("s1", records(1, 2));
    await b.begin();
    expect(b.lane.positions).to.deep.equal(["2"]);
  });

  for (const at of ["abc", "-1", "01", "", "SHARD_END", "LATEST", "TRIM_HORIZON"]) {
    it(`refuses ${JSON.stringify(at)} as a checkpoint of a record`, async () => {
      const codes: string[] = [];
      const b = bench({ process: async (batch) => codes.push(await codeOf(batch.checkpoint(at))) }, explicit);
      b.source.script("s1", records(1));
      await b.begin("s1", { checkpoint: position("LATEST") });
      expect(codes).to.deep.equal(["checkpoint-invalid"]);
    });
  }

  it("refuses a number for a sequence number, which compares with nothing, so that no bound would hold it", async () => {
    const codes: string[] = [];
    const b = bench(
      {
        process: async (batch) => {
          for (const at of [
            { sequenceNumber: 99 },
            { sequenceNumber: "1", subSequenceNumber: "0" },
            99,
            null,
          ]) {
            codes.push(await codeOf(batch.checkpoint(at as never)));
          }
        },
      },
      explicit,
    );
    b.source.script("s1", records(1));
    await b.begin();
    expect(codes).to.deep.equal(Array.from({ length: 4 }, () => "checkpoint-invalid"));
    expect(b.lane.positions).to.deep.equal([]);
  });

  it("refuses every checkpoint after the lease was lost", async () => {
    let batch: Batch | undefined;
    const b = bench({ process: (given) => (batch = given) }, explicit);
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    tenure.end("fenced");
    expect(await codeOf(batch!.checkpoint())).to.equal("lease-lost");
    expect(await codeOf(batch!.checkpoint("1"))).to.equal("lease-lost");
    expect(b.lane.written).to.deep.equal([]);
  });

  it("throws the store's error to an explicit checkpoint, and the next one may succeed", async () => {
    const codes: string[] = [];
    const b = bench(
      {
        process: async (batch) => {
          codes.push(await codeOf(batch.checkpoint()), await codeOf(batch.checkpoint()));
        },
      },
      explicit,
    );
    b.lane.failures.push(storeError());
    b.source.script("s1", records(1));
    await b.begin();
    expect(codes).to.deep.equal(["store-unavailable", "none"]);
  });

  it("writes checkpoints one at a time, in the order asked for, awaited or not", async () => {
    const b = bench(
      { process: (batch) => Promise.all(["1", "2", "3"].map((at) => batch.checkpoint(at))) },
      explicit,
    );
    b.source.script("s1", records(1, 2, 3));
    await b.begin();
    expect(b.lane.positions).to.deep.equal(["1", "2", "3"]);
  });

  it("with explicit checkpointing writes nothing by itself", async () => {
    const b = bench({ process: () => {} }, explicit);
    b.source.script("s1", records(1), records(2));
    await b.begin();
    await b.advance(120_000);
    expect(b.lane.written).to.deep.equal([]);
  });

  it("with automatic checkpointing writes what is done at most every checkpointIntervalMs", async () => {
    const b = bench({ process: () => {} }, { protocol: { checkpointIntervalMs: 10_000 } });
    await b.begin();
    for (let n = 1; n <= 40; n++) {
      b.source.script("s1", records(n));
      await b.advance(1_000);
    }
    await b.advance(30_000);
    const times = b.lane.written.map(({ atMs }) => atMs);
    times.slice(1).forEach((at, i) => expect(at - times[i]!).to.be.at.least(10_000));
    expect(times).to.have.length(4);
    expect(b.lane.positions.at(-1)).to.equal("40");
  });

  it("writes no second automatic checkpoint at once for batches that ended while the first was under way", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", records(1));
    await b.begin();
    const writing = b.gate();
    b.lane.hold = writing.promise;
    await b.advance(10_000);
    b.source.script("s1", records(2));
    await b.advance(500);
    writing.open();
    await b.settle();
    await b.advance(30_000);
    expect(b.lane.written.map(({ at, atMs }) => [at, atMs])).to.deep.equal([
      ["1", 10_500],
      ["2", 20_500],
    ]);
  });

  it("writes the last batch of a partition that falls quiet, once the interval is over", async () => {
    const b = bench({ process: () => {} });
    await b.begin();
    await b.advance(2_000);
    b.source.script("s1", records(1));
    await b.advance(7_000);
    expect(b.lane.positions).to.deep.equal([]);
    await b.advance(1_000);
    expect(b.lane.positions).to.deep.equal(["1"]);
  });

  it("with an interval of 0 writes after every batch, before the next one", async () => {
    const b = bench(
      { process: (batch) => b.log.push(`process ${batch.records[0]!.sequenceNumber}`) },
      { protocol: { checkpointIntervalMs: 0 } },
    );
    b.source.script("s1", records(1), records(2));
    await b.begin();
    expect(b.log).to.deep.equal(["process 1", "checkpoint 1", "process 2", "checkpoint 2"]);
  });

  it("never checkpoints a batch by itself that has not returned", async () => {
    const held = gate();
    const b = bench({ process: () => held.promise });
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(60_000);
    expect(b.lane.written).to.deep.equal([]);
    held.open();
    await b.advance(10_000);
    expect(b.lane.positions).to.deep.equal(["1"]);
  });

  it("does not go back by itself when an explicit checkpoint went ahead meanwhile", async () => {
    const held = gate();
    const b = bench({
      process: async (batch) => {
        if (batch.records[0]?.sequenceNumber !== "2") return;
        await batch.checkpoint("3");
        await held.promise;
      },
    });
    b.source.script("s1", records(1), records(2, 3));
    await b.begin();
    await b.advance(30_000);
    expect(b.lane.positions).to.deep.equal(["3"]);
    held.open();
  });

  it("makes a failed automatic checkpoint again, shows it, and processing goes on meanwhile", async () => {
    const b = bench({ process: () => {} });
    b.lane.failures.push(storeError());
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(10_000);
    expect(b.lane.positions).to.deep.equal([]);
    expect(b.status().lastError).to.include({ callback: "checkpoint", message: "the store is out" });
    b.source.script("s1", records(2));
    await b.advance(10_000);
    expect(b.lane.positions).to.deep.equal(["2"]);
  });

  it("makes a failed automatic checkpoint again with an interval of 0, after a second", async () => {
    const b = bench({ process: () => {} }, { protocol: { checkpointIntervalMs: 0 } });
    b.lane.failures.push(storeError(), storeError());
    b.source.script("s1", records(1));
    await b.begin();
    await b.advance(1_000);
    expect(b.lane.positions).to.deep.equal([]);
    await b.advance(1_000);
    expect(b.lane.positions).to.deep.equal(["1"]);
  });

  it("writes a lease's weight along with its checkpoints, and none for turns", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", { ...records(1), bytes: 1_024 * 100 });
    b.source.script("s2", turn(1));
    await b.begin("s1");
    await b.begin("s2");
    await b.advance(10_000);
    const extra = new Map(b.lane.written.map((w) => [w.leaseKey, w.extra]));
    expect(extra.get("s1")?.throughputKBps).to.be.within(8, 12);
    expect(extra.get("s2")).to.deep.equal({});
  });

  it("writes no weight before it has measured one: explicit checkpoints of a first batch, and of turns", async () => {
    const b = bench({ process: (batch) => batch.checkpoint() }, explicit);
    b.source.script("s1", records(1));
    b.source.script("s2", turn(1));
    await b.begin("s1");
    await b.begin("s2");
    expect(b.lane.written.map((w) => w.extra)).to.deep.equal([{}, {}]);
  });

  it("checkpoints the end of what came before with an empty batch that has no position", async () => {
    const b = bench(
      { process: (batch) => (batch.records.length === 0 ? batch.checkpoint() : undefined) },
      explicit,
    );
    b.source.script("s1", { kind: "records", records: [], lastPosition: undefined, bytes: 0 });
    await b.begin();
    expect(b.lane.positions).to.deep.equal([]);
    b.source.script("s1", records(1), { kind: "records", records: [], lastPosition: undefined, bytes: 0 });
    await b.settle();
    expect(b.lane.positions).to.deep.equal(["1"]);
  });
});
