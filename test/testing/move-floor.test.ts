import { expect } from "chai";
import type { EndReason } from "../../src/model/reasons.js";
import { shardEnd, trimHorizon } from "../../src/model/position.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { MemoryTables } from "../../src/store/memory/index.js";
import { MoveFloor } from "../../src/testing/move-floor.js";
import { collectReports } from "./reports.js";
import { identity, quiet } from "./rows.js";

/** A fleet as its rows show it, and what happens in it. */
class Setting {
  readonly tables = new MemoryTables();
  readonly found = collectReports();
  nowMs = 0;
  readonly floor = new MoveFloor({ config: { settleMs: 3_500 }, nowMs: () => this.nowMs }, this.found.report);

  worker(workerId: string, more: Partial<WorkerRow> = {}): void {
    const row: WorkerRow = { ...identity(workerId), ...quiet, beat: 1, mailbox: new Map(), ...more };
    const before = this.tables.view().worker(workerId);
    this.tables.setWorker(row);
    this.floor.workerChanged(before, row);
  }

  /** Leases numbered from `from` to below `to`, taken without anybody's plan. */
  takes(owner: string, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#owned(String(i), owner, "fenced", "taken");
  }

  moves(lease: number, owner: string, cause: EndReason = "handoff"): void {
    this.#owned(String(lease), owner, cause, "handoff");
  }

  finishes(lease: number): void {
    const row = this.tables.view().lease(String(lease));
    if (row !== undefined) this.tables.setLease({ ...row, checkpoint: shardEnd });
  }

  /** @returns what is found at the end */
  end(): readonly string[] {
    this.floor.end(this.tables.view());
    expect(new Set(this.found.names)).to.deep.equal(
      new Set(this.found.says.length === 0 ? [] : ["moves-near-floor"]),
    );
    return this.found.says;
  }

  #owned(leaseKey: string, owner: string, cause: EndReason, reason: "handoff" | "taken"): void {
    const before = this.tables.view().lease(leaseKey);
    const epoch = (before?.epoch ?? 0) + 1;
    const after = {
      leaseKey,
      owner,
      epoch,
      checkpoint: trimHorizon,
      ownerSwitchesSinceCheckpoint: 0,
      ownersWornOut: 0,
      parents: [],
      children: [],
      marked: false,
      tenure: { epoch, worker: owner, reason, cause, since: "2026-01-01T00:00:00.000Z" },
    };
    this.tables.setLease(after);
    this.floor.leaseChanged(before, after, this.tables.view());
  }
}

/** Two workers with twenty leases each; a third that has none is there, or not yet. */
function fleet(...more: readonly string[]): Setting {
  const s = new Setting();
  for (const workerId of ["A", "B", ...more]) s.worker(workerId);
  s.takes("A", 0, 20);
  s.takes("B", 20, 40);
  s.nowMs = 10_000;
  return s;
}

const notes = (says: readonly string[]): string | undefined => says[0]?.replace(/;.*/, "");

describe("the check that moves are near their floor", () => {
  it("lets a newcomer be filled, and each newcomer after it", () => {
    const s = fleet("C");
    for (let i = 0; i < 7; i++) s.moves(i, "C");
    for (let i = 20; i < 26; i++) s.moves(i, "C");
    s.worker("D");
    for (const i of [10, 11, 12, 30, 31, 32, 33, 0, 1, 2]) s.moves(i, "D");
    expect(s.end()).to.deep.equal([]);
  });

  it("finds moves that nothing made necessary but that workers went blind and saw again", () => {
    const s = fleet();
    for (let i = 0; i < 40; i++) {
      for (const blind of [true, false]) for (const workerId of ["A", "B"]) s.worker(workerId, { blind });
      s.moves(i, i < 20 ? "B" : "A");
    }
    expect(s.end()[0]).to.match(/^40 planned moves .* after 2 changes of members/);
  });

  it("finds leases that are swapped", () => {
    const s = fleet();
    for (let i = 0; i < 4; i++) {
      s.moves(i, "B");
      s.moves(20 + i, "A");
    }
    expect(notes(s.end())).to.equal(
      "8 planned moves where 0 had been enough and 7.3 would do after 2 changes of members",
    );
  });

  it("finds a lease that goes to and fro between two who are as full", () => {
    const s = fleet();
    s.takes("A", 40, 41);
    s.nowMs = 20_000;
    for (let i = 0; i < 13; i++) s.moves(40, i % 2 === 0 ? "B" : "A");
    expect(s.end()).to.have.length(1);
  });

  it("finds leases that go to a newcomer by way of one that needs none", () => {
    const s = fleet("C");
    for (let i = 0; i < 13; i++) {
      const [lease, by] = i % 2 === 0 ? [i, "B"] : [20 + i, "A"];
      s.moves(lease, by);
      s.moves(lease, "C");
    }
    expect(notes(s.end())).to.match(/^26 planned moves where 13 had been enough/);
  });

  it("finds leases that are moved while a deploy rolls", () => {
    const s = fleet("C");
    s.worker("D", { deployment: "v2" });
    s.nowMs = 20_000;
    for (let i = 0; i < 12; i++) s.moves(i, "C");
    expect(notes(s.end())).to.match(/^12 planned moves where 0 had been enough/);
  });

  it("takes a worker of another deployment that leaves for none that rolls", () => {
    const s = fleet("C");
    s.worker("D", { deployment: "v2", draining: true });
    for (let i = 0; i < 7; i++) s.moves(i, "C");
    for (let i = 20; i < 26; i++) s.moves(i, "C");
    expect(s.end()).to.deep.equal([]);
  });

  it("counts no lease that is finished, and nobody who is fenced, blind or has not beaten", () => {
    const s = fleet("C");
    s.worker("D", { fencedBy: "A", fenceKind: "observer" });
    s.worker("E", { blind: true });
    s.worker("F", { beat: 0 });
    for (let i = 20; i < 40; i++) s.finishes(i);
    s.nowMs = 20_000;
    for (let i = 0; i < 7; i++) s.moves(i, "B");
    for (let i = 7; i < 13; i++) s.moves(i, "C");
    expect(s.end()).to.deep.equal([]);
    for (let i = 0; i < 10; i++) s.moves(0, i % 2 === 0 ? "C" : "B");
    expect(notes(s.end())).to.match(/^23 planned moves where 13 had been enough/);
  });

  it("takes takes and a stop's handoffs for no moves: they are what makes moves necessary", () => {
    const s = fleet("C");
    for (let i = 0; i < 20; i++) s.moves(i, "B", "stop");
    s.worker("A", { fencedBy: "A", fenceKind: "left" });
    for (let i = 0; i < 20; i++) s.moves(i, "C");
    expect(s.end()).to.deep.equal([]);
  });

  it("excuses what was planned before members changed or its receiver took leases, and no longer than that can be so", () => {
    for (const [afterMs, isFound] of [
      [3_499, false],
      [3_500, true],
    ] as const) {
      const changed = fleet();
      changed.worker("C");
      changed.worker("C", { fencedBy: "C", fenceKind: "left" });
      changed.nowMs += afterMs;
      for (let i = 0; i < 9; i++) changed.moves(i, "B");
      expect(changed.end().length > 0).to.equal(isFound);
      const took = fleet();
      took.takes("B", 40, 41);
      took.nowMs += afterMs;
      for (let i = 0; i < 9; i++) took.moves(i, "B");
      expect(took.end().length > 0).to.equal(isFound);
    }
  });
});
