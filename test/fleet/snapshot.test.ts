import { expect } from "chai";
import type { Member } from "../../src/fleet/member.js";
import { snapshotOf } from "../../src/fleet/snapshot.js";
import { resolveProtocol } from "../../src/model/config.js";
import { position } from "../../src/model/position.js";

/** The member's view of leases with these throughputs. */
function seen(throughputs: readonly (number | undefined)[]): Member {
  const leases = throughputs.map((throughputKBps, i) => ({
    leaseKey: `s${String(i)}`,
    owner: "a",
    epoch: 1,
    checkpoint: position("LATEST"),
    parents: [],
    marked: false,
    ...(throughputKBps === undefined ? {} : { throughputKBps }),
  }));
  return {
    workerId: "a",
    fleet: { workers: [], isFree: () => false },
    leases: { all: () => leases, isUnreadable: () => false, get: () => undefined },
    deps: { config: resolveProtocol(), clock: { now: () => ({ monoMs: 0 }) } },
  } as unknown as Member;
}

describe("what a plan sees of the rows", () => {
  it("is no trickle that differs from the next shard's: quiet leases count alike", () => {
    const { weights } = snapshotOf(seen([0.006, 0, 40, undefined]));
    expect([...(weights ?? [])]).to.deep.equal([1, 1, 40, NaN]);
  });
});
