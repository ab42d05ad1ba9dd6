import { expect } from "chai";
import { Heartbeat } from "../../src/fleet/heartbeat.js";
import { identity, quiet } from "../testing/rows.js";
import { dealt, fleet, World, type Process } from "./harness.js";

const only = (processes: readonly Process[]): Process => {
  const [process] = processes;
  if (process === undefined) throw new Error("none");
  return process;
};

describe("a worker's creation", () => {
  it("makes a row at beat 0, which is no beat and no belief", async () => {
    const world = new World();
    world.befall("membership.beat", "lost");
    const a = only(world.make("a"));
    await world.time.runUntilSettled(a.fleet.start());
    expect(world.workerRow("a")?.beat).to.equal(0);
    await world.run(1_000);
    expect(a.worker.belief.holds()).to.equal(false);
    expect(a.believes).to.deep.equal([]);
  });

  it("precedes the first take", async () => {
    const world = new World({ source: ["s1"] });
    await world.start("a");
    await world.until(() => world.allWorked && world.owners()["s1"] === "a");
    const [create] = world.arrived("membership.create");
    const [take] = world.arrived("ownership.change");
    expect(take?.atMs).to.be.greaterThan(create?.atMs ?? Infinity);
  });

  it("is conditional: one that arrives late lifts no fence", async () => {
    const world = new World();
    world.befall("membership.create", { laterMs: 6_000 }, "a", 1);
    await world.start("a");
    const [first = ""] = world.at("a").announced;
    await world.direct.membership.fenceExited(first, "its parent");
    await world.run(10_000);
    expect(world.workerRow(first)?.fencedBy).to.equal("its parent");
  });

  it("takes the row of its own unanswered request for its own", async () => {
    const world = new World();
    world.befall("membership.create", "unanswered", "a", 1);
    await world.start("a");
    expect(world.at("a").announced).to.have.length(1);
    expect(world.arrived("membership.create")).to.have.length(1);
  });

  it("repeats what was refused at the door under the same id", async () => {
    const world = new World();
    world.befall("membership.create", "down", "a", 2);
    await world.start("a");
    expect(world.at("a").announced).to.have.length(1);
  });

  it("is one request for one id: where it stays unknown whether the row was made, another id is taken", async () => {
    const world = new World();
    world.befall("membership.create", { laterMs: 6_000 }, "a", 1);
    await world.start("a");
    const { id, announced } = world.at("a");
    expect(announced).to.have.length(2);
    expect(id).to.equal(announced[1]);
  });

  it("fails after D in which no request was answered and no row was there", async () => {
    const world = new World();
    world.befall("membership.create", "lost");
    const failed = only(world.make("a"))
      .fleet.start()
      .then(
        () => "",
        (error: unknown) => String(error),
      );
    expect(await world.time.runUntilSettled(failed)).to.match(
      /create the row of a-\S+: no answer within 2000 ms; .*raise leaseDurationMs/,
    );
    expect(world.at("a").announced.length).to.be.within(3, 6);
  });

  it("takes a new id where a row of that id has beaten", async () => {
    const world = new World();
    const foreign = "a-000000010000";
    world.rows.setWorker({ ...identity(foreign), ...quiet, beat: 4, mailbox: new Map() });
    await world.start("a");
    expect(world.at("a").announced).to.have.length(2);
    expect(world.at("a").id).not.to.equal(foreign);
    expect(world.workerRow(foreign)?.beat).to.equal(4);
  });

  it("takes a new id where an unbeaten row of that id is fenced", async () => {
    const world = new World();
    world.rows.setWorker({
      ...identity("a-000000010000"),
      ...quiet,
      beat: 0,
      fencedBy: "parent",
      fenceKind: "parent",
      mailbox: new Map(),
    });
    await world.start("a");
    expect(world.at("a").announced).to.have.length(2);
  });

  it("gives up after three ids that were taken, and says where to look", async () => {
    const world = new World();
    for (const n of [1, 2, 3]) {
      const id = `a-0000000${String(n)}0000`;
      world.rows.setWorker({ ...identity(id), ...quiet, beat: 4, mailbox: new Map() });
    }
    const a = only(world.make("a"));
    const failed = a.fleet.start().then(
      () => "",
      (error: unknown) => String(error),
    );
    expect(await world.time.runUntilSettled(failed)).to.match(/3 new ids.*rows named a-/);
  });

  it("is announced before the row is made", async () => {
    const world = new World();
    const a = only(world.make("a"));
    a.announce = () => new Promise(() => undefined);
    void a.fleet.start();
    await world.run(10_000);
    expect(a.announced).to.have.length(1);
    expect(world.arrived("membership.create")).to.have.length(0);
  });
});

describe("a beat", () => {
  it("comes every h, jittered from 0.9 to 1", async () => {
    const world = await fleet({ s1: "a" });
    await world.run(60_000);
    const times = world.events("beat-sent", "a").map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
    expect(Math.min(...gaps)).to.be.at.least(2_250);
    expect(Math.max(...gaps)).to.be.at.most(2_500 + 20);
    expect(new Set(gaps.map(Math.round)).size).to.be.greaterThan(5);
  });

  it("raises the row's beat by one each", async () => {
    const world = await fleet({ s1: "a" });
    await world.run(30_000);
    const beats = world.events("beat-acknowledged", "a").map(({ beat }) => beat);
    expect(beats).to.deep.equal(beats.map((_, i) => i + 1));
    expect(world.workerRow("a")?.beat).to.equal(beats.length);
  });

  it("is alone on its way, however slow the store is", async () => {
    const world = new World({ conditions: { latencyMs: [900, 900] } });
    await world.start("a");
    await world.run(30_000);
    const sent = world.events("beat-sent", "a");
    const answered = world.events("beat-acknowledged", "a");
    for (const [i, { atMs }] of sent.slice(1).entries()) {
      expect(atMs).to.be.at.least(answered[i]?.atMs ?? Infinity);
    }
    expect(answered.length).to.be.greaterThan(5);
  });

  it("whose repeat is refused with its own number and no fence counts as acknowledged", async () => {
    const world = await fleet({ s1: "a" });
    world.befall("membership.beat", "unanswered", "a", 1);
    await world.run(12_000);
    const beats = world.events("beat-acknowledged", "a").map(({ beat }) => beat);
    expect(beats).to.deep.equal(beats.map((_, i) => i + 1));
    expect(world.events("beat-sent", "a").some(({ attempt }) => attempt === 2)).to.equal(true);
    expect(world.events("belief-lapsed")).to.have.length(0);
  });

  it("that is refused is tried again four times in h at least, so that a belief outlives an outage of half of it", async () => {
    const world = await fleet({ s1: "a" });
    const since = world.time.nowMs;
    const end = world.outage("all", "a");
    await world.run(7_000);
    end();
    await world.run(5_000);
    const tries = world.events("beat-sent", "a").filter(({ atMs, attempt }) => atMs > since && attempt > 1);
    const gaps = tries.slice(1).map(({ atMs }, i) => atMs - (tries[i]?.atMs ?? 0));
    expect(tries.length).to.be.greaterThan(8);
    expect(Math.max(...gaps)).to.be.at.most(2_500 / 4 + 20);
  });

  it("counts from the send time of its FIRST attempt, not from the one that was answered", async () => {
    const world = await fleet({ s1: "a" });
    world.befall("membership.beat", "unanswered", "a", 1);
    await world.until(() => world.events("beat-acknowledged", "a").some(({ ageMs }) => ageMs > 2_000));
    const remainingMs = world.at("a").worker.belief.remainingMs();
    expect(remainingMs).to.be.at.most(9_000 - 2_000);
    expect(remainingMs).to.be.greaterThan(5_000);
  });

  it("counts from its first attempt even across separate calls", async () => {
    const world = await fleet({ s1: "a" });
    // The first attempt lands and is not answered; the call is given up after D and another one begun.
    world.befall("membership.beat", "unanswered", "a", 1);
    const end = world.befall("membership.beat", "lost", "a");
    await world.run(16_000);
    end();
    const since = world.time.nowMs;
    const isLate = ({ atMs }: { readonly atMs: number }): boolean => atMs >= since;
    await world.until(() => world.events("beat-acknowledged", "a").filter(isLate).length >= 2);
    const [first, second] = world.events("beat-acknowledged", "a").filter(isLate);
    expect(first?.ageMs).to.be.greaterThan(12_500);
    // It brought no belief, so the next one does not rest for h first.
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).to.be.lessThan(100);
    expect(world.at("a").worker.belief.holds()).to.equal(true);
  });

  it("alone extends belief: neither takes, nor checkpoints, nor reads do", async () => {
    const world = await fleet({ s1: "a" });
    world.befall("membership.beat", "down", "a");
    await world.run(4_000);
    const { belief, tenures } = world.at("a").worker;
    const before = belief.remainingMs();
    const at = world.time.nowMs;
    world.free("s2");
    await world.time.runUntilSettled(tenures.lane("s2").take(world.lease("s2"), undefined));
    await world.run(500);
    expect(belief.remainingMs()).to.equal(before - (world.time.nowMs - at));
    expect(world.at("a").believes).to.deep.equal(["s1", "s2"]);
    await world.run(9_000);
    expect(world.at("a").believes).to.deep.equal([]);
  });

  it("comes early, and once, for many who ask at the same time", async () => {
    const world = await fleet({ s1: "a" });
    await world.run(300);
    const before = world.arrived("membership.beat").length;
    for (let n = 0; n < 10; n++) {
      const key = `note#x#1#${String(n)}`;
      const note = { kind: "note", leaseKey: `x${String(n)}`, epoch: 1, from: "b" } as const;
      await world.direct.membership.post(world.at("a").id, new Map([[key, note]]));
    }
    await world.run(1_300);
    expect(world.mail("a")).to.deep.equal([]);
    expect(world.arrived("membership.beat").length - before).to.equal(1);
  });
});

describe("a beat vouches for the worker's own loops", () => {
  async function beating(): Promise<{
    readonly world: World;
    readonly acknowledged: () => number;
    readonly round: () => void;
    readonly stop: () => void;
  }> {
    const world = new World();
    const { clock, store, fleet: _fleet, ...rest } = only(world.make("a"));
    await world.direct.membership.create(identity("w"), quiet);
    let rounds = 1;
    let acknowledged = 0;
    const heartbeat = new Heartbeat(
      {
        ...rest,
        store,
        clock,
        config: world.config,
        random: { next: () => 0.5, id: () => "0" },
        keeper: { discover: () => Promise.resolve(0), cleanUp: () => Promise.resolve() },
        emit: (event) => world.log.push({ atMs: world.time.nowMs, by: "w", event }),
        machine: { host: "", pid: 0 },
        deployment: undefined,
      },
      "w",
      {
        status: () => quiet,
        answeredMail: () => [],
        rounds: () => rounds,
        acknowledged: () => (acknowledged += 1),
        ended: () => undefined,
        failed: () => undefined,
      },
    );
    void heartbeat.run();
    return {
      world,
      acknowledged: () => acknowledged,
      round: () => (rounds += 1),
      stop: () => {
        heartbeat.stop();
      },
    };
  }

  it("and stops after ⌈D/h⌉ + 1 beats without a round", async () => {
    const { world, acknowledged, stop } = await beating();
    await world.run(60_000);
    expect(acknowledged()).to.equal(5);
    expect(world.events("beat-withheld").length).to.be.greaterThan(10);
    stop();
  });

  it("and starts again within h of a round", async () => {
    const { world, acknowledged, round, stop } = await beating();
    await world.run(60_000);
    round();
    await world.run(2_500);
    expect(acknowledged()).to.equal(6);
    stop();
  });

  it("and goes on as long as rounds end", async () => {
    const { world, acknowledged, round, stop } = await beating();
    for (let s = 0; s < 60; s++) {
      round();
      await world.run(1_000);
    }
    expect(acknowledged()).to.be.at.least(24);
    stop();
  });

  for (const how of ["refusing", "silent"] as const) {
    it(`while the store's reads are ${how}: a round that ends in a store error has ended`, async () => {
      const world = await fleet({ s1: "a" });
      world.outage("reads", undefined, how);
      await world.run(60_000);
      expect(world.events("beat-withheld")).to.have.length(0);
      expect(world.events("belief-lapsed")).to.have.length(0);
      expect(world.events("beat-acknowledged", "a").length).to.be.at.least(23);
    });
  }

  it("while a drain and a discovery hang: no task holds up a round or a beat", async () => {
    const world = await fleet(dealt(4, "a", "b"));
    const a = world.at("a");
    a.host.drainHangs = true;
    for (const label of ["a", "b"]) world.at(label).discover = () => new Promise(() => undefined);
    await world.directive("s00", "a", "b");
    await world.run(5_000);
    expect(a.host.calls.some(({ what }) => what === "drain")).to.equal(true);
    const from = world.time.nowMs;
    await world.run(30_000);
    expect(world.arrived("membership.readFleet", "a", from).length).to.be.at.least(29);
    expect(world.arrived("membership.beat", "a", from).length).to.be.at.least(12);
    expect(world.events("belief-lapsed")).to.have.length(0);
  });

  it("and says blind after D without a good read of the fleet, and no longer after the next", async () => {
    const world = await fleet({ s1: "a", s2: "b" });
    const end = world.outage("reads", "a");
    await world.run(9_500);
    expect(world.workerRow("a")?.blind).to.equal(false);
    await world.run(5_000);
    expect(world.workerRow("a")?.blind).to.equal(true);
    end();
    await world.run(4_000);
    expect(world.workerRow("a")?.blind).to.equal(false);
  });
});
