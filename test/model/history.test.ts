import { expect } from "chai";
import { entryToArchive, lastEntryOf } from "../../src/model/history.js";
import type { Lease } from "../../src/model/lease.js";
import { row } from "../history/lease-rows.js";

const lease: Lease = {
  ...row("s1", "b@6"),
  previousTenure: { epoch: 5, worker: "a", reason: "taken-from-fenced", cause: "observer", since: "from" },
  tenure: { epoch: 6, worker: "b", reason: "handoff", cause: "stop", since: "to" },
};

describe("what is archived before a change of tenure", () => {
  it("is the previous tenure, ended as the present one began", () => {
    expect(entryToArchive(lease)).to.deep.equal({
      leaseKey: "s1",
      epoch: 5,
      worker: "a",
      reason: "taken-from-fenced",
      cause: "observer",
      since: "from",
      until: "to",
      endedBy: "handoff",
      endCause: "stop",
    });
  });

  it("leaves out whom and what the row does not name", () => {
    const entry = entryToArchive({
      ...lease,
      previousTenure: { epoch: 5, reason: "created", since: "from" },
      tenure: { epoch: 6, worker: "b", reason: "taken", since: "to" },
    });
    expect(entry).to.have.all.keys("leaseKey", "epoch", "reason", "since", "until", "endedBy");
  });

  it("is nothing where the row has one tenure or none", () => {
    const { previousTenure: _p, ...one } = lease;
    const { tenure: _t, ...none } = one;
    expect(entryToArchive(one)).to.equal(undefined);
    expect(entryToArchive(none)).to.equal(undefined);
  });

  it("depends on the row alone: a late duplicate says the same", () => {
    expect(entryToArchive({ ...lease })).to.deep.equal(entryToArchive(lease));
  });

  it("is the present tenure too when the row itself goes", () => {
    expect(lastEntryOf(lease)).to.include({ epoch: 6, worker: "b", until: "to" });
    expect(lastEntryOf(lease), "it has not ended").not.to.have.any.keys("endedBy", "endCause");
    const { tenure: _t, ...none } = lease;
    expect(lastEntryOf(none)).to.equal(undefined);
  });
});
