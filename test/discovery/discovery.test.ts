import { expect } from "chai";
import { Discovery } from "../../src/discovery/discovery.js";
import { resolveProtocol, retentionMs } from "../../src/model/config.js";
import { LeaseholdError, StoreError } from "../../src/model/errors.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { Lease } from "../../src/model/lease.js";
import { position, type Position } from "../../src/model/position.js";
import type { PartitionSource, SourcePartition } from "../../src/source/partition-source.js";
import { createMemoryStore } from "../../src/store/memory/index.js";
import { MemoryTables } from "../../src/store/memory/memory-tables.js";
import type { Store } from "../../src/store/store.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";

const whole = 2n ** 128n;

function shard(key: string, tenths: [number, number], more: Partial<SourcePartition> = {}): SourcePartition {
  return {
    partitionKey: key,
    parents: [],
    open: true,
    startingHashKey: String((BigInt(tenths[0]) * whole) / 10n),
    endingHashKey: String((BigInt(tenths[1]) * whole) / 10n - 1n),
    startingSequenceNumber: "1",
    ...more,
  };
}

/** p was split into l and r. */
const split = [
  shard("p", [0, 10], { open: false }),
  shard("l", [0, 5], { parents: ["p"], startingSequenceNumber: "2" }),
  shard("r", [5, 10], { parents: ["p"], startingSequenceNumber: "2" }),
];

interface Setup {
  readonly partitions: readonly SourcePartition[];
  readonly initialPosition?: Position;
  readonly evolves?: boolean;
}

class Bench {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock();
  readonly tables = new MemoryTables();
  readonly store: Store = createMemoryStore({ application: "app", tables: this.tables });
  readonly events: LeaseholdEvent[] = [];
  partitions: readonly SourcePartition[];
  readonly discovery: Discovery;
  readonly #setup: Setup;

  constructor(setup: Setup, store?: (store: Store) => Pick<Store, "leases" | "ownership" | "history">) {
    this.#setup = setup;
    this.partitions = setup.partitions;
    this.discovery = new Discovery({
      source: this.#source(),
      store: store?.(this.store) ?? this.store,
      clock: this.clock,
      random: seededRandom("discovery"),
      config: resolveProtocol(),
      workerId: () => "me",
      emit: (event) => this.events.push(event),
    });
  }

  static async make(setup: Setup, store?: (store: Store) => Store): Promise<Bench> {
    const bench = new Bench(setup, store);
    await bench.store.tables.prepare();
    return bench;
  }

  #source(): PartitionSource {
    return {
      kind: "fake",
      name: "fake",
      evolves: this.#setup.evolves ?? true,
      initialPosition: this.#setup.initialPosition ?? position("TRIM_HORIZON"),
      verify: async () => {},
      list: async () => this.partitions,
      open: () => {
        throw new Error("nothing is read here");
      },
      close: () => {},
    };
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.time.runUntilSettled(promise);
  }

  async rows(): Promise<Record<string, string>> {
    const { leases } = await this.store.leases.scan({ consistent: true });
    return Object.fromEntries(
      leases.map((l) => [l.leaseKey, `${l.marked ? "marked " : ""}${l.checkpoint.sequenceNumber}`]),
    );
  }

  async lease(key: string): Promise<Lease> {
    const lease = await this.store.leases.get(key, { consistent: true });
    if (lease === undefined) throw new Error(`no lease ${key}`);
    return lease;
  }

  /** Takes the lease, checkpoints, and gives it back unless told to keep it. */
  async work(key: string, checkpoint: string, keepFor?: string): Promise<void> {
    await this.change(key, { worker: "w" });
    const { epoch, checkpoint: last } = await this.lease(key);
    const outcome = await this.store.checkpoints.write({
      leaseKey: key,
      owner: "w",
      epoch,
      expect: { checkpoint: last, pendingCheckpoint: undefined },
      checkpoint: position(checkpoint),
      writeId: `checkpoint-${key}-${checkpoint}`,
    });
    expect(outcome.ok).to.equal(true);
    await this.change(key, keepFor === undefined ? {} : { worker: keepFor });
  }

  async change(key: string, to: { worker?: string; mark?: true }): Promise<void> {
    const lease = await this.lease(key);
    const outcome = await this.store.ownership.change({
      leaseKey: key,
      expect: { epoch: lease.epoch, owner: lease.owner, marked: lease.marked },
      tenure: {
        epoch: lease.epoch + 1,
        reason: to.mark === true ? "deleted" : "taken",
        since: "2026-01-01T00:00:00.000Z",
        ...(to.worker === undefined ? {} : { worker: to.worker }),
      },
      previousTenure: lease.tenure,
      writeId: `change-${key}-${String(lease.epoch)}`,
      wornOut: false,
      switchesOwner: false,
      ...(to.mark === undefined ? {} : { mark: true }),
    });
    expect(outcome.ok).to.equal(true);
  }

  async cleanUp(isFenced: (worker: string) => boolean = () => false) {
    const { leases } = await this.store.leases.scan({ consistent: true });
    return this.run(this.discovery.cleanUp({ partitions: this.partitions, leases, isFenced }));
  }

  types(): string[] {
    return this.events.map((event) => event.type);
  }
}

const clockEpoch = Math.floor(1_767_225_600_000 / 1_000) * 2 ** 20;

const archived = { leaseKey: "p", reason: "taken", since: "", until: "", endedBy: "released" } as const;

describe("discovery", () => {
  it("creates what lineage asks for, once, and says so", async () => {
    const bench = await Bench.make({ partitions: split });
    const { created, leases } = await bench.run(bench.discovery.discover());
    expect(created.map((lease) => lease.leaseKey)).to.deep.equal(["p"]);
    expect(leases).to.deep.equal(created);
    expect(bench.events).to.deep.equal([
      { type: "lease-created", workerId: "me", leaseKey: "p", epoch: clockEpoch, checkpoint: "TRIM_HORIZON" },
    ]);
    expect((await bench.lease("p")).tenure).to.deep.equal({
      epoch: clockEpoch,
      reason: "created",
      since: "2026-01-01T00:00:00.000Z",
    });
    const again = await bench.run(bench.discovery.discover());
    expect(again.created).to.deep.equal([]);
    expect(again.leases.map((lease) => lease.leaseKey)).to.deep.equal(["p"]);
  });

  it("creates at LATEST the open partitions with parents and ranges", async () => {
    const bench = await Bench.make({ partitions: split, initialPosition: position("LATEST") });
    await bench.run(bench.discovery.discover());
    expect(await bench.rows()).to.deep.equal({ l: "LATEST", r: "LATEST" });
    const left = await bench.lease("l");
    expect(left.parents).to.deep.equal(["p"]);
    expect(left.startingHashKey).to.equal("0");
  });

  it("makes the same rows when two workers do it at once", async () => {
    const bench = await Bench.make({ partitions: split });
    const results = await bench.run(Promise.all([bench.discovery.discover(), bench.discovery.discover()]));
    expect(results.flatMap((result) => result.created)).to.have.length(1);
    expect(results[0].leases).to.deep.equal(results[1].leases);
  });

  it("creates a lease deleted by hand above every epoch of its history", async () => {
    const bench = await Bench.make({ partitions: split });
    const highest = clockEpoch + 7;
    await bench.store.history.archive({ ...archived, epoch: highest }, 1);
    await bench.run(bench.discovery.discover());
    expect((await bench.lease("p")).epoch).to.equal(highest + 3);
  });

  for (const taken of [false, true]) {
    it(`creates a lease deleted by hand ${taken ? "after its first take" : "untouched"} above its epochs, also by a clock that is behind`, async () => {
      const bench = await Bench.make({ partitions: split });
      await bench.run(bench.discovery.discover());
      if (taken) await bench.change("p", {});
      const used = await bench.lease("p");
      expect(await bench.store.history.list("p")).to.deep.equal([]);
      bench.tables.deleteLease("p");
      bench.clock.jumpWall(-3_600_000);
      await bench.run(bench.discovery.discover());
      expect((await bench.lease("p")).epoch).to.be.greaterThan(used.epoch);
    });
  }

  /** Something happens before an epoch is set aside. */
  const whenSettingAside = (before: (store: Store, key: string, epoch: number) => Promise<void>) =>
    Bench.make({ partitions: split }, (store) => ({
      ...store,
      history: {
        archive: (...args) => store.history.archive(...args),
        record: (...args) => store.history.record(...args),
        actions: (...args) => store.history.actions(...args),
        list: (...args) => store.history.list(...args),
        page: (...args) => store.history.page(...args),
        highestEpoch: (...args) => store.history.highestEpoch(...args),
        setAside: async (key, epoch, ...more) => {
          await before(store, key, epoch);
          return store.history.setAside(key, epoch, ...more);
        },
      },
    }));

  for (const { when, made } of [
    { when: "came, went through hands and was deleted by hand", made: 10 },
    { when: "was there before, went through hands and was deleted by hand", made: 0 },
  ]) {
    it(`creates a lease above the epochs of a row that ${when} while its creation stood still`, async () => {
      const highest = clockEpoch + made + 7;
      let isFirst = true;
      const bench = await whenSettingAside(async (store, key, epoch) => {
        if (!isFirst) return;
        isFirst = false;
        if (made > 0) await store.history.setAside(key, epoch + made, 1);
        await store.history.archive({ ...archived, epoch: highest }, 1);
      });
      await bench.store.history.setAside("p", clockEpoch, 1);
      await bench.store.history.archive({ ...archived, epoch: clockEpoch }, 1);
      await bench.run(bench.discovery.discover());
      expect((await bench.lease("p")).epoch).to.equal(highest + 3);
    });
  }

  it("creates a lease above the first two epochs of a row made just below while its creation stood still", async () => {
    const bench = await whenSettingAside(async (store, key, epoch) => {
      if (epoch > clockEpoch) await store.history.setAside(key, clockEpoch + 2, 1);
    });
    await bench.store.history.archive({ ...archived, epoch: clockEpoch }, 1);
    await bench.run(bench.discovery.discover());
    expect((await bench.lease("p")).epoch).to.equal(clockEpoch + 4);
  });

  it("looks again before it believes a caller's scan that a row is missing", async () => {
    const bench = await Bench.make({ partitions: split });
    await bench.run(bench.discovery.discover());
    const { created, leases } = await bench.run(bench.discovery.discover([]));
    expect(created).to.deep.equal([]);
    expect(leases.map((lease) => lease.leaseKey)).to.deep.equal(["p"]);
  });

  it("never creates again what is marked at its end while it is listed", async () => {
    const bench = await Bench.make({ partitions: split });
    await bench.run(bench.discovery.discover());
    await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, split.slice(1)));
    await bench.work("p", "SHARD_END");
    await bench.change("p", { mark: true });
    await bench.run(bench.discovery.discover());
    const expected = { p: "marked SHARD_END", l: "TRIM_HORIZON", r: "TRIM_HORIZON" };
    expect(await bench.rows()).to.deep.equal(expected);
    // Nor by a scan that is far behind.
    await bench.run(bench.discovery.discover([]));
    expect(await bench.rows()).to.deep.equal(expected);
  });

  it("creates again, over the mark and under a new epoch, what should exist", async () => {
    const bench = await Bench.make({ partitions: split });
    await bench.run(bench.discovery.discover());
    await bench.work("p", "12");
    await bench.change("p", { mark: true });
    const { epoch } = await bench.lease("p");
    const { created } = await bench.run(bench.discovery.discover());
    expect(created.map((lease) => [lease.leaseKey, lease.epoch])).to.deep.equal([["p", epoch + 1]]);
    expect(await bench.rows()).to.deep.equal({ p: "TRIM_HORIZON" });
    expect((await bench.lease("p")).tenure?.reason).to.equal("recreated");
    expect((await bench.store.history.list("p")).map((entry) => entry.epoch)).to.deep.equal([epoch - 1]);
  });

  it("knows its own creation by its write id when the answer was lost", async () => {
    let lost = 0;
    const bench = await Bench.make({ partitions: split }, (store) => ({
      ...store,
      leases: store.leases,
      history: store.history,
      ownership: {
        create: async (...args) => {
          const outcome = await store.ownership.create(...args);
          if (lost++ > 0) return outcome;
          throw new StoreError("store-timeout", "lost", { retryable: true, ambiguous: true });
        },
        change: (change, call) => store.ownership.change(change, call),
        remove: (key, epoch, call) => store.ownership.remove(key, epoch, call),
      },
    }));
    const { created } = await bench.run(bench.discovery.discover());
    expect(lost).to.equal(2);
    expect(created.map((lease) => lease.leaseKey)).to.deep.equal(["p"]);
    expect(bench.types()).to.deep.equal(["lease-created"]);
  });

  it("tells a failure and passes it on", async () => {
    const bench = await Bench.make({ partitions: split.slice(0, 2) });
    const error = await bench.run(bench.discovery.discover()).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(LeaseholdError);
    expect((error as LeaseholdError).retryable).to.equal(true);
    expect(bench.types()).to.deep.equal(["discovery-failed"]);
    expect(await bench.rows()).to.deep.equal({});
  });

  it("takes a row that it cannot read for standing: its children are not begun at LATEST before it", async () => {
    for (const invalid of [["p"], ["p", "stranger"]]) {
      const bench = await Bench.make({ partitions: split, initialPosition: position("LATEST") }, (store) => ({
        ...store,
        ownership: store.ownership,
        history: store.history,
        leases: {
          ...store.leases,
          scan: async () => ({
            leases: [],
            invalid: invalid.map((leaseKey) => ({ leaseKey, problem: "no checkpoint" })),
            kclRows: [],
          }),
        },
      }));
      expect((await bench.run(bench.discovery.discover())).created).to.deep.equal([]);
    }
  });

  it("leaves alone a row that it cannot read", async () => {
    const bench = await Bench.make({ partitions: split }, (store) => ({
      ...store,
      ownership: store.ownership,
      history: store.history,
      leases: {
        scan: async () => ({
          leases: [],
          invalid: [{ leaseKey: "p", problem: "no checkpoint" }],
          kclRows: [],
        }),
        get: async () => {
          throw new StoreError("invalid-row", "no checkpoint", { retryable: false, ambiguous: false });
        },
        keysOf: async () => [],
      },
    }));
    expect((await bench.run(bench.discovery.discover())).created).to.deep.equal([]);
    expect((await bench.run(bench.discovery.discover([]))).created).to.deep.equal([]);
  });
});

describe("children of a partition", () => {
  it("are created at TRIM_HORIZON, at any initial position, and only once", async () => {
    const bench = await Bench.make({ partitions: split, initialPosition: position("LATEST") });
    const children = split.slice(1);
    const rows = await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, children));
    expect(rows.map((row) => [row.leaseKey, row.parents, row.checkpoint.sequenceNumber])).to.deep.equal([
      ["l", ["p"], "TRIM_HORIZON"],
      ["r", ["p"], "TRIM_HORIZON"],
    ]);
    await bench.work("l", "77");
    const again = await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, children));
    expect(again.map((row) => row.checkpoint.sequenceNumber)).to.deep.equal(["77", "TRIM_HORIZON"]);
    expect(bench.types()).to.deep.equal(["lease-created", "lease-created"]);
  });

  it("wait for the partition that told of them where they were told without parents", async () => {
    const bench = await Bench.make({ partitions: split });
    const told = split.slice(1).map((child) => ({ ...child, parents: [] }));
    const rows = await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, told));
    expect(rows.map((row) => row.parents)).to.deep.equal([["p"], ["p"]]);
  });

  it("wait, where they are a merge's, for the row of its other side (bug: a child began before a parent without a row)", async () => {
    // a was split into y and z while b was worked to its end; z and b are merged. Nobody has ended a yet.
    const merged = shard("m", [3, 10], { parents: ["z", "b"], startingSequenceNumber: "3" });
    const bench = await Bench.make({
      partitions: [
        shard("a", [0, 5], { open: false }),
        shard("b", [5, 10], { open: false }),
        shard("y", [0, 3], { parents: ["a"], startingSequenceNumber: "2" }),
        shard("z", [3, 5], { parents: ["a"], open: false, startingSequenceNumber: "2" }),
        merged,
      ],
    });
    await bench.run(bench.discovery.discover());
    expect(await bench.run(bench.discovery.createChildren({ leaseKey: "b" }, [merged]))).to.deep.equal([]);
    await bench.work("b", "SHARD_END");
    await bench.run(bench.discovery.discover());
    expect(Object.keys(await bench.rows()).sort()).to.deep.equal(["a", "b"]);
    await bench.run(bench.discovery.createChildren({ leaseKey: "a" }, bench.partitions.slice(2, 4)));
    await bench.work("a", "SHARD_END");
    // Whoever ends the other side makes it; where that one could not see it, discovery does.
    const rows = await bench.run(bench.discovery.createChildren({ leaseKey: "z" }, [merged]));
    expect(rows.map((row) => [row.leaseKey, row.parents])).to.deep.equal([["m", ["b", "z"]]]);
  });

  it("of a merge whose other side has left the source without a row are made by discovery", async () => {
    const merged = shard("m", [0, 10], { parents: ["z", "b"], startingSequenceNumber: "3" });
    const bench = await Bench.make({ partitions: [shard("b", [5, 10], { open: false }), merged] });
    await bench.run(bench.discovery.createChildren({ leaseKey: "x" }, bench.partitions.slice(0, 1)));
    expect(await bench.run(bench.discovery.createChildren({ leaseKey: "b" }, [merged]))).to.deep.equal([]);
    await bench.work("b", "SHARD_END");
    await bench.run(bench.discovery.discover());
    expect((await bench.rows())["m"]).to.equal("TRIM_HORIZON");
  });

  it("are not believed to be created when the store does not say so", async () => {
    const bench = await Bench.make({ partitions: split }, (store) => ({
      ...store,
      leases: store.leases,
      history: store.history,
      ownership: {
        create: async () => {
          throw new StoreError("store-timeout", "no answer", { retryable: true, ambiguous: true });
        },
        change: (change, call) => store.ownership.change(change, call),
        remove: (key, epoch, call) => store.ownership.remove(key, epoch, call),
      },
    }));
    const creation = bench.discovery.createChildren({ leaseKey: "p" }, split.slice(1));
    const error = await bench.run(creation.catch((thrown: unknown) => thrown));
    expect(error).to.be.instanceOf(StoreError);
  });
});

describe("clean-up", () => {
  async function finishedParent(evolves = true): Promise<Bench> {
    const bench = await Bench.make({ partitions: split, evolves });
    await bench.run(bench.discovery.discover());
    await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, split.slice(1)));
    await bench.work("p", "SHARD_END");
    return bench;
  }

  it("marks a finished parent when both children have begun, archiving its previous tenure", async () => {
    const bench = await finishedParent();
    await bench.work("l", "5");
    expect((await bench.cleanUp()).marked).to.deep.equal([]);
    await bench.work("r", "5");
    const { epoch } = await bench.lease("p");
    expect((await bench.cleanUp()).marked).to.deep.equal(["p"]);
    const row = await bench.lease("p");
    expect([row.marked, row.epoch, row.tenure?.reason]).to.deep.equal([true, epoch + 1, "deleted"]);
    expect((await bench.store.history.list("p")).map((entry) => entry.epoch)).to.deep.equal([epoch - 1]);
    expect(bench.types()).to.include("lease-marked");
  });

  it("leaves a mark that a late copy of the lease's creation is refused on: it would use its epochs again", async () => {
    let late: (() => ReturnType<Store["ownership"]["create"]>) | undefined;
    const bench = await Bench.make({ partitions: split }, (store) => ({
      ...store,
      leases: store.leases,
      history: store.history,
      ownership: {
        create: (lease, ...rest) => {
          if (lease.leaseKey === "p") late = () => store.ownership.create(lease, ...rest);
          return store.ownership.create(lease, ...rest);
        },
        change: (change, call) => store.ownership.change(change, call),
        remove: (key, epoch, call) => store.ownership.remove(key, epoch, call),
      },
    }));
    await bench.run(bench.discovery.discover());
    await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, split.slice(1)));
    for (const [key, checkpoint] of [
      ["p", "SHARD_END"],
      ["l", "5"],
      ["r", "5"],
    ] as const)
      await bench.work(key, checkpoint);
    const { epoch } = await bench.lease("p");
    expect((await bench.cleanUp()).marked).to.deep.equal(["p"]);
    expect((await late?.())?.ok).to.equal(false);
    expect((await bench.rows())["p"]).to.equal("marked SHARD_END");
    expect((await bench.lease("p")).epoch).to.equal(epoch + 1);
  });

  it("never marks a lease under a live owner", async () => {
    const bench = await finishedParent();
    await bench.work("l", "5");
    await bench.work("r", "5");
    await bench.change("p", { worker: "w" });
    expect((await bench.cleanUp()).marked).to.deep.equal([]);
    expect((await bench.cleanUp((worker) => worker === "w")).marked).to.deep.equal(["p"]);
    expect((await bench.lease("p")).owner).to.equal(undefined);
  });

  it("reports a partition that vanished unfinished, once, and touches nothing", async () => {
    const bench = await Bench.make({ partitions: split });
    await bench.run(bench.discovery.discover());
    bench.partitions = split.slice(1);
    expect((await bench.cleanUp()).vanished).to.deep.equal(["p"]);
    await bench.cleanUp();
    expect(bench.types().filter((type) => type === "partition-vanished")).to.have.length(1);
    expect(await bench.rows()).to.deep.equal({ p: "TRIM_HORIZON" });
  });

  it("never takes away what a user's list does not name", async () => {
    const bench = await finishedParent(false);
    bench.partitions = split.slice(1);
    expect((await bench.cleanUp()).marked).to.deep.equal([]);
    bench.partitions = [];
    expect((await bench.cleanUp()).vanished).to.deep.equal([]);
  });

  it("removes a mark after 30 days of its own watching, both tenures archived", async () => {
    const bench = await finishedParent();
    await bench.work("l", "5");
    await bench.work("r", "5");
    await bench.cleanUp();
    await bench.cleanUp();
    await bench.time.advance(retentionMs + 1);
    expect((await bench.cleanUp()).removed, "the source still lists it").to.deep.equal([]);
    bench.partitions = split.slice(1);
    expect((await bench.cleanUp()).removed, "first seen now").to.deep.equal([]);
    await bench.time.advance(retentionMs - 1_000);
    expect((await bench.cleanUp()).removed).to.deep.equal([]);
    await bench.time.advance(1_000);
    const { epoch } = await bench.lease("p");
    expect((await bench.cleanUp()).removed).to.deep.equal(["p"]);
    expect(await bench.rows()).to.deep.equal({ l: "5", r: "5" });
    const epochs = (await bench.store.history.list("p")).map((entry) => entry.epoch);
    expect(epochs.slice(-2)).to.deep.equal([epoch - 1, epoch]);
    expect(bench.types()).to.include("lease-removed");
  });

  it("watches for the whole time again when the wall clock went back", async () => {
    const bench = await Bench.make({ partitions: split.slice(1) });
    await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, [shard("old", [0, 5])]));
    await bench.change("old", { mark: true });
    await bench.cleanUp();
    bench.clock.jumpWall(-60_000);
    await bench.cleanUp();
    await bench.time.advance(retentionMs);
    expect((await bench.cleanUp()).removed).to.deep.equal(["old"]);
  });

  it("starts its watch anew when the wall clock went back, or the mark is another", async () => {
    const bench = await Bench.make({ partitions: split.slice(1) });
    await bench.run(bench.discovery.discover());
    await bench.run(bench.discovery.createChildren({ leaseKey: "p" }, [shard("old", [0, 5])]));
    await bench.change("old", { mark: true });
    await bench.cleanUp();
    bench.clock.jumpWall(-1_000);
    await bench.cleanUp();
    await bench.time.advance(retentionMs - 1);
    expect((await bench.cleanUp()).removed).to.deep.equal([]);
    await bench.change("old", { mark: true });
    await bench.time.advance(1);
    expect((await bench.cleanUp()).removed).to.deep.equal([]);
    await bench.time.advance(retentionMs);
    expect((await bench.cleanUp()).removed).to.deep.equal(["old"]);
  });

  it("tells a mark that could not be made, and makes the others", async () => {
    const bench = await Bench.make({ partitions: split.slice(1) }, (store) => ({
      ...store,
      leases: store.leases,
      history: store.history,
      ownership: {
        create: (...args) => store.ownership.create(...args),
        change: (change, call) => {
          if (change.leaseKey === "b")
            throw new StoreError("store-denied", "no", { retryable: false, ambiguous: false });
          return store.ownership.change(change, call);
        },
        remove: (key, epoch, call) => store.ownership.remove(key, epoch, call),
      },
    }));
    const gone = ["a", "b", "c"].map((key) => shard(key, [0, 1]));
    await bench.run(bench.discovery.createChildren({ leaseKey: "x" }, gone));
    const { leases } = await bench.store.leases.scan({ consistent: true });
    const finished = leases.map((lease) => ({ ...lease, checkpoint: position("SHARD_END") }));
    const result = await bench.run(
      bench.discovery.cleanUp({ partitions: bench.partitions, leases: finished, isFenced: () => false }),
    );
    expect(result.marked).to.deep.equal(["a", "c"]);
    expect(bench.types()).to.include("discovery-failed");
  });
});
