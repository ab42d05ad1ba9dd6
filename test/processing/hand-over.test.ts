import { expect } from "chai";
import { position, shardEnd } from "../../src/model/position.js";
import type { Batch } from "../../src/processing/batch.js";
import type { Processor, ProcessorStart } from "../../src/processing/processor.js";
import type { HeldLease } from "../../src/tenure/tenure.js";
import { gate, record, records, turn, useBench } from "./workbench.js";

describe("handing records over", () => {
  const bench = useBench();
  const numbers = (batch: Batch): string => batch.records.map((r) => r.sequenceNumber).join(",");

  it("calls initialize, then process with each batch in the partition's order", async () => {
    const calls: string[] = [];
    const b = bench({
      initialize: () => calls.push("initialize"),
      process: (batch) => calls.push(`process ${numbers(batch)}`),
    });
    b.source.script("s1", records(1, 2), records(3));
    await b.begin();
    expect(calls).to.deep.equal(["initialize", "process 1,2", "process 3"]);
  });

  it("tells initialize where work begins and what an earlier owner left", async () => {
    const starts: ProcessorStart[] = [];
    const b = bench({ initialize: (_lease, start) => starts.push(start), process: () => {} });
    const state = new Uint8Array([1]);
    await b.begin("s1", {
      checkpoint: position("7"),
      pendingCheckpoint: position("9"),
      pendingCheckpointState: state,
      ownersWornOut: 2,
    });
    expect(starts).to.deep.equal([
      { checkpoint: position("7"), pendingCheckpoint: position("9"), pendingState: state, ownersWornOut: 2 },
    ]);
  });

  it("opens the source at the row's checkpoint and hands over nothing up to it", async () => {
    const calls: string[] = [];
    const b = bench({ process: (batch) => calls.push(numbers(batch)) });
    b.source.script("s1", records(1, 2), records(3, 4, 5), records(6));
    await b.begin("s1", { checkpoint: position("4") });
    expect(b.source.reader("s1").partition.checkpoint).to.deep.equal(position("4"));
    expect(calls).to.deep.equal(["5", "6"]);
  });

  it("drops the user records of an aggregate that were done before", async () => {
    const seen: string[] = [];
    const b = bench({
      process: (batch) =>
        batch.records.forEach((r) => seen.push(`${r.sequenceNumber}.${String(r.subSequenceNumber)}`)),
    });
    const list = [record(5, 0), record(5, 1), record(5, 2)];
    const batch = {
      kind: "records",
      records: list,
      count: 3,
      lastPosition: position("5", 2),
      bytes: 30,
    } as const;
    b.source.script("s1", batch);
    await b.begin("s1", { checkpoint: position("5", 1) });
    expect(seen).to.deep.equal(["5.2"]);
    expect(b.of("batch-finished").map(({ records: done }) => done)).to.deep.equal([1]);
  });

  it("gives the processor data, partition key, sequence number, arrival time and how far behind it is", async () => {
    let seen: Batch | undefined;
    const b = bench({ process: (batch) => (seen = batch) });
    b.source.script("s1", records(1));
    await b.begin();
    expect(seen?.records[0]).to.deep.equal(record(1));
    expect(seen?.millisBehindLatest).to.equal(7);
    expect(seen?.attempt).to.equal(1);
    expect(seen).not.to.have.property("turn");
  });

  it("hands over the empty batch of a fixed partition with its turn, and says when it is done", async () => {
    const turns: (number | undefined)[] = [];
    const b = bench({ process: (batch) => turns.push(batch.turn) });
    b.source.script("s1", turn(1), turn(2));
    await b.begin();
    expect(turns).to.deep.equal([1, 2]);
    expect(b.source.doneCalls).to.equal(2);
  });

  it("never has two calls for one partition under way", async () => {
    let running = 0;
    let most = 0;
    const held = gate();
    const b = bench({
      process: async () => {
        most = Math.max(most, ++running);
        await held.promise;
        running -= 1;
      },
    });
    b.source.script("s1", records(1), records(2), records(3));
    await b.begin();
    held.open();
    await b.settle();
    expect(most).to.equal(1);
    expect(b.of("batch-finished")).to.have.length(3);
  });

  it("asks the source for the next batch only when the processor is ready: back-pressure", async () => {
    const held = gate();
    const b = bench({ process: () => held.promise });
    b.source.script("s1", records(1), records(2), records(3));
    await b.begin();
    await b.advance(60_000);
    expect(b.source.reader("s1").asks).to.equal(1);
    held.open();
    await b.settle();
    expect(b.source.reader("s1").asks).to.equal(4);
  });

  it("emits the time left with every hand-over, above zero", async () => {
    const b = bench({ process: () => {} });
    b.source.script("s1", records(4, 5));
    await b.begin();
    const [started] = b.of("batch-started");
    expect(started).to.include({ leaseKey: "s1", epoch: 5, records: 2, bytes: 20, first: "4", last: "5" });
    expect(started?.remainingMs).to.equal(b.belief.remainingMs());
    expect(b.of("batch-finished")[0]).to.include({ records: 2, tookMs: 0, millisBehindLatest: 7 });
  });

  it("calls a factory once per tenure, and each tenure has its own processor", async () => {
    const made: string[] = [];
    const processed: string[] = [];
    const b = bench((lease) => {
      made.push(lease.leaseKey);
      return { process: () => processed.push(lease.leaseKey) };
    });
    b.source.script("s1", records(1), records(2));
    b.source.script("s2", records(1));
    await b.begin("s1");
    await b.begin("s2");
    expect(made).to.deep.equal(["s1", "s2"]);
    expect(processed).to.deep.equal(["s1", "s1", "s2"]);
  });

  it("gives callbacks a lease that tells the truth about the tenure", async () => {
    let seen: HeldLease | undefined;
    const b = bench({ process: (_batch, lease) => (seen = lease) });
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    expect(seen?.leaseKey).to.equal("s1");
    expect(seen?.fencingToken).to.equal(5);
    expect(seen?.remainingMs()).to.equal(tenure.remainingMs());
    expect(await seen?.guard(1, () => "held")).to.equal("held");
    tenure.settle({ ...tenure.row, epoch: 6 });
    expect(seen?.fencingToken).to.equal(6);
    tenure.end("fenced");
    expect(seen?.signal.aborted).to.equal(true);
    expect(() => seen?.assertHeld()).to.throw("not held any more");
  });

  it("works a second partition while the first is busy", async () => {
    const held = gate();
    const processed: string[] = [];
    const b = bench({
      process: (_batch, lease) => {
        processed.push(lease.leaseKey);
        return lease.leaseKey === "s1" ? held.promise : undefined;
      },
    });
    b.source.script("s1", records(1));
    b.source.script("s2", records(1));
    await b.begin("s1");
    await b.begin("s2");
    expect(processed).to.deep.equal(["s1", "s2"]);
    expect(b.status("s1")).to.include({ state: "processing", inFlight: 1 });
    expect(b.status("s2")).to.include({ state: "fetching", inFlight: 0, millisBehindLatest: 7 });
    held.open();
  });

  it("hands nothing over while a write of unknown outcome is being cleared up", async () => {
    let batches = 0;
    const b = bench({ process: () => (batches += 1) });
    b.source.script("s1", records(1));
    const tenure = b.tenure();
    const settled = tenure.unsettle();
    b.host.begin(tenure);
    await b.advance(1_000);
    expect(batches).to.equal(0);
    expect(b.status().state).to.equal("waiting");
    settled();
    await b.advance(100);
    expect(batches).to.equal(1);
  });

  it("hands nothing over once the belief is over, even before any timer has fired", async () => {
    const processor: Processor = { process: () => {} };
    const b = bench(processor, { protocol: { leaseDurationMs: 10_000 } });
    await b.begin();
    b.clock.jumpWall(60_000);
    b.source.script("s1", records(1));
    await b.settle();
    expect(b.of("batch-started")).to.have.length(0);
    expect(b.tenures[0]?.endReason).to.equal("lease-lost");
  });

  it("never works a finished lease: it is given back and its children are looked after", async () => {
    const b = bench({ initialize: () => b.log.push("initialize"), process: () => b.log.push("process") });
    await b.begin("s1", { checkpoint: shardEnd });
    expect(b.log).to.deep.equal(["release partition-ended", "finished s1"]);
  });

  it("gives back a lease that begins after it was closed", async () => {
    const b = bench({ process: () => {} });
    await b.host.close();
    const tenure = await b.begin();
    expect(tenure.endReason).to.equal("stop");
    expect(b.source.readers).to.have.length(0);
  });
});
