import { LeaseholdError } from "../../model/errors.js";
import type { HistoryEntry } from "../../model/history.js";
import type { OperatorAction } from "../../model/operator-action.js";
import {
  tombstoneBeat,
  type FleetPart,
  type FleetRows,
  type MailEntry,
  type MetaRow,
  type Observes,
  type PlannerRow,
  type WorkerIdentity,
  type WorkerRow,
  type WorkerStatus,
} from "../../model/worker-row.js";
import type { Call, PlainOutcome, WriteOutcome } from "../call.js";
import { emptyWorkerRow } from "../empty-worker-row.js";
import type { HistoryPage, HistoryStore } from "../history-store.js";
import type { Beat, FormatExpectation, Membership } from "../membership.js";
import type { PlannerDesk } from "../planner-desk.js";
import type { Tables } from "../tables.js";
import type { MemoryConnection } from "./memory-store.js";

/** Whether a row may still be written by or for its worker. */
function isUnfenced(row: WorkerRow | undefined): row is WorkerRow {
  return row !== undefined && row.fencedBy === undefined;
}

/** One row has it, and taking an attribute out of a copy costs more than the copy. */
function withoutPlanner(row: WorkerRow): WorkerRow {
  if (row.planner === undefined) return row;
  const { planner: _planner, ...kept } = row;
  return kept;
}

export class MemoryMembership implements Membership {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async readFleet(call: Call & { readonly consistent: boolean }): Promise<FleetRows> {
    return this.#connection.rows(call).fleet();
  }

  async readWorker(
    workerId: string,
    call: Call & { readonly consistent: boolean },
  ): Promise<WorkerRow | undefined> {
    return this.#connection.rows(call).worker(workerId);
  }

  async readPart(workerIds: readonly string[], call?: Call): Promise<FleetPart> {
    const rows = this.#connection.rows({ ...call, consistent: false });
    return {
      workers: [...new Set(workerIds)].flatMap((workerId) => rows.worker(workerId) ?? []),
      planner: rows.planner,
    };
  }

  async join(mode: string, format: number, call?: Call): Promise<MetaRow> {
    const tables = this.#connection.tables(call);
    const meta = tables.view().meta;
    return tables.setMeta({
      ...meta,
      liveness: meta?.liveness ?? mode,
      format: meta?.format ?? format,
      joins: (meta?.joins ?? 0) + 1,
    });
  }

  async raiseFormat(expect: FormatExpectation, call?: Call): Promise<WriteOutcome<MetaRow>> {
    const tables = this.#connection.tables(call);
    const { meta } = tables.view();
    // Once only, and not where somebody has joined since.
    if (meta?.format !== expect.format || meta.joins !== expect.joins) {
      return this.#connection.refused((rows) => rows.meta);
    }
    return { ok: true, row: tables.setMeta({ ...meta, format: meta.format + 1 }) };
  }

  async note(kclNote: string, call?: Call): Promise<MetaRow> {
    const tables = this.#connection.tables(call);
    return tables.setMeta({ liveness: "", format: 0, joins: 0, ...tables.view().meta, kclNote });
  }

  async create(
    identity: WorkerIdentity,
    status: WorkerStatus,
    call?: Call,
  ): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    // A late creation must not un-fence, and a tombstone is nobody's to begin from.
    if (tables.view().worker(identity.workerId) !== undefined) return this.#refused(identity.workerId);
    const row = {
      ...identity,
      ...status,
      unfit: [...status.unfit],
      failing: [...status.failing],
      beat: 0,
      mailbox: new Map(),
    };
    return { ok: true, row: tables.setWorker(row) };
  }

  async beat(beat: Beat, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(beat.workerId);
    // The number makes a repeat of a beat that arrived harmless; the fence ends the worker for ever.
    if (!isUnfenced(row) || row.beat !== beat.beat) return this.#refused(beat.workerId);
    let mailbox = row.mailbox;
    if (beat.removeMail.length > 0) {
      const left = new Map(mailbox);
      for (const key of beat.removeMail) left.delete(key);
      mailbox = left;
    }
    const { status } = beat;
    return {
      ok: true,
      row: tables.setWorker({
        ...withoutPlanner(row),
        ...status,
        unfit: [...status.unfit],
        failing: [...status.failing],
        beat: beat.beat + 1,
        mailbox,
      }),
    };
  }

  async fence(workerId: string, by: string, beat: number, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(workerId);
    // The beat that was seen standing still: a worker that has beaten since lives.
    if (!isUnfenced(row) || row.beat !== beat) return this.#refused(workerId);
    return { ok: true, row: tables.setWorker({ ...row, fencedBy: by, fenceKind: "observer" }) };
  }

  async leave(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(workerId);
    // A row that is gone must not come back as a stub, and a fence is never replaced.
    if (!isUnfenced(row)) return this.#refused(workerId);
    return { ok: true, row: tables.setWorker({ ...row, fencedBy: workerId, fenceKind: "left" }) };
  }

  async forceFence(workerId: string, by: string, at: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(workerId);
    // A row that is gone must not come back as a stub, and a fence is never replaced.
    if (!isUnfenced(row)) return this.#refused(workerId);
    return {
      ok: true,
      row: tables.setWorker({ ...row, fencedBy: by, fenceKind: "forced", fencedAt: at }),
    };
  }

  async fenceExited(workerId: string, by: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(workerId) ?? emptyWorkerRow(workerId, tombstoneBeat);
    // The first fence stands: who ended the worker, and how, is never rewritten.
    if (!isUnfenced(row)) return this.#refused(workerId);
    return { ok: true, row: tables.setWorker({ ...row, fencedBy: by, fenceKind: "parent" }) };
  }

  async createTombstone(workerId: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    // A worker that lives after all must keep its row.
    if (tables.view().worker(workerId) !== undefined) return this.#refused(workerId);
    return { ok: true, row: tables.setWorker(emptyWorkerRow(workerId, tombstoneBeat)) };
  }

  async post(
    workerId: string,
    entries: ReadonlyMap<string, MailEntry>,
    call?: Call,
  ): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(workerId);
    // An entry for a collected worker would make a stub that nobody can fence; a fenced one answers nothing.
    if (!isUnfenced(row)) return this.#refused(workerId);
    return { ok: true, row: tables.setWorker({ ...row, mailbox: new Map([...row.mailbox, ...entries]) }) };
  }

  async nameObserver(observer: string, mark: string, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(observer);
    // A collected row must not come back as a stub, and the fenced observe nobody.
    if (!isUnfenced(row)) return this.#refused(observer);
    const { plannerEpoch, marks } = row.observes ?? { plannerEpoch: 0, marks: [] };
    const observes = { plannerEpoch, marks: [...new Set([...marks, mark])].sort() };
    return { ok: true, row: tables.setWorker({ ...row, observes }) };
  }

  async assignObserver(observer: string, observes: Observes, call?: Call): Promise<WriteOutcome<WorkerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().worker(observer);
    // What a later planner said stands, however late the word of one that it deposed arrives.
    const isLate = (row?.observes?.plannerEpoch ?? 0) > observes.plannerEpoch;
    if (!isUnfenced(row) || isLate) return this.#refused(observer);
    const marks = [...observes.marks].sort();
    return { ok: true, row: tables.setWorker({ ...row, observes: { ...observes, marks } }) };
  }

  async remove(workerId: string, call?: Call): Promise<PlainOutcome> {
    const tables = this.#connection.tables(call);
    // Only what was fenced may go: a row without a fence belongs to somebody.
    if (tables.view().worker(workerId)?.fencedBy === undefined) return { ok: false };
    tables.deleteWorker(workerId);
    return { ok: true };
  }

  #refused(workerId: string): Promise<{ ok: false; current: WorkerRow | undefined }> {
    return this.#connection.refused((rows) => rows.worker(workerId));
  }
}

export class MemoryPlannerDesk implements PlannerDesk {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async claim(owner: string, epoch: number | undefined, call?: Call): Promise<WriteOutcome<PlannerRow>> {
    const tables = this.#connection.tables(call);
    const row = tables.view().planner;
    // Two who claim on the same reading: one of them only.
    if ((row?.epoch ?? 0) !== (epoch ?? 0)) return this.#connection.refused((rows) => rows.planner);
    return { ok: true, row: tables.setPlanner({ owner, epoch: (epoch ?? 0) + 1, deaths: row?.deaths ?? 0 }) };
  }

  async countDeath(call?: Call): Promise<void> {
    const tables = this.#connection.tables(call);
    const row = tables.view().planner;
    tables.setPlanner({ epoch: 0, ...row, deaths: (row?.deaths ?? 0) + 1 });
  }
}

export class MemoryHistoryStore implements HistoryStore {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async archive(entry: HistoryEntry, _expiresAt: number, call?: Call): Promise<void> {
    const tables = this.#connection.tables(call);
    // The first entry of an epoch stands: a late duplicate is made of the same row.
    if (!tables.historyOf(entry.leaseKey).has(entry.epoch)) tables.addHistory(entry);
  }

  async record(action: OperatorAction, _expiresAt: number, call?: Call): Promise<void> {
    const tables = this.#connection.tables(call);
    if (!tables.actions().has(action.worker)) tables.addAction(action);
  }

  async actions(call?: Call): Promise<readonly OperatorAction[]> {
    const actions = [...this.#connection.tables(call).actions().values()];
    return actions.sort((a, b) => (a.worker < b.worker ? -1 : 1));
  }

  async list(leaseKey: string, call?: Call): Promise<readonly HistoryEntry[]> {
    const entries = this.#connection.tables(call).historyOf(leaseKey);
    return [...entries.values()].sort((a, b) => a.epoch - b.epoch);
  }

  async page(_from: string | undefined, call?: Call): Promise<HistoryPage> {
    const tables = this.#connection.tables(call);
    return { entries: tables.historyKeys().flatMap((leaseKey) => [...tables.historyOf(leaseKey).values()]) };
  }

  async highestEpoch(leaseKey: string, call?: Call): Promise<number | undefined> {
    let highest: number | undefined;
    for (const epoch of this.#connection.tables(call).historyOf(leaseKey).keys()) {
      if (highest === undefined || epoch > highest) highest = epoch;
    }
    return highest;
  }

  async setAside(
    leaseKey: string,
    epoch: number,
    _expiresAt: number,
    call?: Call,
  ): Promise<WriteOutcome<number>> {
    const tables = this.#connection.tables(call);
    const held = tables.setAside(leaseKey);
    // The row that is made at an epoch may be deleted: it is set aside once.
    if (held !== undefined && held >= epoch) return { ok: false, current: held };
    tables.raiseSetAside(leaseKey, epoch);
    return { ok: true, row: epoch };
  }
}

export class MemoryTablesPort implements Tables {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async prepare(call?: Call): Promise<void> {
    this.#connection.admit(call).create();
  }

  async verify(call?: Call): Promise<void> {
    if (this.#connection.admit(call).exist) return;
    throw new LeaseholdError(
      "table-missing",
      `the tables of application ${this.#connection.application} do not exist; start a worker to make them, or check the application's name`,
    );
  }

  async meta(call?: Call): Promise<MetaRow | undefined> {
    return this.#connection.tables(call).view().meta;
  }
}
