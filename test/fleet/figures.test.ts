import { expect } from "chai";
import { dealt, fleet, World, type Arrival } from "./harness.js";

/** A store some way off, as the protocol's figures assume: 5 to 15 ms a call. */
const realistic = { conditions: { latencyMs: [2.5, 7.5] as const } };
const keys = Object.keys(dealt(64, "x"));

/** Capacity that calls cost: writes below 1 KB, a query of few workers, scans of 0.5 KB a row. */
function cost(calls: readonly Arrival[], leases: number): { readonly wcu: number; readonly rcu: number } {
  const scan = (leases * 0.5) / 4 / 2;
  const unitsOf: Readonly<Record<string, number>> = {
    "membership.readFleet": 0.5,
    "membership.readWorker": 0.5,
    "leases.scan": scan,
    "leases.get": 1,
    "leases.keysOf": 0.5,
  };
  let wcu = 0;
  let rcu = 0;
  for (const { operation, access, consistent } of calls) {
    if (access === "write") wcu += 1;
    else rcu += (unitsOf[operation] ?? 1) * (consistent && operation !== "leases.get" ? 2 : 1);
  }
  return { wcu, rcu };
}

describe("a fleet of two with 64 leases", () => {
  it("at rest changes no owner in ten minutes, and costs what the protocol says", async () => {
    const world = await fleet(dealt(64, "a", "b"), realistic);
    await world.run(40_000);
    const before = world.arrivals.length;
    const from = world.time.nowMs;
    await world.run(600_000);
    const calls = world.arrivals.slice(before);
    const count = (operation: string): number => calls.filter((call) => call.operation === operation).length;
    expect(count("ownership.change")).to.equal(0);
    expect(world.events("directive-posted")).to.have.length(0);
    expect(world.events("belief-lapsed")).to.have.length(0);
    // 48 beats a minute at 2.5 s each, up to 53 with the jitter; one query each every p.
    expect(count("membership.beat") / 10).to.be.within(48, 54);
    expect(count("membership.readFleet") / 10).to.be.within(110, 120);
    expect(count("leases.keysOf") / 10).to.be.within(3, 4);
    const scans = world.scans({ sinceMs: from });
    const { wcu, rcu } = cost(
      [...calls.filter(({ operation }) => operation !== "leases.scan"), ...scans],
      64,
    );
    expect(wcu / 10).to.be.at.most(54);
    expect(rcu / 10).to.be.at.most(105);
    // Nobody but the planner scans while its plan is fresh.
    expect([...new Set(scans.map(({ by }) => by))]).to.deep.equal([world.planner]);
    // Every T/2, in the next round: 7 s.
    expect(scans.length / 10).to.be.within(8, 10);
  });

  it("started cold works everything within 3 s", async () => {
    const world = new World({ ...realistic, source: keys });
    void Promise.all(world.make("a", "b").map((process) => process.fleet.start()));
    const took = await world.until(() => world.allWorked && Object.keys(world.owners()).length === 64);
    expect(took).to.be.at.most(3_000);
    expect(world.counts()).to.deep.equal({ a: 32, b: 32 });
  });

  for (const victim of ["a", "b"]) {
    it(`is whole again 18 s after a SIGKILL at the latest (${victim}, be it the planner or not)`, async () => {
      for (const afterMs of [20_000, 20_700, 21_400, 22_100]) {
        const world = await fleet(dealt(64, "a", "b"), realistic);
        await world.run(afterMs);
        world.kill(victim);
        const took = await world.until(() => world.allWorked);
        expect(took, `killed at ${String(afterMs)}`).to.be.within(10_000, 18_000);
        await world.run(5_000);
        expect(world.planner).not.to.equal(victim);
      }
    });
  }

  it("is whole again 3 s after the fence of an exited process by its parent", async () => {
    const world = await fleet(dealt(64, "a", "b"), realistic);
    await world.run(20_000);
    world.kill("a");
    await world.direct.membership.fenceExited(world.at("a").id, "parent");
    expect(await world.until(() => world.allWorked)).to.be.at.most(2_500);
  });

  it("is whole again 3 s after a clean stop began", async () => {
    for (const afterMs of [20_000, 20_300, 20_600, 20_900]) {
      const world = await fleet(dealt(64, "a", "b"), realistic);
      await world.run(afterMs);
      const took = await world.stop("a");
      expect(took, `stopped at ${String(afterMs)}`).to.be.at.most(3_000);
      expect(world.allWorked).to.equal(true);
    }
  });

  it("shares with a third worker within 12 s, by the fewest moves", async () => {
    for (const afterMs of [20_000, 20_400, 22_800]) {
      const world = await fleet(dealt(64, "a", "b"), realistic);
      await world.run(afterMs);
      const from = world.time.nowMs;
      void world.make("c")[0]?.fleet.start();
      await world.until(() => (world.counts()["c"] ?? 0) >= 21 && world.allWorked, 30_000);
      expect(world.time.nowMs - from, `joined at ${String(afterMs)}`).to.be.at.most(12_000);
      await world.run(60_000);
      expect(world.events("handed-off").length).to.be.at.most(22);
    }
  });

  it("hands over worker by worker in a rolling restart and ends with every lease worked", async () => {
    const world = await fleet(dealt(64, "a", "b"), realistic);
    await world.run(20_000);
    for (const [old, next] of [
      ["a", "c"],
      ["b", "d"],
    ] as const) {
      await world.start(next);
      await world.run(15_000);
      await world.stop(old);
      await world.until(() => world.allWorked, 3_000);
    }
    await world.until(() => Math.abs((world.counts()["c"] ?? 0) - (world.counts()["d"] ?? 0)) <= 4, 30_000);
    expect(world.events("belief-lapsed")).to.have.length(0);
  });
});

describe("a fleet of eight under loss, delay and duplicates", () => {
  it("keeps every lease with one believer at most, and comes to rest", async () => {
    const labels = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const world = await fleet(dealt(40, ...labels));
    const end = world.store.network.begin({
      kind: "store-lossy",
      atMs: 0,
      forMs: 0,
      lostRequests: 0.05,
      lostAnswers: 0.05,
      duplicates: 0.05,
      delayed: 0.03,
    });
    await world.run(60_000);
    world.kill("c");
    await world.run(30_000);
    void world.at("d").fleet.stop();
    await world.run(60_000);
    end();
    await world.until(() => world.allWorked, 60_000);
    await world.run(60_000);
    const before = world.events("tenure-began").length;
    await world.run(120_000);
    expect(world.events("tenure-began")).to.have.length(before);
    expect(world.allWorked).to.equal(true);
  });
});
