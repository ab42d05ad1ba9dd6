import { expect } from "chai";
import type { Lease, TenureRecord } from "../../src/model/lease.js";
import { position, shardEnd } from "../../src/model/position.js";
import type { TenureReason } from "../../src/model/reasons.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { MemoryTables } from "../../src/store/memory/index.js";
import { RowChecks } from "../../src/testing/row-checks.js";
import { collectReports } from "./reports.js";
import { identity, quiet } from "./rows.js";

const since = "2026-01-01T00:00:00.000Z";

function tenure(epoch: number, reason: TenureReason, worker?: string): TenureRecord {
  return { epoch, reason, since, ...(worker === undefined ? {} : { worker }) };
}

const created: Lease = {
  leaseKey: "a",
  epoch: 10,
  checkpoint: position("100"),
  ownerSwitchesSinceCheckpoint: 0,
  ownersWornOut: 0,
  parents: [],
  children: [],
  marked: false,
  tenure: tenure(10, "created"),
};

/** The row after a proper change of tenure. */
function next(before: Lease, reason: TenureReason, owner?: string): Lease {
  const { owner: _owner, previousTenure: _previous, ...kept } = before;
  return {
    ...kept,
    epoch: before.epoch + 1,
    tenure: tenure(before.epoch + 1, reason, owner),
    ...(owner === undefined ? {} : { owner }),
    ...(before.tenure === undefined ? {} : { previousTenure: before.tenure }),
  };
}

function worker(workerId: string, beat: number, fencedBy?: string): WorkerRow {
  const fence = fencedBy === undefined ? {} : ({ fencedBy, fenceKind: "observer" } as const);
  return { ...identity(workerId), ...quiet, beat, mailbox: new Map(), ...fence };
}

class Setting {
  readonly tables: MemoryTables;
  readonly found = collectReports();
  remainingMs = 0;
  undone: string | undefined;
  nowMs = 0;
  readonly checks: RowChecks;

  constructor(tables = new MemoryTables()) {
    this.tables = tables;
    this.checks = new RowChecks(
      tables,
      {
        remainingMs: () => this.remainingMs,
        undone: () => this.undone,
        checkpointBy: (writeId) => (writeId === "late" ? { owner: "w1", epoch: 11 } : undefined),
        nowMs: () => this.nowMs,
        forcedFreeMs: 12_438,
      },
      this.found.report,
    );
  }

  lease(...rows: readonly Lease[]): readonly string[] {
    for (const row of rows) {
      this.tables.setLease(row);
      this.checks.check();
    }
    return this.found.names;
  }

  worker(...rows: readonly WorkerRow[]): readonly string[] {
    for (const row of rows) {
      this.tables.setWorker(row);
      this.checks.check();
    }
    return this.found.names;
  }
}

const taken = next(created, "taken", "w1");

describe("the checks of rows", () => {
  it("find nothing wrong with a lease's proper life", () => {
    const s = new Setting();
    const advanced = { ...taken, checkpoint: position("1000") };
    const given = next(advanced, "handoff", "w2");
    const released = next(given, "released");
    const again = next(released, "taken", "w3");
    const stolen = next(again, "taken-from-fenced", "w2");
    const resumed = next(stolen, "resumed", "w2");
    s.worker(worker("w3", 1), worker("w3", 2), worker("w3", 2, "w2"));
    s.lease(created, taken, advanced, given, released, again, stolen, resumed, {
      ...resumed,
      checkpoint: shardEnd,
    });
    expect(s.found.says).to.deep.equal([]);
    expect(s.checks.ownerChanges).to.equal(5);
  });

  it("report an epoch that goes back, jumps, or stands still while the owner changes", () => {
    for (const row of [
      { ...taken, epoch: 9, tenure: tenure(9, "taken", "w1") },
      { ...taken, epoch: 12, tenure: tenure(12, "taken", "w1") },
      { ...created, owner: "w1", tenure: tenure(10, "taken", "w1") },
    ]) {
      expect(new Setting().lease(created, row)).to.include("epochs-increase");
    }
  });

  it("report the first change of a row that stood before they were made, and nothing of how it stands", () => {
    const tables = new MemoryTables();
    tables.setLease(taken);
    tables.setWorker(worker("w2", 7));
    const s = new Setting(tables);
    s.checks.check();
    expect(s.found.says).to.deep.equal([]);
    expect(s.lease({ ...taken, epoch: 9, tenure: tenure(9, "taken", "w1") })).to.include("epochs-increase");
    expect(s.worker(worker("w2", 9))).to.include("belief-rests-on-beats");
  });

  it("are the only ones of their tables", () => {
    const s = new Setting();
    expect(() => new Setting(s.tables)).to.throw(Error, /watched already/);
  });

  it("report a lease taken from a worker that neither gave it up nor is fenced", () => {
    const s = new Setting();
    s.worker(worker("w1", 4));
    expect(s.lease(created, taken, next(taken, "taken-from-fenced", "w2"))).to.deep.equal([
      "taken-only-when-free",
    ]);
    const missing = new Setting();
    expect(missing.lease(created, taken, next(taken, "taken", "w2"))).to.deep.equal(["taken-only-when-free"]);
  });

  it("report a checkpoint that goes back, by its number and not by its digits", () => {
    const s = new Setting();
    s.lease(created, taken, { ...taken, checkpoint: position("1000") });
    expect(s.found.names).to.deep.equal([]);
    expect(s.lease({ ...taken, checkpoint: position("999") })).to.deep.equal(["checkpoints-advance"]);
  });

  it("report a checkpoint of a deposed owner, and of its owner in an earlier epoch", () => {
    const late = { checkpoint: position("200"), writeId: "late" };
    expect(new Setting().lease(created, taken, { ...taken, ...late })).to.deep.equal([]);
    for (const owner of ["w2", "w1"]) {
      const given = next(taken, "handoff", owner);
      expect(new Setting().lease(created, taken, given, { ...given, ...late })).to.deep.equal([
        "deposed-writes-nothing",
      ]);
    }
  });

  it("report a pending checkpoint that goes back", () => {
    const s = new Setting();
    s.lease(created, { ...created, pendingCheckpoint: position("120") });
    expect(s.found.names).to.deep.equal([]);
    expect(s.lease({ ...created, pendingCheckpoint: position("110") })).to.deep.equal([
      "checkpoints-advance",
    ]);
  });

  it("report a change that does not rotate the tenure, or names another", () => {
    const forgotten = { ...taken, previousTenure: tenure(9, "released") };
    expect(new Setting().lease(created, forgotten)).to.deep.equal(["history-is-whole"]);
    const wrong = { ...taken, tenure: tenure(11, "taken", "w2") };
    expect(new Setting().lease(created, wrong)).to.deep.equal(["history-is-whole"]);
  });

  it("report a row that vanishes unmarked, and let a marked one go", () => {
    const s = new Setting();
    s.lease(created);
    s.tables.deleteLease("a");
    s.checks.check();
    expect(s.found.names).to.deep.equal(["history-is-whole"]);
    const marked = new Setting();
    marked.lease(created, { ...next(created, "deleted"), marked: true });
    marked.tables.deleteLease("a");
    marked.checks.check();
    expect(marked.found.names).to.deep.equal([]);
  });

  it("report what the ledger finds undone behind a checkpoint", () => {
    const s = new Setting();
    s.undone = "3 records are not worked";
    expect(s.lease(created)).to.deep.equal(["nothing-lost"]);
  });

  it("report a fenced worker that beats, or whose fence changes or goes", () => {
    const fenced = worker("w1", 4, "w2");
    expect(new Setting().worker(fenced, worker("w1", 5, "w2"))).to.deep.equal(["fenced-is-silent"]);
    expect(new Setting().worker(fenced, worker("w1", 4, "w3"))).to.deep.equal(["fenced-is-silent"]);
    expect(new Setting().worker(fenced, worker("w1", 4))).to.deep.equal(["fenced-is-silent"]);
  });

  it("report a beat that skips or goes back", () => {
    expect(new Setting().worker(worker("w1", 4), worker("w1", 6))).to.deep.equal(["belief-rests-on-beats"]);
    expect(new Setting().worker(worker("w1", 4), worker("w1", 3))).to.deep.equal(["belief-rests-on-beats"]);
  });

  it("report a fence that comes before the end of belief", () => {
    const s = new Setting();
    s.remainingMs = 1;
    expect(s.worker(worker("w1", 4), worker("w1", 4, "w2"))).to.deep.equal(["belief-ends-before-fence"]);
  });

  it("report an unfenced worker row that vanishes, and let a fenced one go", () => {
    const s = new Setting();
    s.worker(worker("w1", 4), worker("w2", 4, "w1"));
    s.tables.deleteWorker("w2");
    s.checks.check();
    expect(s.found.names).to.deep.equal([]);
    s.tables.deleteWorker("w1");
    s.checks.check();
    expect(s.found.names).to.deep.equal(["fenced-is-silent"]);
  });

  it("start over with deleted tables", () => {
    const s = new Setting();
    s.lease(created, taken);
    s.tables.drop();
    s.checks.check();
    s.tables.create();
    s.lease(created);
    expect(s.found.names).to.deep.equal([]);
  });

  it("let a worker believe on that an operator fenced, and nobody take its leases before T", () => {
    const stolen = next(taken, "taken-from-fenced", "w2");
    const fenced = { ...worker("w1", 3, "ann@ops"), fenceKind: "forced" } as const;
    for (const [afterMs, remainingMs, found] of [
      [12_437, 0, ["taken-only-when-free"]],
      [12_439, 0, []],
      [12_439, 1, ["belief-ends-before-fence"]],
    ] as const) {
      const s = new Setting();
      s.remainingMs = 8_000;
      s.nowMs = 1_000;
      s.worker(worker("w1", 3), fenced);
      s.lease(created, taken);
      expect(s.found.says).to.deep.equal([]);
      s.nowMs += afterMs;
      s.remainingMs = remainingMs;
      expect(s.lease(stolen)).to.deep.equal(found);
    }
  });
});
