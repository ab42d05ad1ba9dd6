import { expect } from "chai";
import type { NetworkFault } from "../../src/testing/faults.js";
import { dealt, fleet, type World } from "./harness.js";

const T = 12_500;
/** D less the safety margin. */
const beliefMs = 9_000;
const at = "2026-01-01T00:00:00.000Z";

/** What `leasehold fence` writes. @returns the fenced worker's id */
async function forceFence(world: World, label: string): Promise<string> {
  const { id } = world.at(label);
  const outcome = await world.direct.membership.forceFence(id, "ann@ops", at);
  expect(outcome.ok).to.equal(true);
  await world.direct.plannerDesk.countDeath();
  return id;
}

/** When a process first asked for the fleet after that. */
const firstReadAfter = (world: World, by: string, atMs: number): number =>
  world.arrived("membership.readFleet", by, atMs)[0]?.atMs ?? NaN;

/** Takes that arrived from a process since then. */
const takesOf = (world: World, by: string, sinceMs: number): readonly number[] =>
  world
    .arrived("ownership.change", by, sinceMs)
    .filter(({ args }) => (args[0] as { tenure: { reason: string } }).tenure.reason === "taken-from-fenced")
    .map(({ atMs }) => atMs);

describe("a worker fenced by an operator", () => {
  it("reads it within p, hands everything over drained, and rejoins as a new worker", async () => {
    const world = await fleet(dealt(8, "a", "b"));
    await world.run(5_000);
    const id = await forceFence(world, "a");
    const fencedAtMs = world.time.nowMs;
    await world.until(() => world.events("force-fenced", "a").length > 0, 1_100);
    await world.until(() => world.at("a").id !== id, 3_000);
    expect(world.events("handed-off", "a").map(({ reason }) => reason)).to.deep.equal(
      Array.from({ length: 4 }, () => "stop"),
    );
    expect(world.at("a").host.calls.filter(({ what }) => what === "drained").length).to.equal(4);
    expect(world.events("worker-ended", "a").map(({ reason, by }) => [reason, by])).to.deep.equal([
      ["fenced", "ann@ops"],
    ]);
    expect(world.events("leave-sent", "a")).to.deep.equal([]);
    await world.until(() => world.allWorked && world.counts()["a"] === 4);
    // Nobody had to wait for T: what was handed over was never free.
    expect(takesOf(world, "b", fencedAtMs)).to.deep.equal([]);
  });

  it("beats no more once it has read it", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    world.at("a").host.drainTakesMs = 60_000;
    const id = await forceFence(world, "a");
    await world.until(() => world.events("force-fenced", "a").length > 0, 1_100);
    const readAtMs = world.time.nowMs;
    await world.run(T);
    const beats = world
      .arrived("membership.beat", "a", readAtMs + 20)
      .filter(({ args }) => (args[0] as { readonly workerId: string }).workerId === id);
    expect(beats).to.deep.equal([]);
  });

  it("keeps its belief, which grows no more, and ends with it where the drain takes longer", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    world.at("a").host.drainTakesMs = 60_000;
    const { belief, tenures } = world.at("a").worker;
    await forceFence(world, "a");
    await world.until(() => world.events("force-fenced", "a").length > 0, 1_100);
    const leftMs = belief.remainingMs();
    const readAtMs = world.time.nowMs;
    expect(leftMs).to.be.within(beliefMs - 3_600, beliefMs);
    expect(tenures.count).to.equal(1);
    await world.until(() => world.events("worker-ended", "a").length > 0);
    const [ended] = world.events("tenure-ended", "a");
    expect(ended?.reason).to.equal("fenced");
    expect((ended?.atMs ?? 0) - readAtMs).to.be.within(leftMs - 20, leftMs + 20);
    await world.until(() => world.allWorked);
  });

  it("takes nothing and accepts nothing, though it believes", async () => {
    const world = await fleet(dealt(2, "a", "b"));
    await world.run(5_000);
    const { id } = world.at("a");
    world.at("a").host.drainTakesMs = 60_000;
    await forceFence(world, "a");
    await world.until(() => world.events("force-fenced", "a").length > 0, 1_100);
    // Nobody else may take them: they are first for the fenced one, or for nobody.
    world.at("b").clock.freeze();
    for (const key of ["t1", "t2", "t3"]) world.free(key);
    const tenure = { epoch: 21, worker: id, reason: "handoff", since: "" } as const;
    world.free("given", { epoch: 21, owner: id, tenure });
    await world.direct.plannerDesk.countDeath();
    await world.run(5_000);
    expect(world.at("a").worker.workerId).to.equal(id);
    expect(world.events("tenure-began", "a").map(({ leaseKey }) => leaseKey)).to.deep.equal(["s00"]);
    expect(["t1", "t2", "t3"].map((key) => world.lease(key).owner)).to.deep.equal(
      Array.from({ length: 3 }, () => undefined),
    );
    world.at("b").clock.thaw();
    await world.until(() => world.allWorked);
  });

  it("ends at once where it believes nothing any more", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    const end = world.befall("membership.beat", "lost", "a");
    await world.until(() => world.events("belief-lapsed", "a").length > 0);
    const id = await forceFence(world, "a");
    end();
    await world.until(() => world.at("a").id !== id, 3_000);
    expect(world.events("force-fenced")).to.deep.equal([]);
  });

  it("that is stopping leaves without a word, since its row has one already", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    await world.run(5_000);
    world.at("a").host.drainTakesMs = 3_000;
    const stopped = world.at("a").fleet.stop();
    await world.run(100);
    await forceFence(world, "a");
    await world.time.runUntilSettled(stopped, 10_000);
    expect(world.events("leave-sent", "a")).to.deep.equal([]);
    expect(world.at("a").clock.pendingTimers).to.equal(0);
    await world.until(() => world.owners()["s1"] === "b");
  });
});

describe("the leases of a worker fenced by an operator", () => {
  /** Two that observe, and one that holds its belief and hands nothing over. */
  async function standing(clocks = {}): Promise<{ world: World; fencedAtMs: number; id: string }> {
    const world = await fleet(dealt(6, "a", "b", "c"), { clocks });
    await world.run(5_000);
    const { id } = world.at("a");
    // It stands still with its belief: nothing of it is given up by itself.
    world.at("a").clock.freeze();
    await forceFence(world, "a");
    return { world, fencedAtMs: world.time.nowMs, id };
  }

  it("are taken by nobody before T after that one's own first read, and soon after it", async () => {
    const { world, fencedAtMs } = await standing();
    await world.until(
      () => takesOf(world, "b", fencedAtMs).length + takesOf(world, "c", fencedAtMs).length >= 2,
    );
    for (const by of ["b", "c"]) {
      const readAtMs = firstReadAfter(world, by, fencedAtMs);
      for (const atMs of takesOf(world, by, fencedAtMs)) {
        expect(atMs - readAtMs).to.be.at.least(T);
        expect(atMs - readAtMs).to.be.at.most(T + 2_100);
      }
    }
    expect(["s00", "s03"].map((key) => world.lease(key).tenure?.cause)).to.deep.equal(["forced", "forced"]);
  });

  it("wait for T on the clock of whoever reads it, however late it reads", async () => {
    const world = await fleet(dealt(6, "a", "b", "c"));
    await world.run(5_000);
    world.at("a").clock.freeze();
    world.kill("b");
    const end = world.befall("membership.readFleet", "down", "c");
    const id = await forceFence(world, "a");
    const fencedAtMs = world.time.nowMs;
    await world.run(3_900);
    end();
    const readableAtMs = world.time.nowMs;
    await world.until(() => world.lease("s00").epoch > 10 && world.lease("s03").epoch > 10);
    const readAtMs = firstReadAfter(world, "c", readableAtMs);
    expect(readAtMs - fencedAtMs).to.be.at.least(3_900);
    for (const { atMs } of world.events("tenure-began", "c").filter(({ from }) => from === id))
      expect(atMs).to.be.at.least(readAtMs + T);
  });

  it("come free on time though the observer could not read in between: no belief could have grown", async () => {
    const { world, fencedAtMs } = await standing();
    await world.run(1_500);
    const fault: NetworkFault = { kind: "store-outage", of: "all", how: "silent", atMs: 0, forMs: 0 };
    const end = world.store.network.begin(fault);
    await world.run(8_000);
    end();
    await world.until(
      () => takesOf(world, "b", fencedAtMs).length + takesOf(world, "c", fencedAtMs).length >= 2,
    );
    expect(world.time.nowMs - fencedAtMs).to.be.within(T, T + 4_000);
  });

  it("come no sooner by an observer's wall clock set forward", async () => {
    const { world, fencedAtMs } = await standing();
    await world.run(2_000);
    for (const by of ["b", "c"]) world.at(by).clock.jumpWall(3_600_000);
    await world.until(() => world.lease("s00").epoch > 10 && world.lease("s03").epoch > 10);
    for (const { atMs } of world.events("tenure-began").filter(({ how }) => how === "taken-from-fenced"))
      expect(atMs - fencedAtMs).to.be.at.least(T);
  });

  it("come no hour later by one set back: T is counted anew from there", async () => {
    const { world } = await standing();
    await world.run(2_000);
    for (const by of ["b", "c"]) world.at(by).clock.jumpWall(-3_600_000);
    const setBackAtMs = world.time.nowMs;
    await world.until(() => world.lease("s00").epoch > 10 && world.lease("s03").epoch > 10, T + 5_000);
    expect(world.time.nowMs - setBackAtMs).to.be.at.least(T);
  });

  it("count no owner as worn out: nothing says that their records killed it", async () => {
    const { world, fencedAtMs } = await standing();
    await world.until(
      () => takesOf(world, "b", fencedAtMs).length + takesOf(world, "c", fencedAtMs).length >= 2,
    );
    await world.run(1_000);
    expect(["s00", "s03"].map((key) => world.lease(key).ownersWornOut)).to.deep.equal([0, 0]);
  });

  it("that were handed to it meanwhile come free after the giver's T, its note being refused", async () => {
    const world = await fleet(dealt(6, "a", "b", "c"));
    await world.run(5_000);
    world.at("a").clock.freeze();
    // The giver looks at the target as it last read it, and the fence comes just then.
    await world.directive("s01", "b", "a");
    world.at("b").host.drainTakesMs = 300;
    await world.until(() => world.at("b").host.calls.some(({ what }) => what === "drain"), 2_000);
    const id = await forceFence(world, "a");
    const fencedAtMs = world.time.nowMs;
    await world.until(() => world.lease("s01").owner === id, 2_000);
    await world.until(() => world.lease("s01").owner !== id, T + 5_000);
    expect(world.lease("s01").tenure?.cause).to.equal("forced");
    expect(world.time.nowMs - fencedAtMs).to.be.at.least(T);
    await world.until(() => Object.values(world.counts()).length === 2 && world.counts()["a"] === undefined);
  });
});

describe("the row of a worker fenced by an operator", () => {
  it("is put into the history before it is collected, should the operator's command have died", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    const id = await forceFence(world, "a");
    expect(world.rows.actions().size).to.equal(0);
    await world.until(() => world.workerRow(id) === undefined, 20 * 60_000);
    expect([...world.rows.actions().values()]).to.deep.equal([
      { action: "fence", worker: id, by: "ann@ops", at },
    ]);
    const recorded = world.arrived("history.record")[0]?.atMs ?? Infinity;
    expect(world.arrived("membership.remove").every(({ atMs }) => atMs > recorded)).to.equal(true);
  });

  it("stays where its entry cannot be written", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    const id = await forceFence(world, "a");
    world.befall("history.record", "denied");
    await world.run(20 * 60_000);
    expect(world.workerRow(id)?.fenceKind).to.equal("forced");
  });
});
