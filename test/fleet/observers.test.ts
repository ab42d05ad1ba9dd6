import { expect } from "chai";
import { FleetView } from "../../src/fleet/fleet-view.js";
import { ForcedFences } from "../../src/fleet/forced-fences.js";
import { Observer } from "../../src/fleet/observer.js";
import { Tasks } from "../../src/fleet/tasks.js";
import { resolveProtocol } from "../../src/model/config.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { createMemoryStore } from "../../src/store/memory/index.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { FakeHost } from "./fake-host.js";
import { markOf, observesAll } from "../../src/model/observers.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { dealt, fleet, labelOf, type FleetOptions, type World } from "./harness.js";

const T = 12_500;
const p = 1_000;

const labels = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `w${String(i).padStart(2, "0")}`);

/** A fleet of so many workers, with two leases each, that has come to rest: everybody reads its share. */
async function settled(count: number, options: FleetOptions = {}): Promise<World> {
  const world = await fleet(dealt(2 * count, ...labels(count)), options);
  await world.run(30_000);
  return world;
}

const live = (world: World): readonly WorkerRow[] =>
  world.rows
    .view()
    .fleet()
    .workers.filter((row) => row.fencedBy === undefined);

/** Labels of those whose rows name the worker, unfenced ones. */
function observersOf(world: World, workerId: string): readonly string[] {
  const mark = markOf(workerId);
  const rows = live(world).filter((row) => row.observes?.marks.includes(mark) === true);
  return rows.map((row) => labelOf(row.workerId)).sort();
}

/** Labels of those who read the whole fleet in this time. */
async function wholeReaders(world: World, forMs: number): Promise<readonly string[]> {
  const from = world.time.nowMs;
  await world.run(forMs);
  return [...new Set(world.arrived("membership.readFleet", undefined, from).map(({ by }) => by))].sort();
}

/** Labels of those that observe every row: the planner and the two next in rank. */
function byRank(world: World): readonly string[] {
  const owner = world.rows.view().planner?.owner;
  const rows = world.rows.view().fleet().workers;
  return live(world)
    .filter((row) => observesAll(row.workerId, owner, rows))
    .map((row) => labelOf(row.workerId))
    .sort();
}

/** Some worker that observes its share only and is observed by none but such. */
function ordinary(world: World): string {
  const all = byRank(world);
  const found = [...world.processes.keys()].find(
    (label) => !all.includes(label) && !observersOf(world, world.at(label).id).some((by) => all.includes(by)),
  );
  if (found === undefined) throw new Error("every worker is observed by one that observes all");
  return found;
}

async function fenceOf(
  world: World,
  workerId: string,
): Promise<{ readonly atMs: number; readonly by: string }> {
  await world.until(() => world.workerRow(workerId)?.fencedBy !== undefined);
  const row = world.workerRow(workerId);
  const sent = world.arrived("membership.fence").filter(({ args }) => args[0] === workerId);
  return { atMs: sent[0]?.atMs ?? NaN, by: labelOf(row?.fencedBy) };
}

describe("a fleet of eight", () => {
  it("reads all rows by one query each p, and names observers all the same", async () => {
    const world = await settled(8);
    expect(await wholeReaders(world, 10_000)).to.deep.equal(labels(8));
    expect(world.arrived("membership.readPart")).to.have.length(0);
    for (const label of labels(8)) expect(observersOf(world, world.at(label).id)).to.have.length(3);
  });
});

describe("a fleet of twelve", () => {
  it("has three observe each row, and the planner and the two next in rank all of them", async () => {
    const world = await settled(12);
    for (const label of labels(12)) {
      expect(observersOf(world, world.at(label).id), label)
        .to.have.length(3)
        .and.not.to.include(label);
    }
    const all = byRank(world);
    expect(all).to.have.length(3).and.to.include(world.planner);
    expect(await wholeReaders(world, 20_000)).to.deep.equal([...all]);
  });

  it("reads its own row, the planner's and those it observes, and no other, each p", async () => {
    const world = await settled(12);
    const from = world.time.nowMs;
    await world.run(10_000);
    const ids = new Map(labels(12).map((label) => [markOf(world.at(label).id), world.at(label).id]));
    const planner = world.rows.view().planner?.owner ?? "";
    for (const label of labels(12).filter((one) => !byRank(world).includes(one))) {
      const { id } = world.at(label);
      const observed = world.workerRow(label)?.observes?.marks.map((mark) => ids.get(mark) ?? "?") ?? [];
      const reads = world.arrived("membership.readPart", label, from);
      expect(reads.length, label).to.be.within(9, 11);
      for (const { args } of reads) {
        expect(args[0], label).to.have.members([...new Set([id, planner, ...observed])]);
      }
    }
  });

  it("writes nothing but beats at rest", async () => {
    const world = await settled(12);
    const from = world.time.nowMs;
    await world.run(60_000);
    const writes = world.arrivals.filter(({ atMs, access }) => atMs >= from && access === "write");
    expect(new Set(writes.map(({ operation }) => operation))).to.deep.equal(new Set(["membership.beat"]));
  });

  it("fences the dead T after an observer's first read of the last beat, and works all by T + 4p", async () => {
    const world = await settled(12);
    const victim = ordinary(world);
    const { id } = world.at(victim);
    const observers = observersOf(world, id);
    const killedAt = world.time.nowMs;
    world.kill(victim);
    const fence = await fenceOf(world, id);
    expect([...observers, ...byRank(world)]).to.include(fence.by);
    await world.until(() => world.allWorked);
    expect(world.time.nowMs - killedAt).to.be.at.most(T + 4 * p);
  });

  it("is told of a fence by a parent, which counts no death, and works all within 3 s", async () => {
    const world = await settled(12);
    const victim = ordinary(world);
    const { id } = world.at(victim);
    world.kill(victim);
    const from = world.time.nowMs;
    await world.direct.membership.fenceExited(id, "parent");
    expect(await world.until(() => world.allWorked)).to.be.at.most(3_000);
    await world.run(2 * p);
    // The planner has told, so everybody has looked, not only who observes the row or observes all.
    const looked = new Set(world.arrived("membership.readFleet", undefined, from).map(({ by }) => by));
    expect([...looked].sort()).to.deep.equal(labels(12).filter((label) => label !== victim));
    expect(world.arrived("plannerDesk.countDeath", undefined, from).map(({ by }) => by)).to.deep.equal([
      world.planner,
    ]);
  });

  it("has every row observed by three again soon after each change of membership", async () => {
    const world = await settled(12);
    const whole = (): boolean =>
      live(world).every((row) => row.beat > 0 && observersOf(world, row.workerId).length === 3);
    for (const change of ["kill", "stop", "join"] as const) {
      const victim = [...world.processes.keys()].find((label) => !byRank(world).includes(label)) ?? "";
      if (change === "kill") {
        const { id } = world.at(victim);
        world.kill(victim);
        await fenceOf(world, id);
        world.processes.delete(victim);
      } else if (change === "stop") {
        await world.stop(victim);
        world.processes.delete(victim);
      } else await world.start("newcomer");
      expect(await world.until(whole, 10_000), change).to.be.at.most(4 * p);
      await world.run(40_000);
      // And then again nobody but those by rank reads all.
      expect(await wholeReaders(world, 10_000), change).to.deep.equal([...byRank(world)]);
    }
  });

  it("watches a tombstone by three, and frees what it names", async () => {
    const world = await settled(12);
    const tenure = { epoch: 10, worker: "long-gone", reason: "taken", since: "" } as const;
    world.free("s99", { owner: "long-gone", epoch: 10, tenure });
    await world.until(() => world.workerRow("long-gone") !== undefined, 20_000);
    await world.run(3 * p);
    expect(observersOf(world, "long-gone")).to.have.length(3);
    await world.until(() => world.allWorked, 30_000);
  });

  it("has a worker that is denied reads by keys read all, and go on", async () => {
    const world = await fleet(dealt(24, ...labels(12)));
    world.befall("membership.readPart", "denied", "w03");
    world.befall("membership.readPart", "denied", "w04");
    await world.run(60_000);
    expect(world.arrived("membership.readPart", "w03").length).to.be.at.most(1);
    expect(world.workerRow("w03")?.blind).to.equal(false);
    expect(world.allWorked).to.equal(true);
  });
});

describe("a newcomer", () => {
  it("names three observers in their rows at its creation", async () => {
    const world = await settled(12);
    world.befall("membership.assignObserver", "down");
    await world.start("newcomer");
    await world.run(p);
    expect(world.events("observers-named", "newcomer")[0]?.observers).to.have.length(3);
    expect(observersOf(world, world.at("newcomer").id)).to.have.length(3);
  });

  it("names the next in order where one is fenced meanwhile, or not to be reached", async () => {
    const world = await settled(12);
    world.befall("membership.assignObserver", "down");
    let refused = "";
    let calls = 0;
    world.rule(({ operation, args }) => {
      if (operation !== "membership.nameObserver") return undefined;
      calls += 1;
      if (calls === 1) return "denied";
      if (calls === 2) {
        refused = args[0] as string;
        world.kill(labelOf(refused));
        void world.direct.membership.fenceExited(refused, "parent");
      }
      return undefined;
    });
    await world.start("newcomer");
    await world.run(p);
    const [named] = world.events("observers-named", "newcomer");
    expect(named?.observers).to.have.length(3).and.not.to.include(refused);
    expect(world.arrived("membership.nameObserver", "newcomer")).to.have.length(5);
  });

  it("that dies at once is fenced by those it named, which had never heard of it", async () => {
    const world = await settled(12);
    const all = byRank(world);
    world.befall("membership.assignObserver", "down");
    await world.start("newcomer");
    await world.run(100);
    const { id } = world.at("newcomer");
    const observers = observersOf(world, id).filter((label) => !all.includes(label));
    world.kill("newcomer");
    // Those that observe all see nothing of it.
    for (const label of all) world.befall("membership.fence", "down", label);
    const fence = await fenceOf(world, id);
    expect(observers).to.include(fence.by);
  });

  it("is looked up by those whose rows name it, once, consistently: a mark says nothing of an id", async () => {
    const world = await settled(12);
    const all = byRank(world);
    world.befall("membership.assignObserver", "down");
    await world.start("newcomer");
    const { id } = world.at("newcomer");
    const observers = observersOf(world, id).filter((label) => !all.includes(label));
    const from = world.time.nowMs;
    await world.run(3 * p);
    expect(observers).to.have.length.greaterThan(0);
    for (const label of observers) {
      const reads = world.arrived("membership.readFleet", label, from);
      expect(reads.map(({ consistent }) => consistent)).to.deep.equal([true]);
    }
  });
});

describe("a dead worker whose three observers died with it", () => {
  it("is fenced by T + 4p by those who observe every row", async () => {
    const world = await settled(16);
    const all = byRank(world);
    const victim = ordinary(world);
    const { id } = world.at(victim);
    const killedAt = world.time.nowMs;
    for (const label of [...observersOf(world, id), victim]) world.kill(label);
    const fence = await fenceOf(world, id);
    expect(all).to.include(fence.by);
    expect(fence.atMs - killedAt).to.be.at.most(T + 2 * p);
    await world.until(() => world.allWorked);
    expect(world.time.nowMs - killedAt).to.be.at.most(T + 4 * p);
  });

  it("and the planner and the two next in rank too, is fenced and replaced by 2T + 4p", async () => {
    const world = await settled(16);
    const victim = ordinary(world);
    const { id } = world.at(victim);
    const killedAt = world.time.nowMs;
    const dead = new Set([...observersOf(world, id), ...byRank(world), victim]);
    for (const label of dead) world.kill(label);
    await world.until(() => world.allWorked);
    expect(world.time.nowMs - killedAt).to.be.at.most(2 * T + 4 * p);
    expect(dead).not.to.include(world.planner);
  });
});

describe("a fleet that grows past eight", () => {
  it("has all observe all until every row has three", async () => {
    const world = await fleet(dealt(20, ...labels(10)));
    const ends = ["membership.assignObserver", "membership.nameObserver"].map((name) =>
      world.befall(name, "down"),
    );
    for (const label of labels(10)) {
      await world.direct.membership.assignObserver(world.at(label).id, { plannerEpoch: 1, marks: [] });
    }
    await world.run(60_000);
    expect(await wholeReaders(world, 5_000)).to.deep.equal(labels(10));
    expect(world.arrived("membership.readPart")).to.have.length(0);
    for (const end of ends) end();
    await world.run(5_000);
    expect(await wholeReaders(world, 10_000)).to.deep.equal([...byRank(world)]);
  });

  it("again after it had shrunk to eight counts no observer that is gone", async () => {
    const world = await settled(9);
    const left = ordinary(world);
    await world.stop(left);
    world.processes.delete(left);
    await world.run(20_000);
    const eight = [...world.processes.keys()];
    expect(await wholeReaders(world, 5_000)).to.deep.equal(eight);
    await world.start("again");
    await world.run(40_000);
    const { id } = world.at("again");
    for (const row of live(world)) expect(observersOf(world, row.workerId)).to.have.length(3);
    expect(await wholeReaders(world, 10_000)).to.deep.equal([...byRank(world)]);
    world.kill("again");
    const killedAt = world.time.nowMs;
    await fenceOf(world, id);
    expect(world.time.nowMs - killedAt).to.be.at.most(T + 2 * p);
  });
});

describe("a deposed planner's assignment", () => {
  it("that arrives late does not override a newer one", async () => {
    const world = await settled(12);
    const old = world.planner;
    const victim = ordinary(world);
    // What the old planner says of the change of membership arrives long after its successor's word.
    const end = world.befall("membership.assignObserver", { laterMs: 40_000 }, old);
    const { id } = world.at(victim);
    world.kill(victim);
    await fenceOf(world, id);
    await world.run(2 * p);
    end();
    const successor = byRank(world).find((label) => label !== old) ?? "";
    const epoch = world.rows.view().planner?.epoch ?? 0;
    await world.direct.plannerDesk.claim(world.at(successor).id, epoch);
    await world.start("newcomer");
    await world.run(20_000);
    const before = new Map(live(world).map((row) => [row.workerId, row.observes]));
    const late = world.arrived("membership.assignObserver", old).map(({ args }) => String(args[0]));
    const overtaken = late.filter((observer) => (before.get(observer)?.plannerEpoch ?? 0) > epoch);
    expect(overtaken).not.to.deep.equal([]);
    // Looked at after every step: what was overridden would be put right in a round.
    for (let ms = 0; ms < 30_000; ms += 100) {
      await world.run(100);
      for (const { workerId, observes } of live(world)) {
        if (overtaken.includes(workerId)) expect(observes).to.deep.equal(before.get(workerId));
      }
    }
    for (const row of live(world)) expect(observersOf(world, row.workerId)).to.have.length(3);
  });
});

describe("what a worker reads", () => {
  /** Read units as DynamoDB counts them: eventually consistent, 4 KB each, a query by the sum and a batch by each row. */
  function unitsOf(world: World, fromMs: number): number {
    const rowBytes = 600;
    let units = 0;
    for (const { operation, args, consistent } of world.arrivals.filter(({ atMs }) => atMs >= fromMs)) {
      const factor = consistent ? 1 : 0.5;
      if (operation === "membership.readPart") units += factor * (1 + (args[0] as string[]).length);
      else if (operation === "membership.readWorker") units += factor;
      else if (operation === "membership.readFleet")
        units += factor * Math.ceil((live(world).length * rowBytes) / 4_096);
    }
    return units;
  }

  /** Rows of the fleet that the ordinary workers' reads return. */
  function rowsOf(world: World, fromMs: number): number {
    const all = byRank(world);
    let rows = 0;
    for (const { operation, args, by } of world.arrivals.filter(({ atMs }) => atMs >= fromMs)) {
      if (all.includes(by)) continue;
      if (operation === "membership.readPart") rows += 1 + (args[0] as string[]).length;
      else if (operation === "membership.readFleet") rows += live(world).length;
    }
    return rows;
  }

  it("at rest grows with the fleet, not with its square", async () => {
    const figures: Record<number, { units: number; rows: number }> = {};
    for (const count of [20, 40]) {
      const world = await settled(count);
      const from = world.time.nowMs;
      await world.run(60_000);
      figures[count] = { units: unitsOf(world, from), rows: rowsOf(world, from) };
    }
    const [twenty, forty] = [figures[20], figures[40]];
    if (twenty === undefined || forty === undefined) throw new Error("no figures");
    // 17 and 37 ordinary workers.
    expect(forty.rows / twenty.rows).to.be.within(2, 2.4);
    expect(forty.units / twenty.units).to.be.within(1.8, 2.3);
    // About three units a worker and p: its own row, the planner's two, and three more.
    expect(twenty.units / 20 / 60).to.be.at.most(3.2);
    expect(forty.units / 40 / 60).to.be.at.most(3.2);
  });
});

describe("an observation", () => {
  /** An observer alone, that beats every 2 s and is shown what a test shows it. @returns fences by victim */
  async function watched(reads: (atMs: number) => { rows: readonly WorkerRow[]; asked?: readonly string[] }) {
    const time = new VirtualTime();
    const clock = time.clock();
    const random = seededRandom(1);
    const store = createMemoryStore({ application: "fleet" });
    for (const workerId of ["silent", "other"]) await store.membership.createTombstone(workerId);
    const fenced: { victim: string; atMs: number }[] = [];
    const emit = (event: { type: string; victim?: string }): void => {
      if (event.type === "fenced") fenced.push({ victim: event.victim ?? "", atMs: time.nowMs });
    };
    const deps = {
      store,
      clock,
      random,
      config: resolveProtocol(),
      host: new FakeHost(clock),
      keeper: { discover: () => Promise.resolve(0), cleanUp: () => Promise.resolve() },
      emit,
      machine: { host: "h", pid: 1 },
      label: "me",
      deployment: undefined,
      announce: () => Promise.resolve(),
    };
    const tasks = new Tasks("me", emit, (error) => {
      throw error;
    });
    const hooks = { seen: () => undefined, fenced: () => undefined };
    const observer = new Observer(deps, "me", tasks, hooks);
    for (let atMs = 0; atMs <= 40_000; atMs += 1_000) {
      await time.runUntil(atMs);
      if (atMs % 2_000 === 0) observer.beatAcknowledged();
      const { rows, asked } = reads(atMs);
      observer.read(rows, clock.now(), asked === undefined ? undefined : new Set(asked));
    }
    await time.runUntil(41_000);
    observer.stop();
    return fenced;
  }
  const silent = emptyWorkerRow("silent", -1);

  it("counts the reads of its own row only, not those of other rows", async () => {
    // All were read once; from then on this worker reads another row.
    const fenced = await watched((atMs) =>
      atMs === 0 ? { rows: [silent] } : { rows: [emptyWorkerRow("other", atMs)], asked: ["other"] },
    );
    expect(fenced).to.deep.equal([]);
  });

  it("begins at the first read of the row that is made for it, however long ago another was", async () => {
    const fenced = await watched((atMs) =>
      atMs === 0 || atMs >= 20_000
        ? { rows: [silent], asked: ["silent"] }
        : { rows: [emptyWorkerRow("other", atMs)], asked: ["other"] },
    );
    expect(fenced.map(({ victim }) => victim)).to.deep.equal(["silent"]);
    expect(fenced[0]?.atMs).to.be.within(20_000 + T, 20_000 + T + 50);
  });

  it("goes on when its worker begins to read all rows, as a new planner does", async () => {
    const fenced = await watched((atMs) =>
      atMs < 6_000
        ? { rows: [silent], asked: ["silent"] }
        : { rows: [silent, emptyWorkerRow("other", atMs)] },
    );
    expect(fenced[0]?.atMs).to.be.within(T, T + 50);
  });
});

describe("a read of some rows", () => {
  it("makes no other row gone, and a whole read does", () => {
    const clock = new VirtualTime().clock();
    const view = new FleetView(new ForcedFences(clock, T));
    const rows = ["w1", "w2", "w3"].map((workerId) => emptyWorkerRow(workerId, 4));
    view.apply({ workers: rows, planner: undefined, meta: undefined }, clock.now());
    view.applyPart({ workers: [emptyWorkerRow("w1", 5)], planner: undefined });
    expect(view.workers.map(({ workerId, beat }) => `${workerId} ${String(beat)}`)).to.deep.equal([
      "w1 5",
      "w2 4",
      "w3 4",
    ]);
    expect(view.isInPart).to.equal(true);
    expect(view.reads).to.equal(1);
    view.apply({ workers: rows.slice(0, 2), planner: undefined, meta: undefined }, clock.now());
    expect(view.workers).to.have.length(2);
    expect(view.isInPart).to.equal(false);
  });

  it("has a leaver give nothing to a worker that began to leave unseen by it", async () => {
    const world = await settled(12);
    const [first, second] = labels(12).filter((label) => !byRank(world).includes(label));
    if (first === undefined || second === undefined) throw new Error("too few ordinary workers");
    for (let i = 0; i < 24; i++) {
      const leaseKey = `more-${String(i)}`;
      world.free(leaseKey, { epoch: 10, owner: world.at(second).id });
      await world.time.runUntilSettled(world.at(second).worker.tenures.lane(leaseKey).receive());
    }
    const { id } = world.at(first);
    world.at(first).host.drainTakesMs = 20_000;
    void world.at(first).fleet.stop();
    await world.run(600);
    await world.stop(second);
    const given = world.events("handed-off", second);
    expect(given.length).to.be.greaterThan(10);
    expect(given.map(({ target }) => target)).not.to.include(id);
  });
});
