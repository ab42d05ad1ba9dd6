import { expect } from "chai";
import fc from "fast-check";
import { PrefetchBudget, type Lot } from "../../../src/source/kinesis/prefetch-budget.js";
import type { PartitionReader, PartitionSource, SourceFetch } from "../../../src/source/partition-source.js";
import { failure, FakeKinesis, record } from "./fake-kinesis.js";

/** What a record of 700 bytes counts. */
const oneRecord = 1_000;

describe("the bytes read ahead by all shards of a worker", () => {
  let fake: FakeKinesis;
  let open: PartitionReader[];
  beforeEach(() => {
    fake = new FakeKinesis();
    fake.readScript = [{ Records: [record(1, Buffer.alloc(700))], MillisBehindLatest: 1 }];
    open = [];
  });
  afterEach(() => {
    for (const reader of open) reader.close();
  });

  /** A shard whose processor has asked for its first batch. */
  function ask(source: PartitionSource): { reader: PartitionReader; fetched: Promise<SourceFetch> } {
    const reader = fake.openIn(source, {}, "TRIM_HORIZON");
    open.push(reader);
    const fetched = reader.next(new AbortController().signal);
    fetched.catch(() => {});
    return { reader, fetched };
  }

  /** Begins its batch and asks for the next. */
  function workOn(reader: PartitionReader): void {
    reader.begun?.();
    reader.next(new AbortController().signal).catch(() => {});
  }

  it("are bounded, whatever the number of shards", async () => {
    const source = fake.source({ prefetchTotalBytes: 4 * oneRecord });
    for (let i = 0; i < 100; i++) ask(source);
    await fake.time.advance(60_000);
    expect(fake.reads, "four held, none begun").to.have.length(4);
  });

  it("count until a batch is begun: one that waits for a free slot is held as well", async () => {
    const source = fake.source({ prefetchTotalBytes: 2 * oneRecord, prefetchRecords: 1 });
    const [first] = [ask(source), ask(source), ask(source)];
    await fake.time.advance(60_000);
    expect(fake.reads).to.have.length(2);
    first.reader.begun?.();
    await fake.time.advance(60_000);
    expect(fake.reads).to.have.length(3);
  });

  it("let a batch through that is larger than all of them", async () => {
    const source = fake.source({ prefetchTotalBytes: 1 });
    const { reader, fetched } = ask(source);
    await fake.time.runUntilSettled(fetched);
    expect(fake.reads).to.have.length(1);
    workOn(reader);
    await fake.time.advance(1_000);
    expect(fake.reads, "and the next after it").to.have.length(2);
  });

  it("starve no shard for ever: what others hold and never work takes half of them at most", async () => {
    const source = fake.source({ prefetchTotalBytes: 8 * oneRecord, prefetchRecords: 1_000 });
    // Their processors hang in the first batch, or back off after it, while their readers go on.
    const hanging = Array.from({ length: 5 }, () => ask(source));
    await fake.time.advance(10_000);
    for (const { reader } of hanging) reader.begun?.();
    await fake.time.advance(60_000);
    expect(fake.reads, "five in hand, four read ahead").to.have.length(5 + 4);

    const healthy = Array.from({ length: 10 }, () => ask(source));
    const batches = healthy.map(() => 0);
    healthy.forEach(({ reader, fetched }, i) => {
      const work = async (next: Promise<SourceFetch>): Promise<void> => {
        for (;;) {
          await next;
          batches[i] = (batches[i] ?? 0) + 1;
          reader.begun?.();
          next = reader.next(new AbortController().signal);
        }
      };
      work(fetched).catch(() => {});
    });
    await fake.time.advance(10_000);
    expect(Math.min(...batches), "each at five a second, Kinesis's own limit").to.be.at.least(45);
  });

  it("starve none even where one batch that is never begun fills them: then shards read one at a time", async () => {
    const source = fake.source({ prefetchTotalBytes: oneRecord / 2 });
    const hanging = ask(source);
    await fake.time.advance(1_000);
    hanging.reader.begun?.();
    await fake.time.advance(60_000);
    expect(fake.reads, "one in hand, one ahead").to.have.length(2);
    const others = [ask(source), ask(source), ask(source)];
    for (const { reader, fetched } of others) {
      await fake.time.runUntilSettled(fetched);
      expect(fake.reads).to.have.length(3 + others.findIndex((other) => other.reader === reader));
      workOn(reader);
    }
  });

  it("hold a shard up in silence of nobody's making: no lease is given up for it", async () => {
    const source = fake.source({ prefetchTotalBytes: oneRecord });
    ask(source);
    await fake.time.advance(1_000);
    ask(source);
    const { answers, heldUps } = fake;
    await fake.time.advance(10_000);
    expect(fake.reads, "it waits").to.have.length(1);
    expect(fake.heldUps - heldUps).to.be.at.least(10);
    expect(fake.answers, "the stream was not asked").to.equal(answers);
  });

  it("hold a shard up, and Kinesis's limit of five reads a second holds after that", async () => {
    const source = fake.source({ prefetchTotalBytes: oneRecord });
    const { reader: first } = ask(source);
    await fake.time.advance(1_000);
    const { reader, fetched } = ask(source);
    await fake.time.advance(5_000);
    first.close();
    await fake.time.runUntilSettled(fetched);
    workOn(reader);
    await fake.time.advance(1_000);
    expect(fake.gaps).to.have.length(2);
    expect(fake.gaps[0], "it waited").to.be.at.least(5_000);
    expect(fake.gaps[1]).to.equal(200);
  });

  it("but a wait after failures is silence", async () => {
    const source = fake.source({ prefetchTotalBytes: 2 * oneRecord, prefetchRecords: 1 });
    const { reader: first } = ask(source);
    await fake.time.advance(1_000);
    fake.readScript = [failure("TimeoutError"), { Records: [record(1, Buffer.alloc(9_000))] }];
    ask(source);
    await fake.time.settle();
    ask(source);
    await fake.time.advance(100);
    const before = fake.heldUps;
    await fake.time.advance(10_000);
    expect(fake.reads, "the failed one waits, for the third shard's").to.have.length(3);
    expect(fake.heldUps).to.equal(before);
    first.close();
  });

  describe("are let go by a closed reader", () => {
    const limit = 4;
    /** How many new shards can read: as many as the bound allows where nothing else is held. */
    async function roomIn(source: PartitionSource): Promise<number> {
      fake.readScript = [{ Records: [record(1, Buffer.alloc(700))], MillisBehindLatest: 1 }];
      const before = fake.reads.length;
      for (let i = 0; i < limit + 1; i++) ask(source);
      await fake.time.advance(10_000);
      return fake.reads.length - before;
    }

    it("that held one taken batch and one read ahead", async () => {
      const source = fake.source({ prefetchTotalBytes: limit * oneRecord });
      const { reader } = ask(source);
      await fake.time.advance(1_000);
      expect(fake.reads).to.have.length(2);
      reader.close();
      expect(await roomIn(source)).to.equal(limit);
    });

    it("with a read under way", async () => {
      const source = fake.source({ prefetchTotalBytes: limit * oneRecord });
      fake.readScript = ["never"];
      const { reader } = ask(source);
      await fake.time.advance(1_000);
      reader.close();
      expect(await roomIn(source)).to.equal(limit);
    });

    it("that waited for its turn", async () => {
      const source = fake.source({ prefetchTotalBytes: 1 });
      const { reader: holding } = ask(source);
      await fake.time.advance(1_000);
      const { reader: waiting } = ask(source);
      await fake.time.advance(1_000);
      const before = fake.time.pendingTimers;
      waiting.close();
      await fake.time.settle();
      expect(fake.time.pendingTimers, "its timer has gone").to.equal(before - 1);
      holding.close();
      const { fetched } = ask(source);
      await fake.time.runUntilSettled(fetched);
      expect(fake.reads).to.have.length(2);
    });

    it("whose last answer came as it was closed", async () => {
      const source = fake.source({ prefetchTotalBytes: limit * oneRecord });
      const reader = source.open({
        partitionKey: "shard-1",
        checkpoint: source.initialPosition,
        onError: () => {},
        onAnswer: () => {
          reader.close();
        },
        onHeldUp: () => {},
      });
      expect(await fake.refusal(reader)).to.include({ code: "worker-stopped" });
      expect(await roomIn(source)).to.equal(limit);
    });
  });

  describe("are held by a read alone, not by what else a shard asks:", () => {
    /** Another shard's batches in ten seconds: 50 at Kinesis's limit. */
    async function batchesOfAnother(source: PartitionSource): Promise<number> {
      let batches = 0;
      const { reader, fetched } = ask(source);
      const work = async (next: Promise<SourceFetch>): Promise<void> => {
        for (;;) {
          await next;
          batches++;
          reader.begun?.();
          next = reader.next(new AbortController().signal);
        }
      };
      work(fetched).catch(() => {});
      await fake.time.advance(10_000);
      return batches;
    }

    it("a shard whose iterator does not come holds up nobody", async () => {
      const source = fake.source({ prefetchTotalBytes: 1 });
      fake.iteratorScript = ["never", "i0"];
      ask(source);
      await fake.time.settle();
      expect(await batchesOfAnother(source)).to.be.at.least(49);
    });

    it("a shard that seems gone, while the list does not come, holds up nobody", async () => {
      const source = fake.source({ prefetchTotalBytes: 1 });
      fake.readScript = [
        failure("ResourceNotFoundException"),
        { Records: [record(1, Buffer.alloc(700))], MillisBehindLatest: 1 },
      ];
      fake.listScript = ["never"];
      ask(source);
      await fake.time.settle();
      expect(fake.lists).to.have.length(1);
      expect(await batchesOfAnother(source)).to.be.at.least(49);
    });
  });

  it("exceed the bound by two answers, by what late ones bring and by what was not expected, and let no shard wait for nothing (property)", () => {
    const largest = 30;
    const step = fc.record({
      what: fc.constantFrom("ask", "begin to wait", "late", "answer", "release"),
      at: fc.nat(),
      expected: fc.nat({ max: largest }),
      answer: fc.nat({ max: 2 * largest }),
      isAwaited: fc.boolean(),
      isDoubtful: fc.boolean(),
    });
    interface Shard {
      readonly lot: Lot;
      readonly expected: number;
      readonly isDoubtful: boolean;
      readonly need: { isAwaited: boolean };
      isLate: boolean;
      answer: number | undefined;
    }
    const takes = ({ lot, expected, isLate, answer }: Shard): number =>
      lot.isGranted() ? (answer ?? (isLate ? 0 : expected)) : 0;
    const unforeseen = ({ expected, isLate, answer }: Shard): number =>
      answer === undefined ? 0 : isLate ? answer : Math.max(0, answer - expected);
    const sumOf = (shards: readonly Shard[], bytes: (shard: Shard) => number): number =>
      shards.reduce((sum, shard) => sum + bytes(shard), 0);

    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const budget = new PrefetchBudget(limit);
        let shards: Shard[] = [];
        for (const { what, at, expected, answer, isAwaited, isDoubtful } of steps) {
          const shard = shards[at % Math.max(1, shards.length)];
          const isUnderWay = shard?.lot.isGranted() === true && shard.answer === undefined;
          if (what === "ask") {
            const need = { isAwaited };
            const lot = budget.ask({
              expectedBytes: () => expected,
              isAwaited: () => need.isAwaited,
              isDoubtful,
            });
            const asked = { lot, need, expected, isDoubtful, isLate: false, answer: undefined };
            shards = [...shards, asked];
          } else if (shard !== undefined && what === "begin to wait") {
            shard.need.isAwaited = true;
            budget.look();
          } else if (isUnderWay && what === "late") {
            shard.isLate = true;
            shard.lot.late();
          } else if (isUnderWay && what === "answer") {
            shard.answer = answer;
            shard.lot.arrived(answer);
          } else if (shard !== undefined && what === "release") {
            shards = shards.filter((other) => other !== shard);
            shard.lot.release();
          }
          const held = shards.filter(({ lot }) => lot.isGranted());
          const sum = sumOf(held, takes);
          expect(budget.bytes).to.equal(sum);
          expect(sum).to.be.below(limit + 2 * largest + sumOf(held, unforeseen));
          const doubtful = held.filter((one) => one.isDoubtful && !one.isLate && one.answer === undefined);
          expect(doubtful.length, "doubtful ones, one at a time").to.be.at.most(1);
          const waiting = shards.filter(
            (one) => !one.lot.isGranted() && !(one.isDoubtful && doubtful.length > 0),
          );
          if (waiting.length > 0) expect(sum, "one waits though half is free").to.be.at.least(limit / 2);
          if (waiting.some(({ need }) => need.isAwaited)) {
            expect(sum, "one waits though there is room").to.be.at.least(limit);
            const isOther = held.some(({ need, isLate }) => need.isAwaited && !isLate);
            expect(isOther, "one waits, and nobody else was let through").to.equal(true);
          }
        }
        for (const { lot } of shards) lot.release();
        expect(budget.bytes).to.equal(0);
        const last = budget.ask({ expectedBytes: () => 1, isAwaited: () => false, isDoubtful: true });
        expect(last.isGranted()).to.equal(true);
      }),
      { numRuns: 1_500 },
    );
  });
});
