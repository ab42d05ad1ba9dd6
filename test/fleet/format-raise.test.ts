import { expect } from "chai";
import { hasCode, messageOf } from "../../src/model/errors.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { identity, quiet } from "../testing/rows.js";
import { World, type FleetOptions } from "./harness.js";

const holdMs = 60_000;

/** A fleet on tables that say format 0: what they said before this version was deployed. */
async function deployed(options: FleetOptions = {}, ...labels: readonly string[]): Promise<World> {
  const world = new World({ ...options, protocol: { deployHoldMs: holdMs, ...options.protocol } });
  await world.start(...labels);
  setFormat(world, 0);
  await world.until(() => world.planner !== "-");
  return world;
}

function metaOf(world: World) {
  const { meta } = world.rows.view();
  if (meta === undefined) throw new Error("no meta");
  return meta;
}

function setFormat(world: World, format: number): void {
  world.rows.setMeta({ ...metaOf(world), format });
}

function old(workerId: string, more: Partial<WorkerRow> = {}): WorkerRow {
  return { ...identity(workerId), ...quiet, readsFormat: 0, beat: 0, mailbox: new Map(), ...more };
}

describe("the raise of the format", () => {
  it("comes when every row has said for the hold that it reads the newer, once, and is told", async () => {
    const world = await deployed({}, "a", "b");
    const tookMs = await world.until(() => metaOf(world).format === 1);
    expect(tookMs).to.be.greaterThan(holdMs - 5_000);
    await world.run(100);
    expect(world.events("format-raised").map(({ from, to, label }) => ({ from, to, label }))).to.deep.equal([
      { from: 0, to: 1, label: world.planner },
    ]);
    await world.run(2 * holdMs);
    expect(world.arrived("membership.raiseFormat")).to.have.length(1);
  });

  it("waits for ever while one unfenced row reads only the older, and the hold begins when it is fenced", async () => {
    const world = await deployed({}, "a", "b");
    // It beats: nobody fences it.
    world.rows.setWorker(old("old-1", { beat: 1 }));
    const beat = (): void => {
      const row = world.rows.view().worker("old-1");
      if (row?.fencedBy === undefined) world.rows.setWorker(old("old-1", { beat: (row?.beat ?? 0) + 1 }));
    };
    for (let ms = 0; ms < 2 * holdMs; ms += 2_000) {
      beat();
      await world.run(2_000);
    }
    expect(metaOf(world).format).to.equal(0);
    expect(world.arrived("membership.raiseFormat")).to.deep.equal([]);
    await world.until(() => world.rows.view().worker("old-1")?.fencedBy !== undefined);
    expect(await world.until(() => metaOf(world).format === 1)).to.be.greaterThan(holdMs - 5_000);
  });

  it("begins to wait anew after a break: a deployment that was taken back and made again", async () => {
    const world = await deployed({}, "a", "b");
    await world.run(holdMs - 10_000);
    world.rows.setWorker(old("old-1"));
    await world.run(2_000);
    world.rows.setWorker(old("old-1", { fencedBy: "old-1", fenceKind: "left" }));
    expect(await world.until(() => metaOf(world).format === 1)).to.be.greaterThan(holdMs - 5_000);
  });

  it("waits until nobody has joined for T: who is counted may have no row yet", async () => {
    const world = await deployed({}, "a");
    await world.run(holdMs - 8_000);
    await world.direct.membership.join("worker", 0);
    expect(await world.until(() => metaOf(world).format === 1)).to.be.within(
      world.config.expiryMs - 100,
      world.config.expiryMs + 3_000,
    );
  });

  it("is refused where somebody has joined between the look at the rows and the write", async () => {
    const world = await deployed({}, "a");
    let joined = 0;
    world.rule(({ operation }) => {
      if (operation !== "membership.raiseFormat" || joined > 0) return undefined;
      joined = world.time.nowMs;
      // The join is there when the raise arrives.
      world.rows.setMeta({ ...metaOf(world), joins: metaOf(world).joins + 1 });
      return undefined;
    });
    await world.until(() => joined > 0);
    await world.run(1_000);
    expect(metaOf(world).format).to.equal(0);
    expect(world.events("format-raised")).to.deep.equal([]);
  });

  it("waits again where that look finds somebody newly joined, who may have no row yet", async () => {
    const world = await deployed({}, "a");
    const from = world.time.nowMs;
    let joined = 0;
    world.rule(({ operation, consistent }) => {
      const isTheLook =
        operation === "membership.readFleet" && consistent && world.time.nowMs - from > holdMs / 2;
      if (!isTheLook || joined > 0) return undefined;
      joined = world.time.nowMs;
      world.rows.setMeta({ ...metaOf(world), joins: metaOf(world).joins + 1 });
      return undefined;
    });
    await world.until(() => joined > 0);
    expect(await world.until(() => metaOf(world).format === 1)).to.be.greaterThan(world.config.expiryMs);
  });

  it("looks at the rows consistently before it writes", async () => {
    const world = await deployed({ conditions: { staleMs: 3_000 } }, "a");
    await world.until(() => world.arrived("membership.raiseFormat").length > 0);
    const [raise] = world.arrived("membership.raiseFormat");
    const before = world.arrived("membership.readFleet", "a").filter(({ atMs }) => atMs < (raise?.atMs ?? 0));
    expect(before.findLast(({ consistent }) => consistent)?.atMs).to.be.greaterThan((raise?.atMs ?? 0) - 50);
  });
});

describe("a worker of an older version", () => {
  it("ends with the sentence of a refused start when it reads that the fleet writes what it cannot read", async () => {
    const world = new World();
    await world.start("a");
    const ended = world.at("a").fleet.ended.then(
      () => "stopped",
      (error: unknown) => error,
    );
    setFormat(world, 2);
    const error = await world.time.runUntilSettled(ended, 10_000);
    expect(hasCode(error, "table-mismatch")).to.equal(true);
    expect(messageOf(error)).to.match(/format 2, written by a newer version/);
    expect(world.at("a").believes).to.deep.equal([]);
  });
});

describe("a worker that joins", () => {
  it("joins again where its row comes late: it may have been overlooked meanwhile", async () => {
    const world = new World();
    world.make("a");
    world.at("a").announce = async () => {
      world.at("a").announce = () => Promise.resolve();
      await new Promise<void>((resolve) => world.time.schedule(20_000, resolve));
      // Raised while it was counted and had no row.
      setFormat(world, 2);
    };
    const started = world
      .at("a")
      .fleet.start()
      .catch((error: unknown) => error);
    const error = await world.time.runUntilSettled(started, 60_000);
    expect(hasCode(error, "table-mismatch")).to.equal(true);
    expect(world.arrived("membership.create")).to.deep.equal([]);
  });

  it("takes no row for its own that came later than D after its join", async () => {
    const world = new World();
    world.make("a");
    world.befall("membership.create", "unanswered", "a", 1);
    world.befall("membership.readWorker", "lost", "a", 3);
    world.at("a").announce = () =>
      new Promise<void>((resolve) => world.time.schedule(world.config.leaseDurationMs / 2 - 100, resolve));
    const started = world.at("a").fleet.start();
    await world.time.runUntilSettled(started, 120_000);
    const [join, again] = world.arrived("membership.join");
    const found = world.arrived("membership.readWorker").at(-1);
    const creates = world.arrived("membership.create");
    const lateMs = (found?.atMs ?? 0) - (join?.atMs ?? 0);
    expect(lateMs, "it heard late of its first row").to.be.at.least(world.config.leaseDurationMs);
    expect((creates.at(-1)?.atMs ?? 0) - (again?.atMs ?? 0)).to.be.within(0, world.config.leaseDurationMs);
    expect(world.at("a").announced).to.have.length(2);
  });
});
