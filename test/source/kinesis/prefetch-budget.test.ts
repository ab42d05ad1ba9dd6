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

  it("come back whole, never exceed the bound by more than two answers, and let no shard wait for nothing (property)", () => {
    const step = fc.record({
      what: fc.constantFrom("ask", "begin to wait", "answer", "release"),
      at: fc.nat(),
      bytes: fc.nat({ max: 30 }),
      isAwaited: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const budget = new PrefetchBudget(limit);
        let shards: { readonly lot: Lot; readonly need: { isAwaited: boolean } }[] = [];
        for (const { what, at, bytes, isAwaited } of steps) {
          const shard = shards[at % Math.max(1, shards.length)];
          if (what === "ask") {
            const need = { isAwaited };
            shards = [...shards, { lot: budget.ask(bytes, () => need.isAwaited), need }];
          } else if (shard !== undefined && what === "begin to wait") {
            shard.need.isAwaited = true;
            budget.look();
          } else if (shard?.lot.isGranted() === true && what === "answer") {
            shard.lot.resize(Math.min(bytes, shard.lot.bytes));
          } else if (shard !== undefined && what === "release") {
            shards = shards.filter((other) => other !== shard);
            shard.lot.release();
          }
          const held = shards.filter(({ lot }) => lot.isGranted());
          const sum = held.reduce((all, { lot }) => all + lot.bytes, 0);
          expect(budget.bytes).to.equal(sum);
          expect(sum).to.be.below(limit + 2 * 30);
          if (shards.some(({ lot, need }) => !lot.isGranted() && need.isAwaited)) {
            expect(sum, "one waits though there is room").to.be.at.least(limit);
            const isOther = held.some(({ need }) => need.isAwaited);
            expect(isOther, "one waits, and nobody else was let through").to.equal(true);
          }
        }
        for (const { lot } of shards) lot.release();
        expect(budget.bytes).to.equal(0);
        expect(budget.ask(1, () => false).isGranted()).to.equal(true);
      }),
    );
  });
});
