import { expect } from "chai";
import { hasCode, messageOf } from "../../src/model/errors.js";
import type { LeaseItem } from "../../src/store/lease-item.js";
import { kclItems } from "../support/kcl-rows.js";
import { dealt, World } from "./harness.js";

const WATCH = 45_000;

function put(world: World, items: readonly LeaseItem[]): void {
  for (const item of items) world.rows.putRawLease(item);
}

/** Starts one process. @returns what its start threw, once it has */
function starting(world: World, label: string): { error: unknown; done: boolean } {
  const outcome: { error: unknown; done: boolean } = { error: undefined, done: false };
  const [process] = world.make(label);
  void process?.fleet.start().then(
    () => {
      outcome.done = true;
    },
    (error: unknown) => {
      outcome.error = error;
      outcome.done = true;
    },
  );
  return outcome;
}

/** Starts one process and waits for it, a watch included. */
async function started(world: World, label: string): Promise<void> {
  const start = starting(world, label);
  await world.until(() => start.done, WATCH + 5_000);
  expect(start.error).to.equal(undefined);
}

const took = (world: World): number => world.events("tenure-began")[0]?.atMs ?? NaN;

describe("a start on a table that a live Java KCL fleet works on", () => {
  const replays: readonly (readonly [string, string, string, RegExp])[] = [
    [
      "KCL 3, a worker joined",
      "kcl3-01-initial-1worker",
      "kcl3-02-after-balancing",
      /Leader \(LEADER\), w1 \(WORKER_METRIC_STATS\)/,
    ],
    ["KCL 3, a worker killed", "kcl3-02-after-balancing", "kcl3-03-after-sigkill", /Leader/],
    [
      "KCL 2, a plain table",
      "kcl2-01-balanced",
      "kcl2-03-reshard",
      /shardId-000000000000?\d* \(owned by w\d, leaseCounter \d+\)/,
    ],
  ];
  for (const [title, before, after, named] of replays) {
    it(`is refused as soon as a row changes, and writes no row of its own: ${title}`, async () => {
      const world = new World();
      put(world, kclItems(before));
      const start = starting(world, "a");
      await world.run(20_000);
      expect(start.done).to.equal(false);
      put(world, kclItems(after));
      await world.until(() => start.done, 5_000);
      expect(hasCode(start.error, "kcl-alive")).to.equal(true);
      expect(messageOf(start.error)).to.match(named);
      expect(messageOf(start.error)).to.match(/stop the Java workers first.*or use another application name/);
      expect(world.events("kcl-seen")).to.have.length(1);
      expect(world.rows.view().fleet().workers).to.deep.equal([]);
      expect(world.arrived("ownership.change")).to.deep.equal([]);
      expect(world.rows.view().meta?.kclNote).to.equal(undefined);
    });
  }

  for (const attribute of ["recordVersionNumber", "lut", "leaseCounter"]) {
    it(`is refused where nothing but one ${attribute} changes, at the very end of the watch`, async () => {
      const world = new World();
      const items = kclItems("kcl3-01-initial-1worker");
      put(world, items);
      const start = starting(world, "a");
      await world.run(WATCH - 2_000);
      const moved = items.find((item) => item[attribute] !== undefined);
      const value = attribute === "recordVersionNumber" ? { S: "another" } : { N: "1795499999" };
      put(world, [{ ...moved, leaseKey: moved?.["leaseKey"] ?? { S: "" }, [attribute]: value }]);
      await world.until(() => start.done, 5_000);
      expect(hasCode(start.error, "kcl-alive")).to.equal(true);
    });
  }

  it("is refused where a leader's row turns up beside leases that stand still", async () => {
    const world = new World();
    put(world, kclItems("kcl2-01-balanced"));
    const start = starting(world, "a");
    await world.run(10_000);
    put(world, kclItems("kcl3-00c-leader-row"));
    await world.until(() => start.done, 5_000);
    expect(messageOf(start.error)).to.include("Leader (LEADER)");
  });

  it("is refused to each of two that start at once", async () => {
    const world = new World();
    put(world, kclItems("kcl3-03-after-sigkill"));
    const starts = [starting(world, "a"), starting(world, "b")];
    await world.run(30_000);
    put(world, kclItems("kcl3-05-reshard-18s"));
    await world.until(() => starts.every(({ done }) => done), 5_000);
    for (const { error } of starts) expect(hasCode(error, "kcl-alive")).to.equal(true);
  });
});

describe("a start on a table that a dead Java KCL fleet left", () => {
  it("waits 45 s, says so at once, then works its leases, and leaves its other rows as they are", async () => {
    const world = new World();
    const items = kclItems("kcl3-03-after-sigkill");
    put(world, items);
    const start = starting(world, "a");
    await world.run(100);
    const [said] = world.events("kcl-watched");
    expect(said).to.deep.include({ rows: 11, forMs: WATCH, workerId: "a" });
    expect(said?.which).to.match(/^Leader \(LEADER\), w1 \(WORKER_METRIC_STATS\), .* and 6 more$/);
    await world.run(WATCH - 1_000);
    expect(start.done).to.equal(false);
    await world.until(() => start.done, 2_000);
    expect(start.error).to.equal(undefined);
    expect(world.events("kcl-stood-still")[0]?.atMs).to.be.within(WATCH, WATCH + 200);
    await world.until(() => world.allWorked, 30_000);
    expect(took(world)).to.be.greaterThan(WATCH);
    for (const item of items.filter(({ entityType }) => entityType?.S !== "LEASE")) {
      expect(world.rows.view().rawLease(item["leaseKey"]?.S ?? "")).to.deep.equal(item);
    }
    expect(world.lease("shardId-000000000000").epoch).to.equal(438);
    expect(world.events("kcl-seen")).to.deep.equal([]);
  });

  it("waits no second time: what stood still is noted, in less than a kilobyte", async () => {
    const world = new World();
    put(world, kclItems("kcl3-03-after-sigkill"));
    await started(world, "a");
    const note = world.rows.view().meta?.kclNote ?? "";
    expect(note.split(" ")).to.have.length(11);
    const from = world.time.nowMs;
    await world.start("b");
    expect(world.time.nowMs - from).to.be.lessThan(200);
    // Nor does one that comes when the leases are the fleet's and only the KCL's own rows are left.
    await world.until(() => world.allWorked, 30_000);
    const later = world.time.nowMs;
    await world.start("c");
    expect(world.time.nowMs - later).to.be.lessThan(200);
    expect(world.events("kcl-watched")).to.have.length(1);
  });

  for (const { title, differ, rows } of [
    {
      title: "all that the note does not know",
      differ: (world: World) => void world.direct.membership.note(""),
      rows: 3,
    },
    {
      title: "the one row that differs from the note, and no other",
      differ: (world: World) => {
        put(
          world,
          kclItems("kcl3-02-after-balancing").filter(({ entityType }) => entityType?.S === "LEADER"),
        );
      },
      rows: 1,
    },
  ]) {
    it(`watches ${title}`, async () => {
      const world = new World();
      put(world, kclItems("kcl3-03-after-sigkill"));
      await started(world, "a");
      await world.until(() => world.allWorked, 30_000);
      await world.stop("a");
      differ(world);
      const start = starting(world, "b");
      await world.run(1_000);
      expect(start.done).to.equal(false);
      expect(world.events("kcl-watched", "b").map((event) => event.rows)).to.deep.equal([rows]);
      await world.until(() => start.done, WATCH);
      expect(start.error).to.equal(undefined);
    });
  }

  it("lets two that start at once share its leases, though one takes while the other watches", async () => {
    const world = new World();
    put(world, kclItems("kcl2-01-balanced"));
    const first = starting(world, "a");
    await world.run(20_000);
    const second = starting(world, "b");
    await world.until(() => world.allWorked, 90_000);
    expect([first.error, second.error]).to.deep.equal([undefined, undefined]);
    expect(world.events("tenure-began", "a").length).to.be.greaterThan(0);
    await world.until(() => second.done, 30_000);
    expect(second.error).to.equal(undefined);
    await world.until(() => (world.counts()["b"] ?? 0) === 4, 60_000);
    expect(world.events("kcl-seen")).to.deep.equal([]);
  });

  it("watches for longer where its failover time was longer, or the lease is", async () => {
    const world = new World({ protocol: { kclFailoverMs: 240_000 } });
    expect(world.config.kclWatchMs).to.equal(100_000);
    put(world, kclItems("kcl2-01-balanced"));
    const start = starting(world, "a");
    await world.run(99_000);
    expect(start.done).to.equal(false);
    await world.until(() => start.done, 2_000);
    expect(start.error).to.equal(undefined);
    expect(new World({ protocol: { leaseDurationMs: 60_000 } }).config.kclWatchMs).to.equal(75_000);
  });

  it("counts no row that finished: a KCL leaves its owner in it for ever", async () => {
    const world = new World();
    const [item] = kclItems("kcl2-01-balanced");
    put(world, item === undefined ? [] : [{ ...item, checkpoint: { S: "SHARD_END" } }]);
    const from = world.time.nowMs;
    await world.start("a");
    expect(world.time.nowMs - from).to.be.lessThan(200);
  });

  it("goes on through a store that fails for a while", async () => {
    const world = new World();
    put(world, kclItems("kcl3-03-after-sigkill"));
    const start = starting(world, "a");
    await world.run(20_000);
    const end = world.outage("all");
    await world.run(5_000);
    end();
    await world.until(() => start.done, 30_000);
    expect(start.error).to.equal(undefined);
  });

  it("is called off by a stop at once, and leaves nothing behind", async () => {
    const world = new World();
    put(world, kclItems("kcl3-03-after-sigkill"));
    const start = starting(world, "a");
    await world.run(10_000);
    const from = world.time.nowMs;
    await world.stop("a");
    await world.until(() => start.done, 100);
    expect(world.time.nowMs - from).to.be.lessThan(100);
    expect(hasCode(start.error, "worker-stopped")).to.equal(true);
    expect(world.rows.view().fleet().workers).to.deep.equal([]);
    expect(world.rows.view().meta?.kclNote).to.equal(undefined);
    const calls = world.arrivals.length;
    await world.run(60_000);
    expect(world.arrivals.length).to.equal(calls);
  });
});

describe("a start where no KCL ever was", () => {
  it("waits for nothing and reads nothing beside what it reads anyway: one scan, no read of the fleet before", async () => {
    const world = new World({ source: Object.keys(dealt(6, "x")) });
    await world.start("a", "b");
    await world.until(() => Object.keys(world.owners()).length === 6 && world.allWorked);
    const from = world.time.nowMs;
    await world.start("c");
    const created = world.arrived("membership.create", "c")[0]?.atMs ?? NaN;
    const before = world.arrivals.filter(({ by, atMs }) => by === "c" && atMs >= from && atMs < created);
    expect(before.map(({ operation }) => operation).sort()).to.deep.equal(["leases.scan", "membership.join"]);
    // The scan of its first round is the one made before.
    await world.run(500);
    expect(world.scans({ sinceMs: from }).filter(({ by }) => by === "c")).to.have.length(1);
    expect(created - from).to.be.lessThan(25);
    expect(world.events("kcl-watched")).to.deep.equal([]);
    expect(world.arrived("membership.note")).to.deep.equal([]);
  });

  it("waits for nothing where the fleet's own table was deleted: its leases say that workers of a fleet wrote them", async () => {
    const world = new World();
    const tenure = { epoch: 10, worker: "lost-1", reason: "taken", since: "" } as const;
    world.free("s1", { epoch: 10, owner: "lost-1", tenure });
    await world.start("a");
    expect(world.events("worker-created", "a")[0]?.atMs).to.be.lessThan(100);
    await world.until(() => world.allWorked, 20_000);
  });
});
