import { expect } from "chai";
import { dealt, fleet, type World } from "./harness.js";

const T = 12_500;

/** When the last beat of a process was applied. */
function lastBeatAt(world: World, label: string): number {
  return world.arrived("membership.beat", label).at(-1)?.atMs ?? NaN;
}

/** When a process first asked for the fleet after that. */
function firstReadAfter(world: World, by: string, atMs: number): number {
  return world.arrived("membership.readFleet", by, atMs)[0]?.atMs ?? NaN;
}

async function fencedAt(world: World, label: string): Promise<number> {
  const { id } = world.at(label);
  await world.until(() => world.workerRow(id)?.fencedBy !== undefined);
  return world.arrived("membership.fence").filter(({ args }) => args[0] === id)[0]?.atMs ?? NaN;
}

describe("a silent worker", () => {
  for (const killedAfterMs of [3_000, 3_210, 3_420, 3_630, 3_840]) {
    it(`is fenced T after its beat was first read, whatever the poll (killed at ${String(killedAfterMs)} ms)`, async () => {
      const world = await fleet({ s1: "a", s2: "b" });
      await world.run(killedAfterMs);
      world.kill("a");
      const fence = await fencedAt(world, "a");
      const readAt = firstReadAfter(world, "b", lastBeatAt(world, "a"));
      expect(fence - readAt).to.be.at.least(T);
      expect(fence - readAt).to.be.at.most(T + 40);
    });
  }

  it("is counted from the receipt of the answer, not from the sending of the read", async () => {
    const world = await fleet({ s1: "a", s2: "b" }, { conditions: { latencyMs: [400, 400] } });
    world.kill("a");
    const fence = await fencedAt(world, "a");
    const readAt = firstReadAfter(world, "b", lastBeatAt(world, "a"));
    // Way back of the read, then T, then the look there and back, then the fence's way.
    expect(fence - readAt).to.be.at.least(400 + T + 800 + 400);
  });

  it("is fenced under exactly the beat that stood still", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(20_000);
    world.kill("a");
    await fencedAt(world, "a");
    const [fence] = world.arrived("membership.fence");
    const row = world.workerRow(world.at("a").id);
    expect(fence?.args).to.deep.equal([world.at("a").id, world.at("b").id, row?.beat]);
  });

  it("that beats between the last poll and o + T is looked at once more and not fenced", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    const a = world.at("a");
    a.clock.freeze();
    const readAt = firstReadAfter(world, "b", lastBeatAt(world, "a"));
    await world.time.runUntil((Number.isNaN(readAt) ? world.time.nowMs + 1_000 : readAt) + T - 60);
    a.clock.thaw();
    await world.run(30_000);
    expect(world.events("fence-sent")).to.have.length(0);
    expect(world.workerRow("a")?.fencedBy).to.equal(undefined);
  });

  it("that beats between the look and the fence refuses it, and is counted anew", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    const a = world.at("a");
    world.befall("membership.fence", { laterMs: 1_000 }, "b", 1);
    a.clock.freeze();
    await world.until(() => world.events("fence-sent").length > 0);
    a.clock.thaw();
    await world.run(30_000);
    expect(world.events("fence-refused")).to.have.length(1);
    expect(world.events("fence-sent")).to.have.length(1);
    expect(world.workerRow("a")?.fencedBy).to.equal(undefined);
    await world.until(() => world.allWorked);
    expect(world.owners()).to.deep.equal({ s1: "a", s2: "b" });
  });

  it("gives up its leases only after the fence was applied", async () => {
    const world = await fleet(dealt(8, "a", "b"));
    world.kill("a");
    const fence = await fencedAt(world, "a");
    await world.until(() => world.allWorked);
    const takes = world.arrived("ownership.change", "b").filter(({ atMs }) => atMs > 100);
    expect(takes).to.have.length(4);
    for (const { atMs } of takes) expect(atMs).to.be.greaterThan(fence);
  });

  it("is still fenced at o + T though one read of the fleet failed", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(3_000);
    world.kill("a");
    await world.run(6_000);
    world.befall("membership.readFleet", "down", "b", 1);
    const fence = await fencedAt(world, "a");
    const readAt = firstReadAfter(world, "b", lastBeatAt(world, "a"));
    expect(fence - readAt).to.be.at.most(T + 40);
  });

  it("whose fence has no answer is fenced all the same, and its death counted once", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(1_000);
    const deaths = world.rows.view().planner?.deaths ?? 0;
    world.befall("membership.fence", "unanswered", "b", 1);
    world.kill("a");
    await world.until(() => world.allWorked);
    await world.run(1_000);
    expect(world.events("fenced")).to.have.length(1);
    expect(world.rows.view().planner?.deaths).to.equal(deaths + 1);
  });

  it("is fenced by whoever is left, when several observe", async () => {
    const world = await fleet(dealt(9, "a", "b", "c"));
    world.kill("a");
    world.kill("b");
    await world.until(() => world.allWorked);
    expect(world.counts()).to.deep.equal({ c: 9 });
    expect(world.events("fenced").map(({ label }) => label)).to.deep.equal(["c", "c"]);
  });
});

describe("blind time", () => {
  for (const of of ["reads", "writes", "all"] as const) {
    for (const how of ["refusing", "silent"] as const) {
      it(`does not count: an outage of ${of} (${how}) longer than T, in which nobody dies, changes no owner`, async () => {
        const world = await fleet(dealt(12, "a", "b", "c"));
        await world.run(10_000);
        const ids = ["a", "b", "c"].map((label) => world.at(label).id);
        const owners = world.owners();
        const end = world.outage(of, undefined, how);
        await world.run(45_000);
        end();
        await world.until(() => world.allWorked, 15_000);
        await world.run(30_000);
        expect(world.owners()).to.deep.equal(owners);
        expect(["a", "b", "c"].map((label) => world.at(label).id)).to.deep.equal(ids);
        expect(world.events("fence-sent")).to.have.length(0);
        const reasons = world.rows
          .view()
          .scan()
          .leases.map(({ tenure }) => tenure?.reason);
        // Reads alone cost nobody's belief; without writes all resume by a raise.
        expect([...new Set(reasons)]).to.deep.equal([of === "reads" ? "taken" : "resumed"]);
      });
    }
  }

  it("shorter than the belief changes nothing at all", async () => {
    const world = await fleet(dealt(4, "a", "b"));
    await world.run(10_000);
    const end = world.outage("all");
    await world.run(5_500);
    end();
    await world.run(10_000);
    expect(world.events("belief-lapsed")).to.have.length(0);
    expect(world.lease("s00").epoch).to.equal(10);
  });

  for (const of of ["reads", "writes"] as const) {
    it(`of more than D/2 in the observer's own ${of} restarts its count of the dead`, async () => {
      const world = await fleet({ s1: "a", s2: "b" });
      world.kill("a");
      await world.run(3_000);
      const end = world.outage(of, "b");
      await world.run(8_000);
      end();
      const over = world.time.nowMs;
      const fence = await fencedAt(world, "a");
      expect(fence - over).to.be.at.least(T - 20);
      // The next read, the beat after it, the read that goes by both, then T.
      expect(fence - over).to.be.at.most(T + 1_000 + 2_500 + 1_000 + 100);
    });
  }

  it("of reads and writes one after the other counts from the later of the first beat and the first read", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    world.kill("a");
    await world.run(2_000);
    const endReads = world.outage("reads", "b");
    const endWrites = world.outage("writes", "b");
    await world.run(7_000);
    endWrites();
    await world.run(4_000);
    endReads();
    const over = world.time.nowMs;
    expect((await fencedAt(world, "a")) - over).to.be.at.least(T - 20);
  });

  it("that is still open stops the repeats of a fence: none is sent between the writes' return and the beats'", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(2_000);
    world.kill("a");
    const end = world.befall("membership.fence", "lost", "b");
    await world.until(() => world.events("fence-sent").length > 0);
    const endBeats = world.befall("membership.beat", "down", "b");
    const blindAt = world.time.nowMs;
    await world.run(6_000);
    end();
    await world.run(20_000);
    const late = world.events("fence-sent").filter(({ atMs }) => atMs > blindAt + 5_000);
    expect(late).to.have.length(0);
    endBeats();
    const over = world.time.nowMs;
    expect((await fencedAt(world, "a")) - over).to.be.at.most(T);
    await world.until(() => world.workerRow(world.at("a").id)?.fencedBy !== undefined);
    expect(world.time.nowMs - over).to.be.at.least(T);
  });

  it("ends: who died in the outage is fenced T after it", async () => {
    const world = await fleet(dealt(6, "a", "b", "c"));
    const end = world.outage("all");
    await world.run(5_000);
    world.kill("a");
    await world.run(25_000);
    end();
    const over = world.time.nowMs;
    const fence = await fencedAt(world, "a");
    expect(fence - over).to.be.at.least(T - 20);
    expect(fence - over).to.be.at.most(T + 3_600);
    await world.until(() => world.allWorked, 5_000);
  });
});

describe("an observer's own clock", () => {
  it("that stood still (SIGSTOP for a minute) makes it fence nobody at its thaw", async () => {
    const world = await fleet(dealt(6, "a", "b", "c"));
    await world.run(5_000);
    world.at("b").clock.freeze();
    await world.run(60_000);
    world.at("b").clock.thaw();
    await world.run(20_000);
    expect(world.events("fence-sent", "b")).to.have.length(0);
  });

  it("that was suspended counts nothing of the suspend", async () => {
    const world = await fleet(dealt(6, "a", "b", "c"));
    await world.run(5_000);
    for (const label of ["a", "b", "c"]) world.at(label).clock.suspend();
    await world.run(60_000);
    for (const label of ["a", "b", "c"]) world.at(label).clock.wake();
    await world.run(30_000);
    expect(world.events("fence-sent")).to.have.length(0);
    expect(world.allWorked).to.equal(true);
    expect(world.counts()).to.deep.equal({ a: 2, b: 2, c: 2 });
  });

  it("whose wall time jumps forward makes no death come early", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    world.kill("a");
    await world.run(4_000);
    world.at("b").clock.jumpWall(3_600_000);
    const readAt = firstReadAfter(world, "b", lastBeatAt(world, "a"));
    expect((await fencedAt(world, "a")) - readAt).to.be.at.least(T);
  });

  it("whose wall time jumps back starts its observation over", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    world.kill("a");
    await world.run(6_000);
    world.at("b").clock.jumpWall(-3_600_000);
    const jumpedAt = world.time.nowMs;
    const fence = await fencedAt(world, "a");
    expect(fence - jumpedAt).to.be.at.least(T);
    expect(fence - jumpedAt).to.be.at.most(T + 4_000);
  });

  it("at the bound, fast against a slow holder's, ends no belief after the fence", async () => {
    const world = await fleet({ s1: "a", s2: "b" }, { clocks: { a: { rate: 0.995 }, b: { rate: 1.005 } } });
    await world.run(5_000);
    // The holder lives on and believes as long as it may; every event checks that nobody else does meanwhile.
    world.befall("membership.beat", "down", "a");
    await world.until(() => world.owners()["s1"] === "b");
    expect(world.at("a").believes).to.deep.equal([]);
  });
});

describe("a holder's own clock", () => {
  for (const [what, befall] of [
    ["a wall jump forward", (world: World) => world.at("a").clock.jumpWall(60_000)],
    [
      "a stop of 10 s",
      async (world: World) => {
        world.at("a").clock.freeze();
        await world.run(10_000);
        world.at("a").clock.thaw();
      },
    ],
    [
      "a suspend of 10 s",
      async (world: World) => {
        world.at("a").clock.suspend();
        await world.run(10_000);
        world.at("a").clock.wake();
      },
    ],
  ] as const) {
    it(`costs a pause at ${what}, never an owner: the lease is resumed under a raised epoch`, async () => {
      const world = await fleet({ s1: "a", s2: "b" });
      await world.run(5_000);
      const { id } = world.at("a");
      await befall(world);
      expect(world.at("a").believes).to.deep.equal([]);
      await world.until(() => world.allWorked && world.at("a").believes.length === 1, 10_000);
      expect(world.at("a").id).to.equal(id);
      expect(world.lease("s1")).to.deep.include({ owner: id, epoch: 11 });
      expect(world.lease("s1").tenure?.reason).to.equal("resumed");
    });
  }
});

describe("a death", () => {
  it("is counted in the planner's row by whoever fences", async () => {
    const world = await fleet(dealt(3, "a", "b", "c"));
    await world.run(2_000);
    world.kill("a");
    await world.until(() => world.allWorked);
    expect(world.rows.view().planner?.deaths).to.equal(1);
  });

  it("makes whoever sees the count rise read the whole fleet once, consistently, and the lease rows", async () => {
    const world = await fleet(dealt(3, "a", "b", "c"));
    await world.run(10_000);
    const from = world.time.nowMs;
    await world.direct.plannerDesk.countDeath();
    await world.run(3_000);
    for (const label of ["a", "b", "c"]) {
      const reads = world.arrived("membership.readFleet", label, from).filter(({ consistent }) => consistent);
      expect(reads, label).to.have.length(1);
      expect(world.arrived("leases.scan", label, from).length, label).to.be.greaterThan(0);
    }
  });

  it("is not forgotten when it is learnt while a read of the fleet is under way (bug: the look was cleared by the older read)", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(10_000);
    const { worker } = world.at("a");
    world.befall("membership.readFleet", { laterMs: 500 }, "a", 1);
    const reads = world.arrived("membership.readFleet", "a").length;
    await world.until(() => world.arrived("membership.readFleet", "a").length > reads);
    const from = world.time.nowMs;
    void worker.stirAll();
    await world.run(2_000);
    const consistent = world.arrived("membership.readFleet", "a", from).filter((call) => call.consistent);
    expect(consistent.length).to.be.greaterThan(0);
  });

  it("counted beside a claim of the planner lease is still seen (bug: the claim's answer passed for a read)", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    world.befall("plannerDesk.claim", "down");
    await world.run(10_000);
    world.rules.clear();
    await world.until(() => world.planner !== "-", 5_000);
    const planner = world.planner;
    const view = world.at(planner).worker.fleet;
    const at = world.at(planner).clock.now();
    const read = { workers: [], planner: { epoch: 1, owner: "x", deaths: 7 }, meta: undefined };
    view.apply({ ...read, planner: { ...read.planner, deaths: 4 } }, at);
    view.applyPlanner({ epoch: 9, owner: "y", deaths: 7 });
    expect(view.apply(read, at).deathsRose).to.equal(true);
    expect(view.apply(read, at).deathsRose).to.equal(false);
  });
});
