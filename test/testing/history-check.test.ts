import { expect } from "chai";
import type { HistoryEntry } from "../../src/model/history.js";
import type { Lease } from "../../src/model/lease.js";
import { trimHorizon } from "../../src/model/position.js";
import type { TenureReason } from "../../src/model/reasons.js";
import { MemoryTables } from "../../src/store/memory/index.js";
import { checkHistory } from "../../src/testing/history-check.js";
import { collectReports } from "./reports.js";

const since = "2026-01-01T00:00:00.000Z";

function entry(epoch: number, reason: TenureReason, endedBy: TenureReason): HistoryEntry {
  return { leaseKey: "a", epoch, reason, since, until: since, endedBy };
}

/** A row at epoch 14, held since then, with its previous tenure; the history is the test's. */
function found(...entries: readonly HistoryEntry[]): readonly string[] {
  return foundIn(entries, false);
}

function foundIn(entries: readonly HistoryEntry[], madeAgain: boolean): readonly string[] {
  const tables = new MemoryTables();
  const lease: Lease = {
    leaseKey: "a",
    epoch: 14,
    owner: "w1",
    checkpoint: trimHorizon,
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
    tenure: { epoch: 14, reason: "handoff", worker: "w1", since },
    previousTenure: { epoch: 13, reason: "released", since },
  };
  tables.setLease(lease);
  for (const one of entries) tables.addHistory(one);
  const { report, says } = collectReports();
  checkHistory(tables, report, { except: new Set(), madeAgain });
  return says;
}

const created = entry(11, "created", "taken");
const taken = entry(12, "taken", "released");

describe("the check of the history", () => {
  it("finds nothing wrong with every epoch from the creation to the row", () => {
    expect(found(created, taken)).to.deep.equal([]);
    expect(found(created, taken, entry(13, "released", "handoff"))).to.deep.equal([]);
  });

  it("reports an epoch that is missing", () => {
    expect(found(created)).to.have.length(1);
    expect(found(created)[0]).to.match(/epochs 0 2 3 /);
  });

  it("reports an entry that tells no end, unless it is a deletion mark's", () => {
    const { endedBy, ...endless } = taken;
    expect(endedBy).to.equal("released");
    expect(found(created, endless)[0]).to.match(/ended by undefined, the next began as released/);
    const mark: HistoryEntry = { leaseKey: "a", epoch: 12, reason: "deleted", since, until: since };
    expect(found(entry(11, "created", "deleted"), mark)).to.deep.equal([]);
  });

  it("reports an entry of what has not happened", () => {
    expect(found(created, taken, entry(15, "released", "taken"))[0]).to.match(/stands at 3/);
  });

  it("reports a beginning that is no creation", () => {
    expect(found(taken)[0]).to.match(/begins with taken/);
  });

  it("reports an end that is not how the next one began", () => {
    expect(found(created, entry(12, "taken", "deleted"))[0]).to.match(
      /ended by deleted, the next began as released/,
    );
  });

  it("reports what lies any number of epochs below, unless the tables were made again since", () => {
    const late = entry(11 - 2 ** 50, "taken", "released");
    expect(found(late, created, taken)[0]).to.match(/ and stands at /);
    expect(foundIn([late, created, taken], true)).to.deep.equal([]);
    const ahead = entry(14 + 2 ** 50, "taken", "released");
    expect(found(created, taken, ahead)[0]).to.match(/ and stands at /);
    expect(foundIn([created, taken, ahead], true)).to.deep.equal([]);
    const beyond = [entry(15, "released", "taken"), entry(16, "taken", "released")];
    for (const n of [1, 2]) {
      const says = foundIn([created, taken, ...beyond.slice(0, n), ahead], true);
      expect(says[0], "next to the present row's life").to.match(/ and stands at 3/);
    }
    expect(foundIn([late, created], true), "a gap in the present row's life").to.have.length(1);
  });
});
