import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { expect } from "chai";
import sinon from "sinon";
import { LeaseholdError } from "../../../src/model/errors.js";
import { position } from "../../../src/model/position.js";
import type { SourceFetch } from "../../../src/source/partition-source.js";
import { GetRecords } from "../../../src/source/kinesis/wire/get-records.js";
import { aggregate, failure, FakeKinesis, numbers, record } from "./fake-kinesis.js";

/** A fetch with its records, which may be made only when they are looked at. */
const seen = (fetch: SourceFetch): object =>
  fetch.kind === "records" ? { ...fetch, records: fetch.records } : fetch;

describe("a shard's reader", () => {
  let fake: FakeKinesis;
  beforeEach(() => {
    fake = new FakeKinesis();
  });

  describe("hands over", () => {
    it("records as they came, with the position after them and how far behind it is", async () => {
      const arrived = new Date(1_700_000_000_000);
      const first = { ...record(7, Buffer.from("seven")), ApproximateArrivalTimestamp: arrived };
      const fetch = await fake.first([{ Records: [first, record(9)], MillisBehindLatest: 1_500 }, {}]);
      expect(seen(fetch)).to.deep.equal({
        kind: "records",
        count: 2,
        records: [
          {
            data: Buffer.from("seven"),
            partitionKey: "k",
            sequenceNumber: "7",
            subSequenceNumber: 0,
            arrivalMs: 1_700_000_000_000,
          },
          {
            data: Buffer.from("x"),
            partitionKey: "k",
            sequenceNumber: "9",
            subSequenceNumber: 0,
            arrivalMs: undefined,
          },
        ],
        firstPosition: { sequenceNumber: "7", subSequenceNumber: 0 },
        lastPosition: { sequenceNumber: "9", subSequenceNumber: 0 },
        bytes: 6,
        millisBehindLatest: 1_500,
      });
      expect(fake.reads[0]).to.deep.equal({ at: 0, iterator: "i0", limit: 10_000 });
    });

    it("records until they are worked through, and from then on to none who waited for them", async () => {
      fake.readScript = [{ Records: [record(1)] }, { Records: [record(2)] }, {}];
      const reader = fake.open();
      const first = await fake.next(reader);
      reader.begun?.();
      expect(numbers(first), "it may be handed over again").to.deep.equal(["1"]);
      reader.done?.();
      expect(numbers(first)).to.deep.equal([]);
      const second = await fake.next(reader);
      reader.done?.();
      reader.done?.();
      expect(numbers(second)).to.deep.equal([]);
      reader.close();
    });

    it("records that are made when they are looked at, and from then on in the answer no more", async () => {
      const send = sinon.spy(GetRecords.prototype, "send");
      try {
        const fetch = await fake.first([{ Records: [record(1)] }, {}]);
        const { records: sealed } = await send.firstCall.returnValue;
        expect(sealed.position(0)?.sequenceNumber).to.equal("1");
        expect(numbers(fetch)).to.deep.equal(["1"]);
        // What waited for the answer is old by now, and would keep them.
        expect(() => sealed.open()).to.throw("taken by another");
        expect(numbers(fetch), "they are made once").to.deep.equal(["1"]);
      } finally {
        send.restore();
      }
    });

    it("no empty batch, unless asked for, and then one at a time", async () => {
      expect(numbers(await fake.first([{}, {}, { Records: [record(1)] }, {}]))).to.deep.equal(["1"]);
      expect(fake.answers).to.equal(3);

      fake = new FakeKinesis();
      const reader = fake.open({ emptyBatches: true });
      const fetch = await fake.next(reader);
      expect(seen(fetch)).to.deep.equal({
        kind: "records",
        count: 0,
        records: [],
        firstPosition: undefined,
        lastPosition: undefined,
        bytes: 0,
        millisBehindLatest: 0,
      });
      await fake.time.advance(10_000);
      const since = fake.time.nowMs;
      await fake.next(reader);
      expect(fake.time.nowMs, "one was held").to.equal(since);
      await fake.next(reader);
      expect(fake.time.nowMs, "and no second").to.be.greaterThan(since);
      reader.close();
    });

    it("what it had read when a call to next was given up", async () => {
      fake.readScript = [{}, { Records: [record(1)] }, {}];
      const reader = fake.open();
      const controller = new AbortController();
      const given = fake.next(reader, controller.signal);
      const reason = new Error("drained");
      controller.abort(reason);
      expect(await given.catch((error: unknown) => error)).to.equal(reason);
      expect(numbers(await fake.next(reader))).to.deep.equal(["1"]);
    });

    it("nothing after it was closed, and leaves no call and no timer behind", async () => {
      fake.readScript = ["never"];
      const reader = fake.open();
      fake.start(reader).abort();
      await fake.time.settle();
      expect(fake.lastSignal?.aborted).to.equal(false);
      reader.close();
      await fake.time.settle();
      expect(fake.lastSignal?.aborted).to.equal(true);
      expect(fake.time.pendingTimers).to.equal(0);
      await fake.time.advance(60_000);
      expect(fake.reads).to.have.length(1);
      expect(await fake.refusal(reader)).to.include({ code: "worker-stopped" });
    });
  });

  describe("begins", () => {
    const places: [string, number, string][] = [
      ["TRIM_HORIZON", 0, "TRIM_HORIZON"],
      ["LATEST", 0, "LATEST"],
      ["17", 0, "AFTER_SEQUENCE_NUMBER"],
      ["17", 3, "AT_SEQUENCE_NUMBER"],
    ];
    for (const [from, sub, type] of places) {
      it(`at ${from}.${String(sub)} by ${type}`, async () => {
        await fake.first([{ Records: [record(20)] }], {}, from, sub);
        const at = { ShardId: "shard-1", ShardIteratorType: type };
        const expected = from === "17" ? { ...at, StartingSequenceNumber: "17" } : at;
        expect(fake.iterators).to.deep.equal([expected]);
      });
    }

    it("inside an aggregate, handed over raw, with the whole record, at a position beyond the checkpoint", async () => {
      fake.readScript = [{ Records: [record(17, aggregate())] }, { Records: [record(18, aggregate())] }];
      const reader = fake.open({ aggregated: "raw" }, "17", 3);
      const fetch = await fake.next(reader);
      expect(fetch.kind === "records" && fetch.lastPosition).to.deep.equal(position("17", 4));
      expect(fetch.kind === "records" && fetch.records[0]?.subSequenceNumber).to.equal(4);
      const next = await fake.next(reader);
      expect(next.kind === "records" && next.lastPosition).to.deep.equal(position("18"));
      const plain = await fake.first([{ Records: [record(17)] }], { aggregated: "raw" }, "17", 3);
      expect(plain.kind === "records" && plain.lastPosition).to.deep.equal(position("17"));
    });

    it("inside an aggregate, with a record of the same shape as all others", async () => {
      setFlagsFromString("--allow-natives-syntax");
      const haveSameShape = new Script("(a, b) => %HaveSameMap(a, b)").runInThisContext() as (
        a: unknown,
        b: unknown,
      ) => boolean;
      const Records = [record(17, aggregate()), record(18)];
      const fetch = await fake.first([{ Records }], { aggregated: "raw" }, "17", 3);
      const [resumed, other] = fetch.kind === "records" ? fetch.records : [];
      expect(resumed?.subSequenceNumber).to.equal(4);
      expect(haveSameShape(resumed, other)).to.equal(true);
    });

    it("at the options' timestamp, or at the oldest where they name none any more", async () => {
      fake.readScript = [{ Records: [record(20)] }];
      const timestamp = "2026-01-02T03:04:05Z";
      await fake.next(fake.open({ initialPosition: { timestamp } }, "AT_TIMESTAMP"));
      await fake.next(fake.open({}, "AT_TIMESTAMP"));
      expect(fake.iterators).to.deep.equal([
        { ShardId: "shard-1", ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(timestamp) },
        { ShardId: "shard-1", ShardIteratorType: "TRIM_HORIZON" },
      ]);
    });

    it("nowhere where the checkpoint is refused: that error says what is wrong", async () => {
      fake.iteratorScript = [failure("InvalidArgumentException", "not of this shard")];
      const error = await fake.refusal(fake.open({}, "17"));
      expect(error).to.be.instanceOf(LeaseholdError);
      expect(error).to.include({ code: "checkpoint-invalid", retryable: false });
      expect((error as Error).message).to.match(/shard-1 of orders .* from 17: not of this shard/);
    });
  });

  describe("an expired iterator", () => {
    const expired = failure("ExpiredIteratorException");

    it("is renewed after the last record, without being a failure", async () => {
      fake.readScript = [{ Records: [record(5)] }, expired, { Records: [record(6)] }, {}];
      const reader = fake.open();
      await fake.next(reader);
      expect(numbers(await fake.next(reader))).to.deep.equal(["6"]);
      expect(fake.iterators[1]).to.deep.equal({
        ShardId: "shard-1",
        ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber: "5",
      });
      expect(fake.errors).to.deep.equal([]);
    });

    it("is renewed after the checkpoint where nothing was read", async () => {
      await fake.first([expired, { Records: [record(6)] }, {}], {}, "3");
      expect(fake.iterators.map((at) => at.StartingSequenceNumber)).to.deep.equal(["3", "3"]);
    });

    it("at LATEST goes on from when the first was made: what came since is not skipped", async () => {
      const madeAtMs = fake.clock.now().wallMs;
      const fetch = await fake.first([{}, {}, expired, { Records: [record(6)] }, {}], {}, "LATEST");
      expect(numbers(fetch)).to.deep.equal(["6"]);
      expect(fake.iterators.map((at) => at.ShardIteratorType)).to.deep.equal(["LATEST", "AT_TIMESTAMP"]);
      // This client says nothing of the service's own time, so our clock might be ahead of it by its tolerance.
      expect(fake.iterators[1]?.Timestamp?.getTime()).to.equal(madeAtMs - 300_000);
    });

    it("at LATEST goes on from there when the same tenure opens the shard again: a failed reader skips nothing", async () => {
      const madeAtMs = fake.clock.now().wallMs;
      fake.readScript = [{}, failure("AccessDeniedException"), { Records: [record(6)] }, {}];
      const source = fake.source();
      const tenure = {};
      const first = fake.openIn(source, tenure, "LATEST");
      expect(await fake.refusal(first)).to.include({ code: "source-denied" });
      first.close();
      await fake.time.advance(60_000);
      const second = fake.openIn(source, tenure, "LATEST");
      expect(numbers(await fake.next(second))).to.deep.equal(["6"]);
      second.close();
      expect(fake.iterators.map((at) => at.ShardIteratorType)).to.deep.equal(["LATEST", "AT_TIMESTAMP"]);
      expect(fake.iterators[1]?.Timestamp?.getTime()).to.equal(madeAtMs - 300_000);
      const other = fake.openIn(source, {}, "LATEST");
      fake.start(other);
      await fake.time.settle();
      other.close();
      expect(fake.iterators[2]?.ShardIteratorType, "another tenure").to.equal("LATEST");
    });

    it("again and again is a failure, with a growing back-off", async () => {
      fake.readScript = [expired];
      await fake.readFor(60_000);
      expect(fake.reads.length).to.be.within(8, 30);
      expect(fake.errors.length).to.be.greaterThan(5);
    });
  });

  describe("reads", () => {
    it("five times a second at most, however much there is", async () => {
      fake.readScript = [{ Records: [record(1)], MillisBehindLatest: 60_000 }];
      const reader = fake.open();
      for (let i = 0; i < 20; i++) await fake.next(reader);
      reader.close();
      expect(fake.gaps.slice(0, 19)).to.deep.equal(Array.from({ length: 19 }, () => 200));
    });

    it("on without idling after an empty answer that is behind", async () => {
      await fake.first([
        { MillisBehindLatest: 900 },
        { MillisBehindLatest: 500 },
        { Records: [record(1)] },
        {},
      ]);
      expect(fake.gaps.slice(0, 2)).to.deep.equal([200, 200]);
    });

    it("at the idle interval, scattered, when it has caught up", async () => {
      await fake.readFor(60_000, { idlePollIntervalMs: 1_000 });
      expect(Math.min(...fake.gaps)).to.be.at.least(900);
      expect(Math.max(...fake.gaps)).to.be.at.most(1_001);
      expect(new Set(fake.gaps).size).to.be.greaterThan(10);
    });

    it("is at rest between two reads, not silent: a long idle interval moves no lease", async () => {
      fake.readScript = [{}];
      const reader = fake.open({ idlePollIntervalMs: 600_000 });
      fake.start(reader);
      await fake.time.advance(5_000);
      const before = fake.heldUps;
      await fake.time.advance(300_000);
      expect(fake.reads).to.have.length(1);
      expect(fake.heldUps - before).to.be.at.least(300);
      expect(fake.answers, "nor is it an answer, which would make others' silence their own").to.equal(1);
      reader.close();
      await fake.time.settle();
      expect(fake.time.pendingTimers).to.equal(0);
    });

    it("tells no rest for an answer while it backs off after failures", async () => {
      fake.readScript = [{}, failure("InternalFailureException")];
      const reader = fake.open();
      fake.start(reader);
      await fake.time.advance(60_000);
      expect(fake.answers).to.equal(1);
      expect(fake.heldUps).to.equal(0);
      reader.close();
    });

    it("never faster than the limit, at the shortest idle interval", async () => {
      await fake.readFor(10_000, { idlePollIntervalMs: 200 });
      expect(Math.min(...fake.gaps)).to.be.at.least(200);
    });

    it("no further ahead than the records it may hold, and on when some were taken", async () => {
      fake.readScript = [{ Records: Array.from({ length: 10 }, (_, i) => record(i)), MillisBehindLatest: 1 }];
      const reader = fake.open({ maxRecords: 10, prefetchRecords: 35 });
      await fake.next(reader);
      await fake.time.advance(10_000);
      expect(fake.reads, "one taken, three held").to.have.length(4);
      await fake.next(reader);
      await fake.time.advance(10_000);
      expect(fake.reads).to.have.length(5);
      reader.close();
    });

    it("no further ahead than the bytes it may hold", async () => {
      fake.readScript = [{ Records: [record(1, Buffer.alloc(1_000))], MillisBehindLatest: 1 }];
      const reader = fake.open({ prefetchBytes: 2_500 });
      await fake.next(reader);
      await fake.time.advance(10_000);
      expect(fake.reads, "one taken, then 3,000 bytes held").to.have.length(4);
      reader.close();
    });

    it("one batch ahead though it may hold less than a batch", async () => {
      fake.readScript = [{ Records: [record(1), record(2)], MillisBehindLatest: 1 }];
      const reader = fake.open({ prefetchRecords: 1 });
      await fake.next(reader);
      await fake.time.advance(10_000);
      expect(fake.reads).to.have.length(2);
      reader.close();
    });
  });

  describe("a failure that passes", () => {
    it("is told, and tried again with a growing, scattered back-off, by the same iterator", async () => {
      const network = failure("TimeoutError", "socket hang up");
      await fake.first([...Array.from({ length: 8 }, () => network), { Records: [record(1)] }, {}]);
      expect(fake.errors.map(causeOf)).to.deep.equal(Array.from({ length: 8 }, () => network));
      expect(fake.errors[0]).to.include({ code: "source-unavailable", retryable: true });
      expect(fake.answers, "silence is no answer").to.equal(1);
      expect(fake.iterators).to.have.length(1);
      for (const [i, gap] of fake.gaps.slice(0, 8).entries()) {
        const fullMs = Math.min(10_000, 250 * 2 ** i);
        expect(gap).to.be.within(Math.max(200, fullMs / 2), fullMs + 1);
      }
      expect(fake.reads[8]?.at, "scattered").to.be.lessThan(0.95 * 35_750);
    });

    it("starts its back-off anew after an answer", async () => {
      const fault = failure("InternalFailureException");
      await fake.first([fault, fault, fault, fault, {}, fault, { Records: [record(1)] }, {}]);
      expect(fake.gaps[5]).to.be.at.most(251);
    });

    it("by throttling is an answer, and is given more time", async () => {
      const throttled = failure("ProvisionedThroughputExceededException");
      await fake.first([throttled, throttled, { Records: [record(1)] }, {}]);
      expect(fake.errors.map(causeOf)).to.deep.equal([throttled, throttled]);
      expect(fake.errors[0]).to.include({ code: "source-throttled", retryable: true });
      expect(fake.answers).to.equal(3);
      expect(fake.gaps[0]).to.be.within(500, 1_001);
      expect(fake.gaps[1]).to.be.within(1_000, 2_001);
    });

    it("is a call without an answer for 30 s", async () => {
      await fake.first(["never", { Records: [record(1)] }, {}]);
      expect(fake.reads[1]?.at).to.be.within(30_000, 30_300);
      expect((fake.errors[0] as Error).message).to.match(/did not answer within 30000 ms/);
    });

    it("is an iterator that Kinesis does not know: the place is", async () => {
      fake.readScript = [
        { Records: [record(5)] },
        failure("InvalidArgumentException"),
        { Records: [record(6)] },
        {},
      ];
      const reader = fake.open();
      await fake.next(reader);
      expect(numbers(await fake.next(reader))).to.deep.equal(["6"]);
      expect(fake.iterators[1]?.StartingSequenceNumber).to.equal("5");
    });
  });

  describe("there is no point in going on", () => {
    it("when access is denied, after what was read before", async () => {
      fake.readScript = [{ Records: [record(1)] }, failure("AccessDeniedException", "not authorized")];
      const reader = fake.open();
      await fake.next(reader);
      await fake.time.advance(1_000);
      const error = await fake.refusal(reader);
      expect(error).to.include({ code: "source-denied" });
      expect((error as Error).message).to.match(/kinesis:GetRecords/);
      expect(await fake.refusal(reader), "for ever").to.equal(error);
    });

    it("when the stream is gone", async () => {
      fake.iteratorScript = [failure("ResourceNotFoundException", "Stream orders not found")];
      fake.listScript = [failure("ResourceNotFoundException", "Stream orders not found")];
      expect(await fake.refusal(fake.open())).to.include({ code: "source-missing" });
    });

    it("at an aggregated record, after those before it", async () => {
      fake.readScript = [{ Records: [record(1), record(2, aggregate()), record(3)] }];
      const reader = fake.open();
      expect(numbers(await fake.next(reader))).to.deep.equal(["1"]);
      const error = await fake.refusal(reader);
      expect(error).to.include({ code: "aggregated-record" });
      expect((error as Error).message).to.match(/record 2 of shard shard-1.*"raw"/);
      expect(fake.reads).to.have.length(1);
    });

    it("but an aggregate passes as it is when asked for, and what only looks like one always", async () => {
      const raw = await fake.first([{ Records: [record(1, aggregate())] }], { aggregated: "raw" });
      expect(numbers(raw)).to.deep.equal(["1"]);
      const torn = Buffer.from(aggregate());
      torn[10] = 0;
      const short = Buffer.from([0xf3, 0x89, 0x9a, 0xc2, 1, 2, 3]);
      const Records = [record(1, torn), record(2, short), record(3, Buffer.alloc(0))];
      expect(numbers(await fake.first([{ Records }]))).to.deep.equal(["1", "2", "3"]);
    });
  });
});

function causeOf(error: unknown): unknown {
  return (error as Error).cause;
}
