import { expect } from "chai";
import { planWeight } from "../../src/model/plan-weight.js";
import { evenFleet, runRounds } from "./plan-fleet.js";

describe("the weight of a lease", () => {
  it("is its throughput", () => {
    expect(planWeight(7.5)).to.equal(7.5);
  });

  it("is unknown where the row says nothing of use", () => {
    for (const nothing of [undefined, Number.NaN, -1]) expect(planWeight(nothing)).to.equal(undefined);
  });

  it("never falls below that of a shard that is merely polled", () => {
    expect([0, 0.001, 0.9].map(planWeight)).to.deep.equal([1, 1, 1]);
  });

  it("lets a newcomer have half of 64 quiet shards (bug: what trickles had left in the rows gave it 17, or 52)", () => {
    const weights = Array.from({ length: 64 }, (_, i) => planWeight(i < 12 ? 0.006 : 0.001));
    const run = runRounds(evenFleet(64, 1, { weights, workers: { new: { joining: true } } }), 60);
    const got = run.snapshot.leases.filter(({ owner }) => owner === "new").length;
    expect(got).to.be.within(31, 33);
  });
});
