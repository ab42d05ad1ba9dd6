import process from "node:process";
import { expect } from "chai";
import { WorkerCore } from "../src/compose.js";
import { resolveProtocol } from "../src/model/config.js";
import { StoreError } from "../src/model/errors.js";
import type { Emit } from "../src/model/events.js";
import type { Processor } from "../src/processing/processor.js";
import { fixedPartitions } from "../src/source/fixed/fixed-partitions.js";
import { createMemoryStore, seededRandom, VirtualTime } from "../src/testing/index.js";
import { throughNetwork } from "../src/testing/simulated-store.js";

/** One process on virtual time with one partition, whose tables can be taken away. */
class Bench {
  readonly time = new VirtualTime();
  readonly core: WorkerCore;
  isTableGone = false;
  /** A call of the store that is never answered. */
  silent: string | undefined;

  constructor(processor: Processor, emit: Emit = () => {}) {
    const clock = this.time.clock();
    const random = seededRandom("compose");
    const memory = createMemoryStore({ application: "app" });
    const store = throughNetwork(memory, async (operation, _access, _call, _args, apply) => {
      if (operation === this.silent) return new Promise(() => undefined);
      if (!this.isTableGone) return apply();
      throw new StoreError("table-missing", "the table is gone", { retryable: false, ambiguous: false });
    });
    this.core = new WorkerCore(
      {
        config: resolveProtocol({ maxConcurrentBatches: 1 }),
        label: "w",
        deployment: undefined,
        processor,
        processing: {},
        emit,
        announce: () => Promise.resolve(),
      },
      {
        store,
        clock,
        random,
        source: fixedPartitions({ partitions: 1 })({ clock, random }),
        machine: { host: "h", pid: 1 },
      },
    );
  }

  async start(): Promise<void> {
    await this.time.runUntilSettled(this.core.start(new AbortController().signal));
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
    await this.time.settle();
  }
}

/** Runs the work, and says what nobody caught meanwhile. */
async function uncaught(work: () => Promise<void>): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const note = (error: unknown): void => {
    found.push(error);
  };
  const kinds = ["unhandledRejection", "uncaughtException"] as const;
  const before = kinds.map((kind) => process.rawListeners(kind));
  for (const kind of kinds) {
    process.removeAllListeners(kind);
    process.on(kind, note);
  }
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    for (const [index, kind] of kinds.entries()) {
      process.removeAllListeners(kind);
      for (const listener of before[index] ?? []) process.on(kind, listener as (error: unknown) => void);
    }
  }
  return found;
}

describe("a worker put together", () => {
  it("that ended by an error does not crash its process when its last slot gets stuck after that", async () => {
    let called = 0;
    let letGo = (): void => {};
    const bench = new Bench({
      process: () => {
        called += 1;
        return new Promise<void>((resolve) => (letGo = resolve));
      },
    });
    await bench.start();
    const ended = bench.core.ended().then(
      () => "stopped",
      (error: unknown) => error,
    );
    await bench.advance(10_000);
    expect(called).to.equal(1);
    const found = await uncaught(async () => {
      bench.isTableGone = true;
      await bench.advance(60_000);
    });
    expect(await bench.time.runUntilSettled(ended)).to.include({ code: "table-missing" });
    expect(found).to.deep.equal([]);
    letGo();
    await bench.advance(1_000);
    expect(bench.time.pendingTimers).to.equal(0);
  });

  for (const [operation, says] of [
    ["tables.prepare", /^prepare the tables: no answer within 10000 ms; .*raise leaseDurationMs/],
    ["membership.join", /^join the fleet: no answer within 2000 ms; .*raise leaseDurationMs/],
    ["leases.scan", /^scan the leases: no answer within 10000 ms; .*raise leaseDurationMs/],
  ] as const) {
    it(`whose start waits for ${operation} in vain fails with the name of that call and what to do`, async () => {
      const bench = new Bench({ process: () => Promise.resolve() });
      bench.silent = operation;
      const error = await bench.start().catch((thrown: unknown) => thrown);
      expect(error).to.have.property("code", "store-timeout");
      expect(error).to.have.property("message").that.matches(says);
    });
  }

  it("ends its tenures whatever a sink of events throws: the signal aborts, and the error is thrown outside", async () => {
    let signal: AbortSignal | undefined;
    let isBroken = false;
    const bench = new Bench(
      {
        process: (_batch, lease) => {
          signal = lease.signal;
          return new Promise<void>((resolve) => {
            lease.signal.addEventListener("abort", () => {
              resolve();
            });
          });
        },
      },
      () => {
        if (isBroken) throw new Error("the sink is broken");
      },
    );
    await bench.start();
    const ended = bench.core.ended().then(
      () => "stopped",
      (error: unknown) => error,
    );
    await bench.advance(10_000);
    expect(signal?.aborted).to.equal(false);
    const found = await uncaught(async () => {
      isBroken = true;
      bench.isTableGone = true;
      await bench.advance(60_000);
    });
    expect(signal?.aborted).to.equal(true);
    expect(await bench.time.runUntilSettled(ended)).to.include({ code: "table-missing" });
    expect(found).to.not.deep.equal([]);
    for (const error of found) expect(error).to.have.property("message", "the sink is broken");
    await bench.advance(1_000);
    expect(bench.time.pendingTimers).to.equal(0);
  });
});
