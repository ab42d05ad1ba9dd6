import { expect } from "chai";
import { LeaseholdError } from "../../src/model/errors.js";
import { position, trimHorizon, type Position } from "../../src/model/position.js";
import type { PartitionReader, SourceFetch } from "../../src/source/partition-source.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { SimulatedStream, type SimulatedStreamOptions } from "../../src/testing/simulated-stream.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import type { VirtualClock } from "../../src/testing/virtual-clock.js";

const never = new AbortController().signal;

class Setting {
  readonly time = new VirtualTime();
  readonly clock: VirtualClock = this.time.clock();
  readonly stream: SimulatedStream;
  readonly errors: unknown[] = [];
  answers = 0;

  constructor(options: SimulatedStreamOptions = {}) {
    this.stream = new SimulatedStream(this.time, { shards: 1, ...options });
  }

  get source() {
    return this.stream.source({ clock: this.clock, random: seededRandom(1) });
  }

  shardId(at = 0): string {
    return this.stream.shards.all()[at]?.shardId ?? "";
  }

  open(checkpoint: Position = trimHorizon, partitionKey = this.shardId()): PartitionReader {
    return this.source.open({
      partitionKey,
      checkpoint,
      onError: (error) => this.errors.push(error),
      onAnswer: () => this.answers++,
      onHeldUp: () => {},
    });
  }

  next(reader: PartitionReader, signal = never): Promise<SourceFetch> {
    return this.time.runUntilSettled(reader.next(signal));
  }
}

/** The texts of a batch. */
function texts(fetched: SourceFetch): string[] {
  if (fetched.kind === "ended") return ["(ended)"];
  return fetched.records.map((record) => new TextDecoder().decode(record.data));
}

describe("the simulated stream", () => {
  it("gives a reader all records of its shard in order, in batches, and says how far they go", async () => {
    const s = new Setting({ batchRecords: 2 });
    const numbers = ["a", "b", "c"].map((text) => s.stream.put(0.5, text));
    const reader = s.open();
    const first = await s.next(reader);
    expect(texts(first)).to.deep.equal(["a", "b"]);
    expect(first).to.deep.include({ lastPosition: position(numbers[1]!), bytes: 2 });
    expect(texts(await s.next(reader))).to.deep.equal(["c"]);
    expect(s.answers).to.equal(2);
  });

  it("waits for records, and asks again every idle interval", async () => {
    const s = new Setting({ idleMs: 100, latencyMs: [1, 1] });
    const reader = s.open();
    let got: string[] = [];
    void reader.next(never).then((fetched) => (got = texts(fetched)));
    await s.time.advance(1_000);
    expect(s.answers).to.equal(10);
    s.stream.put(0, "late");
    await s.time.advance(110);
    expect(got).to.deep.equal(["late"]);
  });

  it("numbers records upwards past a power of ten, where strings and numbers order differently", () => {
    const s = new Setting();
    const numbers = Array.from({ length: 200 }, () => s.stream.put(0));
    const sorted = [...numbers].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
    expect(numbers).to.deep.equal(sorted);
    expect(numbers).not.to.deep.equal([...numbers].sort());
  });

  it("resumes after a checkpoint, or at it where it stands inside a record", async () => {
    const s = new Setting();
    const [, b] = ["a", "b", "c"].map((text) => s.stream.put(0, text));
    expect(texts(await s.next(s.open(position(b!))))).to.deep.equal(["c"]);
    expect(texts(await s.next(s.open(position(b!, 3))))).to.deep.equal(["b", "c"]);
    expect(texts(await s.next(s.open(position("AT_TIMESTAMP"))))).to.deep.equal(["a", "b", "c"]);
  });

  it("begins at LATEST with what comes after the first question", async () => {
    const s = new Setting();
    s.stream.put(0, "before");
    const fetched = s.open(position("LATEST")).next(never);
    await s.time.advance(100);
    s.stream.put(0, "after");
    expect(texts(await s.time.runUntilSettled(fetched))).to.deep.equal(["after"]);
  });

  it("ends a split shard once its records are read, and names its children", async () => {
    const s = new Setting();
    s.stream.put(0.2, "a");
    const children = s.stream.splitAny(0);
    s.stream.put(0.2, "b");
    const reader = s.open();
    expect(texts(await s.next(reader))).to.deep.equal(["a"]);
    const end = await s.next(reader);
    expect(end.kind).to.equal("ended");
    if (end.kind !== "ended") return;
    expect(end.children.map((child) => child.partitionKey)).to.deep.equal(children);
    expect(end.children.map((child) => child.parents)).to.deep.equal([[s.shardId()], [s.shardId()]]);
    expect(texts(await s.next(s.open(trimHorizon, children[0])))).to.deep.equal(["b"]);
  });

  it("splits and merges so that the open shards always cover every hash key once", () => {
    const s = new Setting({ shards: 3 });
    const random = seededRandom(9);
    for (let i = 0; i < 60; i++) {
      if (random.chance(0.5)) s.stream.splitAny(random.next());
      else s.stream.mergeAny(random.next());
      let expected = 0n;
      for (const shard of s.stream.shards.open()) {
        expect(shard.startingHashKey).to.equal(expected);
        expected = shard.endingHashKey + 1n;
      }
      expect(expected).to.equal(2n ** 128n);
    }
    expect(s.stream.shards.all().length).to.be.greaterThan(30);
    expect(s.stream.shards.merge(s.shardId(0), s.shardId(0))).to.equal(undefined);
    expect(s.stream.shards.split("no such shard")).to.deep.equal([]);
  });

  it("forgets a closed shard that is trimmed, and no open one", () => {
    const s = new Setting({ shards: 2 });
    const child = s.stream.mergeAny(0);
    for (const shard of s.stream.shards.all()) s.stream.shards.trim(shard.shardId);
    expect(s.stream.shards.all().map(({ shardId }) => shardId)).to.deep.equal([child]);
  });

  it("lists open and closed shards with parents, and a merged shard with both", async () => {
    const s = new Setting({ shards: 2 });
    const child = s.stream.mergeAny(0);
    const listed = await s.time.runUntilSettled(s.source.list(never));
    expect(listed.map(({ partitionKey, open }) => [partitionKey, open])).to.deep.equal([
      [s.shardId(0), false],
      [s.shardId(1), false],
      [child, true],
    ]);
    expect(listed[2]?.parents).to.deep.equal([s.shardId(0), s.shardId(1)]);
    await s.time.runUntilSettled(s.source.verify(never));
  });

  it("keeps everything that was put, by shard, and counts it", async () => {
    const s = new Setting({ shards: 4 });
    const stop = s.stream.produce(20, seededRandom(3));
    await s.time.advance(10_000);
    stop();
    await s.time.advance(10_000);
    const counts = s.stream.shards.all().map((shard) => shard.records.length);
    expect(counts.reduce((a, b) => a + b)).to.equal(s.stream.putRecords);
    expect(s.stream.putRecords).to.be.within(450, 550);
    for (const count of counts) expect(count).to.be.greaterThan(80);
    expect(s.time.pendingTimers).to.equal(0);
  });

  it("reports each failure of an outage to the reader's worker and goes on after it", async () => {
    const s = new Setting({ idleMs: 100 });
    s.stream.put(0, "a");
    const end = s.stream.beginOutage();
    const fetched = s.open().next(never);
    await s.time.advance(1_000);
    expect(s.answers).to.equal(0);
    expect(s.errors.length).to.be.greaterThan(5);
    expect(s.errors[0]).to.be.instanceOf(LeaseholdError).with.property("code", "source-unavailable");
    const listed: unknown = await s.time.runUntilSettled(
      s.source.list(never).catch((error: unknown) => error),
    );
    expect(listed).to.have.property("code", "source-unavailable");
    end();
    end();
    expect(texts(await s.time.runUntilSettled(fetched))).to.deep.equal(["a"]);
  });

  it("rejects a reader's wait with the reason of its signal, and an unknown shard with source-missing", async () => {
    const s = new Setting();
    const controller = new AbortController();
    const reason = new Error("the tenure is over");
    const fetched = s
      .open()
      .next(controller.signal)
      .catch((error: unknown) => error);
    await s.time.advance(1_000);
    controller.abort(reason);
    expect(await s.time.runUntilSettled(fetched)).to.equal(reason);
    const unknown = s
      .open(trimHorizon, "shardId-x")
      .next(never)
      .catch((error: unknown) => error);
    expect(await s.time.runUntilSettled(unknown)).to.have.property("code", "source-missing");
  });

  it("tells a stopped reader nothing before its thaw", async () => {
    const s = new Setting();
    s.stream.put(0, "a");
    let got = false;
    void s
      .open()
      .next(never)
      .then(() => (got = true));
    s.clock.freeze();
    await s.time.advance(1_000);
    expect(got).to.equal(false);
    s.clock.thaw();
    await s.time.advance(1);
    expect(got).to.equal(true);
  });
});
