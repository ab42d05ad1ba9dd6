import { expect } from "chai";
import { hasCode, StoreError } from "../../src/model/errors.js";
import { throughNetwork } from "../../src/testing/simulated-store.js";
import { bound, breakStore, broken, wrapPorts } from "./fixtures/broken.js";

describe("of what must happen, a simulation misses", function () {
  this.timeout(120_000);

  it("a lease whose owner reads nothing of it", async () => {
    // Its source never answers, long before sourceSilenceMs would give it up.
    const factory = wrapPorts(({ source }) => ({
      source: {
        ...source,
        open: (partition, ...args) => {
          const reader = source.open(partition, ...args);
          if (!partition.partitionKey.endsWith("1")) return reader;
          return { next: () => new Promise(() => {}), close: () => reader.close() };
        },
      },
    }));
    const calm = { faults: [], produceUntilMs: 60_000, runMs: 80_000 } as const;
    expect(await broken({}, calm)).to.equal(undefined);
    expect(await broken({ factory }, calm)).to.equal("held-is-worked");
  });

  it("a worker that is fenced though nothing but an outage for all befell it", async () => {
    // After the outage its beats, and its alone, are lost: it lapses and is fenced, though it runs.
    const outage = { kind: "store-outage", atMs: 30_000, forMs: 8_000, of: "all", how: "silent" } as const;
    let lost = 0;
    const factory = wrapPorts(({ store, label, clock }) => {
      const startMs = clock.now().monoMs;
      return {
        store: {
          ...store,
          membership: {
            ...bound(store.membership),
            beat: (...args) => {
              const isLost = label === "worker-0.1" && clock.now().monoMs - startMs > outage.atMs;
              if (!isLost) return store.membership.beat(...args);
              lost++;
              return Promise.resolve({ ok: false, current: undefined });
            },
          },
        },
      };
    });
    expect(await broken({}, { faults: [outage] })).to.equal(undefined);
    expect(await broken({ factory }, { faults: [outage] })).to.equal("outages-move-nothing");
    expect(lost).to.be.greaterThan(0);
  });

  it("a stop after which nobody takes what was held", async () => {
    let refused = 0;
    const options = breakStore(({ ownership }, rows) => ({
      ownership: {
        create: (...args) => ownership.create(...args),
        remove: (...args) => ownership.remove(...args),
        change: (change, call) => {
          const { reason } = change.tenure;
          const moves = reason === "handoff" || reason.startsWith("taken");
          const { workers } = rows.view().fleet();
          const leaves = workers.some(({ draining, fencedBy }) => draining || fencedBy !== undefined);
          if (!moves || !leaves) return ownership.change(change, call);
          refused++;
          return Promise.resolve({ ok: false, current: undefined });
        },
      },
    }));
    const faults = [{ kind: "stop", worker: 0, atMs: 30_000 }] as const;
    expect(await broken({}, { faults })).to.equal(undefined);
    expect(await broken(options, { faults })).to.equal("stops-leave-no-orphan");
    expect(refused).to.be.greaterThan(0);
  });

  it("a planner that moves leases without need", async () => {
    // By turns half of the workers seem to have twice the load of the others, and so has nobody.
    const factory = wrapPorts(({ store, clock }) => ({
      store: {
        ...store,
        leases: {
          keysOf: (...args) => store.leases.keysOf(...args),
          get: (...args) => store.leases.get(...args),
          scan: async (call) => {
            const scan = await store.leases.scan(call);
            const turn = Math.floor(clock.now().monoMs / 10_000) % 2;
            const leases = scan.leases.map((lease) => {
              const slot = Number(/^worker-(\d+)/.exec(lease.owner ?? "")?.[1] ?? 0);
              return { ...lease, throughputKBps: slot % 2 === turn ? 20 : 10 };
            });
            return { ...scan, leases };
          },
        },
      },
    }));
    // Nothing is held against its rest before it is healed.
    const faults = [{ kind: "wall-jump", worker: 0, atMs: 75_000, byMs: 10 }] as const;
    const long = { faults, produceUntilMs: 60_000, runMs: 80_000, shards: 16 };
    expect(await broken({}, long)).to.equal(undefined);
    expect(await broken({ factory }, long)).to.equal("moves-near-floor");
  });

  const deletion = [
    { kind: "tables-deleted", atMs: 20_000 },
    ...[0, 1, 2].map((worker) => ({ kind: "start", worker, atMs: 40_000 }) as const),
  ] as const;

  it("a worker that takes deleted tables for an outage", async () => {
    const factory = wrapPorts(({ store }) => ({
      store: throughNetwork(store, async (_operation, _access, _call, _args, apply) => {
        try {
          return await apply();
        } catch (error) {
          if (!hasCode(error, "table-missing")) throw error;
          throw new StoreError("store-unavailable", "the store does not answer", {
            retryable: true,
            ambiguous: false,
          });
        }
      }),
    }));
    expect(await broken({}, { faults: deletion })).to.equal(undefined);
    expect(await broken({ factory }, { faults: deletion })).to.equal("deletion-surfaces");
  });

  it("a worker that makes deleted tables again", async () => {
    const factory = wrapPorts(({ store }) => ({
      store: throughNetwork(store, async (_operation, _access, _call, _args, apply) => {
        try {
          return await apply();
        } catch (error) {
          if (hasCode(error, "table-missing")) await store.tables.prepare();
          throw error;
        }
      }),
    }));
    expect(await broken({ factory }, { faults: deletion })).to.equal("deletion-surfaces");
  });

  it("a worker that ends with deleted tables and does not say why", async () => {
    const factory = wrapPorts(({ store }) => ({
      store: throughNetwork(store, async (_operation, _access, _call, _args, apply) => {
        try {
          return await apply();
        } catch (error) {
          throw hasCode(error, "table-missing") ? new Error("something is wrong") : error;
        }
      }),
    }));
    expect(await broken({ factory }, { faults: deletion })).to.equal("deletion-surfaces");
  });

  it("a fenced worker's row that is never collected", async () => {
    const long = {
      conditions: { latencyMs: [1, 8] },
      putEveryMs: 2_000,
      produceUntilMs: 1_100_000,
      runMs: 1_130_000,
    } as const;
    const options = breakStore(({ membership }) => ({
      membership: { ...bound(membership), remove: () => Promise.resolve({ ok: false, current: undefined }) },
    }));
    expect(await broken({}, long)).to.equal(undefined);
    expect(await broken(options, long)).to.equal("deaths-are-collected");
  });
});
