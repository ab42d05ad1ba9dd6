import { expect } from "chai";
import { SimulatedFleet, type DeployRule, type SimulatedFleetOptions } from "./simulated-fleet.js";

const leases = 1_000;

function fleetOf(workers: number, more: Partial<SimulatedFleetOptions> = {}): SimulatedFleet {
  return new SimulatedFleet({ seed: 201, leases, workers, ...more });
}

interface Pace {
  /** From the start of a new worker to the stop of an old one. */
  readonly overlapMs?: number;
  /** From that stop to the next start. */
  readonly restMs?: number;
}

/** New workers come and old ones go, pair by pair. @returns changes of owner meanwhile, and until all is quiet */
function deploy(
  fleet: SimulatedFleet,
  count: number,
  from: string,
  to: string,
  { overlapMs = 30_000, restMs = 30_000 }: Pace = {},
): number {
  const before = fleet.changes;
  for (const old of fleet.ids(from).slice(0, count)) {
    fleet.join(to);
    fleet.run(overlapMs);
    fleet.leave(old);
    fleet.run(restMs);
  }
  fleet.run(30_000);
  return fleet.changes - before;
}

describe("a rolling deploy of 20 workers with 1,000 leases", () => {
  const paces: readonly (readonly [string, Pace, number?])[] = [
    ["old and new overlap for 30 s", {}],
    ["old and new hardly overlap", { overlapMs: 2_000, restMs: 6_000 }],
    ["the new warm up for minutes", { overlapMs: 180_000, restMs: 5_000 }, 8],
    [
      "each pair takes 9 minutes, all of them far longer than one hold",
      { overlapMs: 60_000, restMs: 480_000 },
      5,
    ],
  ];
  for (const [what, pace, workers = 20] of paces) {
    it(`moves at most 1.1 times 1,000 where ${what}`, () => {
      for (const seed of [201, 202]) {
        const fleet = fleetOf(workers, { seed });
        expect(deploy(fleet, workers, "v1", "v2", pace)).to.be.within(1_000, 1_100);
        expect(fleet.maxToMean).to.be.at.most(1.1);
      }
    });
  }

  it("moves 1,880 without the rule: each newcomer's filling and each leaver's leaving move everything twice", () => {
    expect(deploy(fleetOf(20, { rule: "none" }), 20, "v1", "v2")).to.be.within(1_850, 1_900);
    expect(deploy(fleetOf(20, { deployHoldMs: 0 }), 20, "v1", "v2")).to.be.within(1_850, 1_900);
  });

  it("moves at most 1.1 times 1,000 where all the new start at once before the first old one stops", () => {
    const fleet = fleetOf(20);
    const old = fleet.ids();
    for (let i = 0; i < 20; i++) fleet.join("v2");
    fleet.run(60_000);
    expect(fleet.changes).to.equal(0);
    for (const id of old) {
      fleet.leave(id);
      fleet.run(5_000);
    }
    fleet.run(60_000);
    expect(fleet.changes).to.be.within(1_000, 1_100);
    expect(fleet.maxToMean).to.be.at.most(1.1);
  });

  it("moves at most 1.1 times the floor where old ones stop in fives beside five new ones", () => {
    const fleet = fleetOf(20);
    for (let batch = 0; batch < 4; batch++) {
      for (let i = 0; i < 5; i++) fleet.join("v2");
      fleet.run(30_000);
      for (const id of fleet.ids("v1").slice(0, 5)) fleet.leave(id);
      fleet.run(30_000);
    }
    expect(fleet.changes).to.be.within(1_000, 1_100);
    expect(fleet.maxToMean).to.be.at.most(1.1);
  });

  it("moves little more than one worker's share beyond the floor where each old one stops before its successor starts", () => {
    const fleet = fleetOf(20);
    for (const id of fleet.ids()) {
      fleet.leave(id);
      fleet.run(10_000);
      fleet.join("v2");
      fleet.run(20_000);
    }
    fleet.run(30_000);
    // The first one's leases have no newer worker to go to, and the last of the new finds no leaver any more.
    expect(fleet.changes).to.be.within(1_000, 1_150);
    expect(fleet.maxToMean).to.be.at.most(1.1);
  });

  it("rolled back half-way moves 500 back, by the highest join; by the label that appeared last it is more", () => {
    const rollback = (rule: DeployRule): number => {
      const fleet = fleetOf(20, { rule });
      deploy(fleet, 10, "v1", "v2");
      return deploy(fleet, 10, "v2", "v1");
    };
    expect(rollback("highest-join")).to.be.within(500, 550);
    expect(rollback("appeared-last")).to.be.above(550);
    expect(rollback("none")).to.be.above(900);
  });

  it("rolled back slowly, long after its own hold, moves 500 back all the same", () => {
    const fleet = fleetOf(20);
    deploy(fleet, 10, "v1", "v2");
    fleet.run(300_000);
    expect(deploy(fleet, 10, "v2", "v1", { restMs: 120_000 })).to.be.within(500, 550);
  });

  it("overtaken by a third version moves each lease at most once more", () => {
    const fleet = fleetOf(20);
    deploy(fleet, 10, "v1", "v2");
    const before = fleet.changes;
    deploy(fleet, 10, "v2", "v3");
    deploy(fleet, 10, "v1", "v3");
    expect(fleet.changes - before).to.be.within(1_000, 1_100);
    expect(fleet.ids("v3")).to.have.length(20);
    expect(fleet.maxToMean).to.be.at.most(1.1);
  });

  it("goes on where an old worker dies and is started again in the middle", () => {
    const fleet = fleetOf(20);
    deploy(fleet, 5, "v1", "v2");
    const before = fleet.changes;
    fleet.crash(fleet.ids("v1")[0] ?? "");
    fleet.run(5_000);
    // A new process of the old version: it is the newest until the next of the new starts.
    fleet.join("v1");
    fleet.run(30_000);
    deploy(fleet, 15, "v1", "v2");
    // 750 are left, the dead one's 50 move once more, and its like of the old are filled by nobody.
    expect(fleet.changes - before).to.be.within(750, 1.1 * 800);
    expect(fleet.ids("v1")).to.have.length(0);
    expect(fleet.maxToMean).to.be.at.most(1.1);
  });
});

describe("a canary", () => {
  it("waits for the hold, then has its share like everybody; the deploy that follows has its own hold", () => {
    const fleet = fleetOf(20);
    const canary = fleet.join("v2");
    fleet.run(590_000);
    expect(fleet.changes).to.equal(0);
    fleet.run(40_000);
    expect(fleet.counts[canary]).to.be.at.least(42);
    expect(fleet.maxToMean).to.be.at.most(1.1);
    fleet.run(3_000_000);
    const before = fleet.changes;
    deploy(fleet, 19, "v1", "v2");
    expect(fleet.changes - before).to.be.at.most(1.1 * leases);
  });

  it("that crashes and comes back for ever keeps nobody from being balanced", () => {
    const fleet = fleetOf(3, { leases: 60 });
    let canary = fleet.join("v2");
    fleet.run(1_000);
    for (let i = 0; i < 7; i++) {
      fleet.run(120_000);
      fleet.crash(canary);
      canary = fleet.join("v2");
    }
    fleet.run(60_000);
    expect(fleet.counts[canary]).to.be.at.least(12);
  });
});

describe("workers that are no deploy", () => {
  it("of one label are filled when they join, and restarted under it one by one move as they always did", () => {
    const same = fleetOf(20);
    const moved = deploy(same, 20, "v1", "v1");
    expect(moved).to.equal(deploy(fleetOf(20, { rule: "none" }), 20, "v1", "v1"));
    expect(same.maxToMean).to.be.at.most(1.1);
  });

  it("alone give a successor everything", () => {
    const fleet = fleetOf(1, { leases: 40 });
    const [old = ""] = fleet.ids();
    const fresh = fleet.join("v2");
    fleet.run(30_000);
    expect(fleet.changes).to.equal(0);
    fleet.leave(old);
    fleet.run(10_000);
    expect(fleet.counts).to.deep.equal({ [fresh]: 40 });
    expect(fleet.changes).to.equal(40);
  });
});
