import { expect } from "chai";
import { leaseState, parentsAreDone } from "../../src/model/lease.js";
import { position } from "../../src/model/position.js";
import { leases, row } from "../history/lease-rows.js";

describe("a lease row", () => {
  it("is owned, free, finished or marked, in rising order of what counts", () => {
    expect(leaseState(row("s1", "me@5"))).to.equal("owned");
    expect(leaseState(row("s1", "free@5"))).to.equal("free");
    expect(leaseState({ ...row("s1", "me@5"), checkpoint: position("SHARD_END") })).to.equal("finished");
    expect(leaseState({ ...row("s1", "free@5:SHARD_END"), marked: true })).to.equal("marked");
  });

  it("may be worked when each parent is finished, marked or gone, and not before", () => {
    const known = leases({ open: "w2@3:7", finished: "free@4:SHARD_END", marked: "free@4:9" });
    const find = (key: string): ReturnType<typeof row> | undefined =>
      key === "marked" ? { ...known.get(key)!, marked: true } : known.get(key);
    const may = (...parents: string[]): boolean => parentsAreDone({ parents }, find);
    expect(may()).to.equal(true);
    expect(may("finished", "marked", "gone")).to.equal(true);
    expect(may("open")).to.equal(false);
    expect(may("finished", "open")).to.equal(false);
  });
});
