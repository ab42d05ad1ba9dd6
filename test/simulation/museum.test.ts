import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Scenario } from "../../src/testing/scenario.js";
import { simulate } from "../../src/testing/simulator.js";

/** A scenario as it was drawn when it found its bug: what a seed draws changes as the simulator grows. */
function kept(name: string): Scenario {
  const file = new URL(`museum/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Scenario;
}

/** Bugs that a simulation found, by the scenarios that found them. They stay, so that the bugs do not come back. */
describe("the museum of simulated bugs", function () {
  this.timeout(60_000);

  for (const name of ["rolling-139", "rolling-143"]) {
    it(`a start whose tables' answer was lost hung for 15 minutes, and the dead fleet's leases with it (${name})`, async () => {
      const result = await simulate(kept(name));
      expect(result.ownedAfterMs).to.be.at.least(0);
    });
  }

  for (const name of ["merge-m2", "merge-m4", "merge-m7"]) {
    // A shard is split and one half merged with its neighbour, whose end is reached before the split one's.
    it(`a merge's child began before its other parent had a row (${name})`, async () => {
      const result = await simulate(kept(name));
      expect(result.emitted.get("partition-ended")).to.equal(3);
    });
  }

  // Nothing of a row at its first two epochs is in the history. Deleted by hand there, it was made again at an epoch that came
  // from the creator's wall clock alone, and that clock was behind the first creator's.
  it("a lease deleted by hand right after its creation came back below epochs already used (deleted-at-first-epoch-95)", async () => {
    const result = await simulate(kept("deleted-at-first-epoch-95"));
    expect(result.emitted.get("lease-created")).to.be.greaterThan(result.scenario.shards);
  });

  // The resume was sent before the worker read the operator's fence, and answered after. The lane looked at its worker's mode
  // before it sent, and afterwards only for whether the worker had ended.
  it("a worker began a resumed lease after it had read an operator's fence (fenced-while-resuming-13)", async () => {
    const result = await simulate(kept("fenced-while-resuming-13"));
    expect(result.emitted.get("force-fenced")).to.be.greaterThan(0);
    expect(result.transitions.get("resumed")).to.be.greaterThan(0);
  });

  // A claim for itself was on its way, unanswered, when the worker began to leave; it was repeated after `left` had been sent,
  // and the fleet had a planner that was gone.
  it("a leaver claimed the planner lease for itself after it had left (claims-while-leaving-2)", async () => {
    const result = await simulate(kept("claims-while-leaving-2"));
    expect(result.emitted.get("leave-sent")).to.be.greaterThan(0);
  });

  // The belief lapsed in the middle of a call that did not break off when it was told to. The tenure resumed since has nothing in
  // flight of its own, so it was drained at once, and the next owner worked beside that call.
  it("a resumed lease was handed over while a call of the tenure before ran (given-beside-an-earlier-call-886)", async () => {
    const result = await simulate(kept("given-beside-an-earlier-call-886"));
    expect(result.transitions.get("resumed")).to.be.greaterThan(0);
    expect(result.transitions.get("handoff")).to.be.greaterThan(0);
  });
});
