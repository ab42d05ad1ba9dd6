import { expect } from "chai";
import { LeaseholdError } from "../../../src/model/errors.js";
import { position } from "../../../src/model/position.js";
import { fixedPartitions, type FixedPartitionsOptions } from "../../../src/source/fixed/fixed-partitions.js";
import type { PartitionReader, PartitionSource, SourceFetch } from "../../../src/source/partition-source.js";
import { seededRandom, VirtualTime } from "../../../src/testing/index.js";

describe("fixed partitions", () => {
  const signal = new AbortController().signal;
  let time: VirtualTime;
  let answers: number;

  beforeEach(() => {
    time = new VirtualTime();
    answers = 0;
  });

  function source(options: FixedPartitionsOptions): PartitionSource {
    return fixedPartitions(options)({ clock: time.clock(), random: seededRandom(1) });
  }

  function open(checkpoint: string, turnIntervalMs?: number): PartitionReader {
    const interval = turnIntervalMs === undefined ? {} : { turnIntervalMs };
    return source({ partitions: ["a"], ...interval }).open({
      partitionKey: "a",
      checkpoint: position(checkpoint),
      onError: () => {},
      onAnswer: () => answers++,
      onHeldUp: () => {},
    });
  }

  async function turn(reader: PartitionReader): Promise<number | undefined> {
    const fetch: SourceFetch = await time.runUntilSettled(reader.next(signal));
    return fetch.kind === "records" ? fetch.turn : undefined;
  }

  it("are named, or numbered with padding", async () => {
    const keys = async (partitions: readonly string[] | number): Promise<string[]> =>
      (await source({ partitions }).list(signal)).map((p) => p.partitionKey);
    expect(await keys(["tenant a".replace(" ", "-"), "täglich/😀"])).to.deep.equal([
      "tenant-a",
      "täglich/😀",
    ]);
    expect(await keys(2)).to.deep.equal(["partition-000", "partition-001"]);
    const many = await keys(10_000);
    expect([many[0], many[9_999]]).to.deep.equal(["partition-0000", "partition-9999"]);
  });

  it("are open, without parents, never evolve, and begin at TRIM_HORIZON", async () => {
    const made = source({ partitions: ["a"], name: "tenants" });
    await made.verify(signal);
    expect(await made.list(signal)).to.deep.equal([{ partitionKey: "a", parents: [], open: true }]);
    expect([made.kind, made.name, made.evolves]).to.deep.equal(["fixed", "tenants", false]);
    expect(made.initialPosition).to.deep.equal(position("TRIM_HORIZON"));
    made.close();
  });

  it("give the first turn at once, with its number as the position", async () => {
    expect(await time.runUntilSettled(open("TRIM_HORIZON").next(signal))).to.deep.equal({
      kind: "records",
      records: [],
      lastPosition: { sequenceNumber: "1", subSequenceNumber: 0 },
      bytes: 0,
      turn: 1,
    });
    expect(time.nowMs).to.equal(0);
  });

  it("go on after the checkpoint's turn", async () => {
    expect(await turn(open("41"))).to.equal(42);
    expect(await turn(open("LATEST"))).to.equal(1);
  });

  it("give the next turn an interval after the last was done, however long it took", async () => {
    const reader = open("TRIM_HORIZON", 5_000);
    await turn(reader);
    await time.advance(30_000);
    reader.done?.();
    await time.advance(1_000);
    expect(await turn(reader)).to.equal(2);
    expect(time.nowMs).to.equal(35_000);
  });

  it("give the next turn an interval after the last was given where nobody said that it was done", async () => {
    const reader = open("TRIM_HORIZON", 5_000);
    await turn(reader);
    expect(await turn(reader)).to.equal(2);
    expect(time.nowMs).to.equal(5_000);
  });

  it("are at rest between turns, not silent", async () => {
    const reader = open("TRIM_HORIZON", 60_000);
    await turn(reader);
    reader.done?.();
    answers = 0;
    await turn(reader);
    expect(answers).to.be.greaterThan(60);
    reader.close();
    expect(time.pendingTimers).to.equal(0);
  });

  it("give up a wait when the signal aborts, and leave no timer behind", async () => {
    const reader = open("TRIM_HORIZON");
    await turn(reader);
    const controller = new AbortController();
    const next = reader.next(controller.signal).catch((error: unknown) => error);
    const reason = new Error("lost");
    controller.abort(reason);
    expect(await next).to.equal(reason);
    expect(time.pendingTimers).to.equal(0);
    expect(await turn(reader)).to.equal(2);
  });

  it("have ended where their checkpoint says so", async () => {
    expect(await time.runUntilSettled(open("SHARD_END").next(signal))).to.deep.equal({
      kind: "ended",
      children: [],
    });
  });

  it("refuse a checkpoint that is no turn", () => {
    expect(() => open("49590338271490256608559692538361571095921575989136588898")).to.throw(
      LeaseholdError,
      /number of a turn/,
    );
  });

  const bad: [unknown, RegExp][] = [
    [{ partitions: [] }, /partitions is "a list of 0".*1 to 10000 names/],
    [{ partitions: 0 }, /partitions is 0 \(number\).*from 1 to 10000/],
    [{ partitions: 10_001 }, /partitions is 10001/],
    [{ partitions: 1.5 }, /partitions is 1.5/],
    [{ partitions: "a" }, /partitions is "a"/],
    [{}, /partitions is undefined/],
    [{ partitions: ["a", "b", "a"] }, /partitions\[2\] is "a": it must be different/],
    [{ partitions: ["a b"] }, /partitions\[0\] is "a b".*without white space/],
    [{ partitions: ["a#b"] }, /partitions\[0\] is "a#b"/],
    [{ partitions: [""] }, /partitions\[0\] is ""/],
    [{ partitions: ["a\u0007"] }, /printable/],
    [{ partitions: ["x".repeat(201)] }, /1 to 200/],
    [{ partitions: [7] }, /partitions\[0\] is 7 \(number\)/],
    [{ partitions: 1, turnIntervalMs: 0 }, /turnIntervalMs is 0.*from 1/],
    [{ partitions: 1, turnIntervalMs: "5" }, /turnIntervalMs is "5"/],
    [{ partitions: 1, name: "" }, /name is ""/],
    [{ partitions: 1, turnIntervalMS: 50 }, /turnIntervalMS is no option.*turnIntervalMs/],
    [undefined, /options is undefined/],
    [null, /options is null/],
  ];
  for (const [options, message] of bad) {
    it(`refuse ${options === undefined ? "nothing" : JSON.stringify(options).slice(0, 60)}`, () => {
      const make = (): unknown => fixedPartitions(options as FixedPartitionsOptions);
      expect(make).to.throw(LeaseholdError, message).with.property("code", "invalid-option");
    });
  }
});
