import { expect } from "chai";
import { childrenOf, failure, FakeKinesis, listed, numbers, record } from "./fake-kinesis.js";

const missing = failure("ResourceNotFoundException", "Shard shard-1 does not exist");

describe("the end of a shard", () => {
  let fake: FakeKinesis;
  beforeEach(() => {
    fake = new FakeKinesis();
  });

  const children = [
    {
      ShardId: "shard-2",
      ParentShards: ["shard-1"],
      HashKeyRange: { StartingHashKey: "0", EndingHashKey: "4" },
    },
    {
      ShardId: "shard-3",
      ParentShards: ["shard-1"],
      HashKeyRange: { StartingHashKey: "5", EndingHashKey: "9" },
    },
  ];

  it("comes after the last records, again and again, with the children that Kinesis tells", async () => {
    fake.readScript = [{ Records: [record(1)], NextShardIterator: undefined, ChildShards: children }];
    const reader = fake.open();
    expect(numbers(await fake.next(reader))).to.deep.equal(["1"]);
    const ended = {
      kind: "ended",
      children: [
        {
          partitionKey: "shard-2",
          parents: ["shard-1"],
          open: true,
          startingHashKey: "0",
          endingHashKey: "4",
        },
        {
          partitionKey: "shard-3",
          parents: ["shard-1"],
          open: true,
          startingHashKey: "5",
          endingHashKey: "9",
        },
      ],
    };
    expect(await fake.next(reader)).to.deep.equal(ended);
    expect(await fake.next(reader)).to.deep.equal(ended);
    expect(fake.lists).to.deep.equal([]);
    expect(fake.time.pendingTimers).to.equal(0);
  });

  it("takes the children from a fresh list where Kinesis told none, which may be behind", async () => {
    fake.readScript = [{ NextShardIterator: undefined }];
    fake.listScript = [
      failure("InternalFailureException"),
      { Shards: [listed("shard-1")] },
      { Shards: [listed("shard-1"), listed("shard-4", "shard-0", "shard-1")] },
    ];
    const fetch = await fake.next(fake.open());
    expect(fetch.kind === "ended" && fetch.children.map((c) => [c.partitionKey, c.parents])).to.deep.equal([
      ["shard-4", ["shard-0", "shard-1"]],
    ]);
  });

  it("has no children when the list goes on naming none, and the shard as closed", async () => {
    fake.readScript = [{ NextShardIterator: undefined }];
    const closed = { StartingSequenceNumber: "1", EndingSequenceNumber: "9" };
    fake.listScript = [{ Shards: [{ ...listed("shard-1"), SequenceNumberRange: closed }] }];
    expect(await fake.next(fake.open())).to.deep.equal({ kind: "ended", children: [] });
    expect(fake.lists).to.have.length(3);
  });

  it("is none where the list shows the shard open: it is read on from its place, or the rest would be lost", async () => {
    fake.readScript = [
      { Records: [record(1)], NextShardIterator: undefined, MillisBehindLatest: 5 },
      { Records: [record(2)] },
      {},
    ];
    fake.listScript = [{ Shards: [listed("shard-0"), listed("shard-1")] }];
    const reader = fake.open();
    expect(numbers(await fake.next(reader))).to.deep.equal(["1"]);
    expect(numbers(await fake.next(reader))).to.deep.equal(["2"]);
    expect(fake.iterators[1]).to.deep.equal({
      ShardId: "shard-1",
      ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
      StartingSequenceNumber: "1",
    });
    expect(fake.errors).to.deep.equal([]);
    reader.close();
  });

  it("is no failure where it is told now and then of an open shard", async () => {
    const end = { NextShardIterator: undefined };
    fake.readScript = [end, {}, end, {}, end, {}, end, { Records: [record(1)] }, {}];
    fake.listScript = [{ Shards: [listed("shard-1")] }];
    const reader = fake.open();
    expect(numbers(await fake.next(reader))).to.deep.equal(["1"]);
    expect(fake.errors).to.deep.equal([]);
    reader.close();
  });

  it("is none however often it is told of an open shard, which is read with a growing back-off, and told", async () => {
    fake.readScript = [{ NextShardIterator: undefined }];
    fake.listScript = [{ Shards: [listed("shard-1")] }];
    expect(await fake.readFor(120_000)).to.equal(undefined);
    expect(fake.reads.length).to.be.within(12, 30);
    expect(fake.errors.length).to.equal(fake.reads.length - 2);
    expect(String(fake.errors[0])).to.match(/shard shard-1 told its end, but the list shows it open/);
  });

  it("is none where the list is empty: it says nothing", async () => {
    fake.readScript = [{ NextShardIterator: undefined }];
    fake.listScript = [{ Shards: [] }, { Shards: [listed("shard-1"), listed("shard-2", "shard-1")] }];
    const fetch = await fake.next(fake.open());
    expect(childrenOf(fetch)).to.deep.equal(["shard-2"]);
  });

  it("is that of a shard trimmed away, with the children of a fresh list", async () => {
    fake.iteratorScript = [missing];
    fake.listScript = [{ Shards: [listed("shard-2", "shard-1"), listed("shard-3", "shard-1")] }];
    const fetch = await fake.next(fake.open({}, "17"));
    expect(childrenOf(fetch)).to.deep.equal(["shard-2", "shard-3"]);
  });

  it("is that of a shard trimmed away with its children, when three lists say so", async () => {
    fake.iteratorScript = [missing];
    fake.listScript = [{ Shards: [listed("shard-9", "shard-2")] }];
    expect(await fake.next(fake.open({}, "17"))).to.deep.equal({ kind: "ended", children: [] });
    expect(fake.iterators).to.have.length(3);
  });

  it("is not that of a new shard of which one list does not know yet: its records would be lost", async () => {
    fake.iteratorScript = [missing, "i0"];
    fake.listScript = [{ Shards: [listed("shard-0")] }];
    expect(numbers(await fake.first([{ Records: [record(1)] }, {}]))).to.deep.equal(["1"]);
    expect(fake.errors).to.have.length(1);
  });

  it("is not that of a shard which lists do not name now and then, but an answer or a list does in between", async () => {
    const unnamed = { Shards: [listed("shard-0")] };
    fake.iteratorScript = [missing, missing, missing, missing, "i0", missing, missing, "i1"];
    fake.listScript = [unnamed, unnamed, { Shards: [listed("shard-1")] }, unnamed];
    const expired = failure("ExpiredIteratorException");
    const fetch = await fake.first([{}, expired, { Records: [record(1)] }, {}]);
    expect(numbers(fetch)).to.deep.equal(["1"]);
  });

  it("is not that of any shard where the list is empty: it says nothing", async () => {
    fake.iteratorScript = [missing];
    fake.listScript = [{ Shards: [] }];
    expect(await fake.readFor(120_000)).to.equal(undefined);
  });

  it("is not that of a shard which is listed still", async () => {
    fake.iteratorScript = [failure("ResourceNotFoundException"), "i0"];
    fake.listScript = [{ Shards: [listed("shard-1")] }];
    expect(numbers(await fake.first([{ Records: [record(1)] }, {}]))).to.deep.equal(["1"]);
    expect(fake.errors).to.have.length(1);
  });

  it("is there at once for a checkpoint that says so", async () => {
    fake.listScript = [{ Shards: [listed("shard-1"), listed("shard-2", "shard-1")] }];
    const fetch = await fake.next(fake.open({}, "SHARD_END"));
    expect(childrenOf(fetch)).to.deep.equal(["shard-2"]);
    expect(fake.reads).to.deep.equal([]);
  });

  it("is there for a checkpoint that says so though the list shows the shard open: it was seen once", async () => {
    fake.listScript = [{ Shards: [listed("shard-1")] }];
    expect(await fake.next(fake.open({}, "SHARD_END"))).to.deep.equal({ kind: "ended", children: [] });
    expect(fake.lists).to.have.length(3);
    expect(fake.reads).to.deep.equal([]);
  });
});
