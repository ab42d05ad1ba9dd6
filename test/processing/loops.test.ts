import { expect } from "chai";
import { messageOf } from "../../src/model/errors.js";
import type { EndReason } from "../../src/model/reasons.js";
import type { Batch } from "../../src/processing/batch.js";
import { PartitionQueue } from "../../src/processing/partition-queue.js";
import type { Partition } from "../../src/processing/partition.js";
import type { EndOfPartition, StopRequest, Work } from "../../src/processing/processor.js";
import type { HeldLease } from "../../src/tenure/tenure.js";
import { codeOf, ended, gate, records, useBench, type Bench, type BenchOptions } from "./workbench.js";

/** One user's work, to be put into callbacks or into a loop. */
interface Body {
  process(batch: Batch, lease: HeldLease): unknown;
  stop?(stop: StopRequest): unknown;
  ended?(end: EndOfPartition): unknown;
  over?(reason: EndReason): void;
}

interface Form {
  readonly name: string;
  make(body: Body): Work;
}

const callbacks: Form = {
  name: "callbacks",
  make: (body) => ({
    process: (batch, lease) => body.process(batch, lease),
    ...(body.stop === undefined ? {} : { stopRequested: (stop) => body.stop?.(stop) }),
    ...(body.ended === undefined ? {} : { partitionEnded: (end) => body.ended?.(end) }),
    leaseLost: (reason) => body.over?.(reason),
  }),
};

/** Takes every partition and works it beside the others; a throw leaves the loop, as in any loop. */
function loop(queue: PartitionQueue, work: (partition: Partition) => Promise<void>): void {
  void (async () => {
    for (;;) {
      const partition = await queue.next();
      if (partition === undefined) return;
      void work(partition).catch(() => undefined);
    }
  })();
}

const steps: Form = {
  name: "a loop",
  make: (body) => {
    const queue = new PartitionQueue();
    loop(queue, async (partition) => {
      for await (const step of partition.steps()) {
        if (step.kind === "batch") await body.process(step.batch, partition);
        else if (step.kind === "stop") await body.stop?.(step);
        else if (body.ended === undefined) await step.checkpointIfDone();
        else await body.ended(step);
      }
      const { endReason } = partition;
      const isLost = !["partition-ended", "handoff", "stop", undefined].includes(endReason);
      if (endReason !== undefined && isLost) body.over?.(endReason);
    });
    return queue.factory;
  },
};

const retry: BenchOptions["options"] = { retry: { firstMs: 1_000, longestMs: 1_000 } };
const texts = (batch: Batch): string => batch.records.map(({ sequenceNumber }) => sequenceNumber).join(",");

for (const form of [callbacks, steps]) {
  describe(`work in ${form.name}`, () => {
    const makeBench = useBench();
    let b: Bench;
    const bench = (body: Body, options?: BenchOptions): Bench => (b = makeBench(form.make(body), options));

    it("gets batches in order, one at a time, and is checkpointed at the end of the last one done", async () => {
      bench({
        process: async (batch) => {
          b.log.push(`begin ${texts(batch)}`);
          await Promise.resolve();
          b.log.push(`end ${texts(batch)}`);
        },
      });
      b.source.script("s1", records(1, 2), records(3), records(4));
      await b.begin();
      expect(b.log).to.deep.equal(["begin 1,2", "end 1,2", "begin 3", "end 3", "begin 4", "end 4"]);
      await b.advance(11_000);
      expect(b.lane.positions).to.deep.equal(["4"]);
    });

    it("checkpoints where it says, and nowhere else in explicit mode", async () => {
      bench(
        { process: async (batch) => texts(batch) === "2" && (await batch.checkpoint()) },
        { options: { checkpointing: "explicit" } },
      );
      b.source.script("s1", records(1), records(2), records(3));
      await b.begin();
      await b.advance(60_000);
      expect(b.lane.positions).to.deep.equal(["2"]);
    });

    it("is handed nothing without time left", async () => {
      let handed = 0;
      bench({ process: () => (handed += 1) }, { protocol: { leaseDurationMs: 10_000 } });
      await b.begin();
      await b.advance(10_000);
      b.source.script("s1", records(1));
      await b.settle();
      expect(handed).to.equal(0);
    });

    it("shares maxConcurrentBatches between partitions", async () => {
      const gate = (): Promise<void> => made.promise;
      let running = 0;
      let most = 0;
      bench(
        {
          process: async () => {
            running += 1;
            most = Math.max(most, running);
            await gate();
            running -= 1;
          },
        },
        { protocol: { maxConcurrentBatches: 2 } },
      );
      const made = b.gate();
      for (const key of ["s1", "s2", "s3"]) b.source.script(key, records(1));
      for (const key of ["s1", "s2", "s3"]) await b.begin(key);
      expect(running).to.equal(2);
      made.open();
      await b.settle();
      expect(most).to.equal(2);
      expect(b.of("batch-finished")).to.have.length(3);
    });

    it("that throws gets the same batch again, after the back-off, counted, and nothing is skipped", async () => {
      const seen: string[] = [];
      bench(
        {
          process: (batch) => {
            seen.push(`${texts(batch)} attempt ${String(batch.attempt)}`);
            if (batch.attempt < 3) throw new Error("poison");
          },
        },
        { options: retry },
      );
      b.source.script("s1", records(1), records(2));
      await b.begin();
      expect(seen).to.deep.equal(["1 attempt 1"]);
      expect(b.status()).to.include({ state: "backing-off", failures: 1 });
      await b.advance(10_000);
      expect(seen.slice(0, 4)).to.deep.equal(["1 attempt 1", "1 attempt 2", "1 attempt 3", "2 attempt 1"]);
    });

    it("that throws after a checkpoint within the batch gets only the rest again", async () => {
      const seen: string[] = [];
      bench(
        {
          process: async (batch) => {
            seen.push(texts(batch));
            if (batch.attempt > 1) return;
            await batch.checkpoint("1");
            throw new Error("poison");
          },
        },
        { options: retry },
      );
      b.source.script("s1", records(1, 2));
      await b.begin();
      await b.advance(2_000);
      expect(seen).to.deep.equal(["1,2", "2"]);
    });

    for (const [decision, what] of [
      ["give-up", "gives the lease back"],
      ["stop", "stands still"],
    ] as const) {
      it(`that throws ${what} where onError says ${decision}`, async () => {
        let handed = 0;
        bench(
          {
            process: () => {
              handed += 1;
              throw new Error("poison");
            },
          },
          { options: { onError: () => decision } },
        );
        b.source.script("s1", records(1));
        await b.begin();
        await b.advance(60_000);
        expect(handed).to.equal(1);
        expect(b.lane.releases.map(({ reason }) => reason)).to.deep.equal(
          decision === "give-up" ? ["failed"] : [],
        );
      });
    }

    it("is drained: what is in hand is finished and checkpointed, the stop is heard, nothing follows", async () => {
      bench({
        process: async (batch) => {
          b.log.push(`begin ${texts(batch)}`);
          await made.promise;
          b.log.push(`end ${texts(batch)}`);
        },
        stop: (stop) => b.log.push(`stop ${stop.reason}`),
      });
      const made = b.gate();
      b.source.script("s1", records(1), records(2));
      await b.begin();
      const drained = b.host.drain("s1", "handoff", 30_000);
      await b.settle();
      expect(b.log).to.deep.equal(["begin 1"]);
      made.open();
      expect(await b.time.runUntilSettled(drained)).to.equal("drained");
      expect(b.log).to.deep.equal(["begin 1", "end 1", "checkpoint 1", "stop handoff"]);
    });

    it("may checkpoint until its answer to the stop is over", async () => {
      bench(
        {
          process: () => undefined,
          stop: async (stop) => {
            await made.promise;
            await stop.checkpoint();
          },
        },
        { options: { checkpointing: "explicit" } },
      );
      const made = b.gate();
      b.source.script("s1", records(1));
      await b.begin();
      const drained = b.host.drain("s1", "stop", 30_000);
      await b.settle();
      expect(b.lane.positions).to.deep.equal([]);
      made.open();
      expect(await b.time.runUntilSettled(drained)).to.equal("drained");
      expect(b.lane.positions).to.deep.equal(["1"]);
    });

    it("starts over from the checkpoint where the move does not come about", async () => {
      const seen: string[] = [];
      bench({ process: (batch) => seen.push(texts(batch)), stop: () => made.promise });
      const made = b.gate();
      b.source.script("s1", records(1));
      await b.begin();
      const drained = b.host.drain("s1", "handoff", 1_000);
      await b.advance(1_500);
      expect(await b.time.runUntilSettled(drained)).to.equal("not-drained");
      made.open();
      b.source.script("s1", records(2));
      await b.advance(1_000);
      expect(seen).to.deep.equal(["1", "2"]);
    });

    it("must checkpoint the partition's end, and hears of it again until it does", async () => {
      let told = 0;
      bench(
        {
          process: () => undefined,
          ended: async (end) => {
            told += 1;
            b.log.push(`ended ${end.children.join(",")}`);
            if (told > 1) await end.checkpoint();
          },
        },
        { options: retry },
      );
      b.source.script("s1", records(1), ended("c1", "c2"));
      const tenure = await b.begin();
      expect(b.status().lastError?.message).to.match(/the end of partition s1 is not checkpointed/);
      await b.advance(2_000);
      expect(b.log).to.deep.equal([
        "children c1,c2",
        "ended c1,c2",
        "ended c1,c2",
        "checkpoint SHARD_END",
        "release partition-ended",
        "finished s1",
      ]);
      expect(tenure.endReason).to.equal("partition-ended");
    });

    it("that says nothing of the end has it checkpointed by itself", async () => {
      bench({ process: () => undefined });
      b.source.script("s1", records(1), ended("c1"));
      const tenure = await b.begin();
      expect(b.lane.positions).to.deep.equal(["SHARD_END"]);
      expect(tenure.endReason).to.equal("partition-ended");
    });

    it("hears once that its lease is lost, by its signal at once, and cannot checkpoint any more", async () => {
      const reasons: string[] = [];
      let late: Promise<string> | undefined;
      let aborted = false;
      bench({
        process: async (batch, { signal }) => {
          await made.promise;
          aborted = signal.aborted;
          late = codeOf(batch.checkpoint());
        },
        over: (reason) => reasons.push(reason),
      });
      const made = b.gate();
      b.source.script("s1", records(1));
      const tenure = await b.begin();
      tenure.end("fenced");
      await b.settle();
      made.open();
      await b.settle();
      expect([reasons, aborted, await late]).to.deep.equal([["fenced"], true, "lease-lost"]);
      expect(b.host.idle()).to.equal(true);
    });

    it("that is stuck loses its lease, and this process leaves that alone until it comes back", async () => {
      bench(
        { process: () => made.promise },
        { protocol: { processingTimeoutMs: 60_000, abortGraceMs: 10_000 } },
      );
      const made = b.gate();
      b.source.script("s1", records(1));
      const tenure = await b.begin();
      await b.advance(59_000);
      expect(tenure.ended).to.equal(false);
      await b.advance(12_000);
      expect(tenure.endReason).to.equal("stuck");
      expect(b.host.unfit()).to.deep.equal(["s1"]);
      made.open();
      await b.settle();
      expect(b.host.unfit()).to.deep.equal([]);
      expect(b.of("stuck-processor-returned")).to.have.length(1);
    });

    it("that says progress() is not stuck", async () => {
      let lease: HeldLease | undefined;
      bench(
        {
          process: (_batch, held) => {
            lease = held;
            return made.promise;
          },
        },
        { protocol: { processingTimeoutMs: 60_000, abortGraceMs: 10_000 } },
      );
      const made = b.gate();
      b.source.script("s1", records(1));
      const tenure = await b.begin();
      for (let minute = 0; minute < 5; minute++) {
        await b.advance(50_000);
        lease?.progress();
      }
      expect(tenure.ended).to.equal(false);
    });
  });
}

describe("a loop over partitions", () => {
  const makeBench = useBench();
  let queue: PartitionQueue;
  const bench = (options?: BenchOptions): Bench => {
    queue = new PartitionQueue();
    return makeBench(queue.factory, options);
  };
  const stuckSoon = { processingTimeoutMs: 60_000, abortGraceMs: 10_000 };

  it("over batches alone ends at a stop, and at the partition's end, which is checkpointed by itself", async () => {
    const b = bench();
    const seen: string[] = [];
    loop(queue, async (partition) => {
      for await (const batch of partition) seen.push(texts(batch));
      seen.push(`${partition.leaseKey} ${partition.endReason ?? ""}`);
    });
    b.source.script("s1", records(1), ended("c1"));
    b.source.script("s2", records(2));
    await b.begin("s1");
    await b.begin("s2");
    await b.time.runUntilSettled(b.host.drain("s2", "stop", 30_000));
    expect(seen).to.deep.equal(["1", "s1 partition-ended", "2", "s2 stop"]);
    expect(b.lane.positions).to.deep.equal(["SHARD_END", "2"]);
  });

  it("ends a waiting loop whatever ends the tenure, callback or not", async () => {
    for (const reason of ["stop", "handoff", "lease-lost", "store-lost"] as const) {
      const b = bench();
      let over: string | undefined = "waiting";
      loop(queue, async (partition) => {
        for await (const _batch of partition);
        over = partition.endReason;
      });
      const tenure = await b.begin();
      expect(over).to.equal("waiting");
      tenure.end(reason);
      await b.settle();
      expect(over).to.equal(reason);
    }
  });

  it("that is left by a break does not do the batch: the partition comes again with it, and its checkpoint", async () => {
    const b = bench({ options: retry });
    const seen: string[] = [];
    loop(queue, async (partition) => {
      for await (const batch of partition) {
        seen.push(`${partition.start.checkpoint.sequenceNumber} ${texts(batch)} ${String(batch.attempt)}`);
        if (seen.length === 1) await batch.checkpoint("1");
        if (seen.length < 3) break;
      }
    });
    b.source.script("s1", records(1, 2), records(3));
    await b.begin();
    await b.advance(5_000);
    expect(seen).to.deep.equal(["TRIM_HORIZON 1,2 1", "1 2 2", "1 2 3", "1 3 1"]);
    expect(b.of("processor-failed")[0]?.error).to.match(/the loop over partition s1 was left/);
  });

  it("that takes no partition is stuck: the lease goes, and stays away until the loop comes back", async () => {
    const b = bench({ protocol: stuckSoon });
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    await b.advance(71_000);
    expect(tenure.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    await b.advance(600_000);
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    void queue.next();
    await b.settle();
    expect(b.host.unfit()).to.deep.equal([]);
  });

  it("that took a partition and does not iterate it is stuck as well, and ends at once when it does", async () => {
    const b = bench({ protocol: stuckSoon });
    b.source.script("s1", records(1));
    const tenure = await b.begin();
    const partition = await queue.next();
    await b.advance(71_000);
    expect(tenure.endReason).to.equal("stuck");
    expect(b.host.unfit()).to.deep.equal(["s1"]);
    expect(await partition?.batches().next()).to.deep.equal({ done: true, value: undefined });
    await b.settle();
    expect(b.host.unfit()).to.deep.equal([]);
  });

  it("is given no partition whose tenure is over, and keeps none", async () => {
    const b = bench();
    (await b.begin("s1")).end("lease-lost");
    await b.settle();
    await b.begin("s2");
    expect((await queue.next())?.leaseKey).to.equal("s2");
  });

  it("holds up no stop with partitions that it has not taken", async () => {
    const b = bench();
    b.source.script("s1", records(1));
    await b.begin();
    queue.close();
    await b.settle();
    expect(await b.time.runUntilSettled(b.host.drain("s1", "stop", 30_000), 100)).to.equal("drained");
    expect(b.lane.positions).to.deep.equal([]);
  });

  it("refuses a second loop over a partition, and a second question at once", async () => {
    const b = bench();
    await b.begin();
    const partition = await queue.next();
    const batches = partition!.batches();
    expect(() => partition!.steps()).to.throw(/iterated already/);
    const first = batches.next();
    expect(await codeOf(batches.next())).to.equal("worker-stopped");
    await batches.return?.();
    expect(await first).to.deep.equal({ done: true, value: undefined });
  });
});

describe("the loop over a worker's partitions", () => {
  /** A worker in the test's hands: what was asked of it, and its end. */
  function looped(startError?: Error) {
    const queue = new PartitionQueue();
    const calls: string[] = [];
    const calledOff = new AbortController();
    const end = gate();
    const partitions = queue.iterate(
      {
        start: async () => {
          calls.push("start");
          if (startError !== undefined) throw startError;
        },
        stop: async () => {
          calls.push("stop");
          calledOff.abort();
          queue.close();
          end.open();
          await end.promise;
        },
      },
      calledOff.signal,
    );
    void queue.follow(end.promise);
    return { queue, calls, calledOff, end, partitions };
  }
  const makeBench = useBench();

  it("starts the worker when it is first asked, and stops it when it is left", async () => {
    for (const leave of ["break", "throw"] as const) {
      const { queue, calls, partitions } = looped();
      const b = makeBench(queue.factory);
      await b.begin("s1");
      expect(calls).to.deep.equal([]);
      const left = (async () => {
        for await (const partition of partitions) {
          expect(partition.leaseKey).to.equal("s1");
          if (leave === "break") break;
          throw new Error("mine");
        }
      })().then(() => "over", messageOf);
      expect(await left).to.equal(leave === "break" ? "over" : "mine");
      expect(calls).to.deep.equal(["start", "stop"]);
    }
  });

  it("ends when the worker has stopped, and with the error that ended it", async () => {
    const stopped = looped();
    const done = stopped.partitions.next();
    stopped.end.open();
    expect(await done).to.deep.equal({ done: true, value: undefined });
    expect(await stopped.partitions.next()).to.deep.equal({ done: true, value: undefined });

    const failed = looped();
    const next = failed.partitions.next().catch(messageOf);
    failed.end.fail(new Error("the table is gone"));
    expect(await next).to.equal("the table is gone");
  });

  it("throws what a start failed of, unless a stop had called it off", async () => {
    const error = new Error("no stream");
    expect(
      await looped(error)
        .partitions.next()
        .catch((thrown: unknown) => thrown),
    ).to.equal(error);
    const off = looped(error);
    off.calledOff.abort();
    expect(await off.partitions.next()).to.deep.equal({ done: true, value: undefined });
  });
});
