import { StoreError } from "../../model/errors.js";
import type { HistoryEntry } from "../../model/history.js";
import type { OperatorAction } from "../../model/operator-action.js";
import type { InvalidRow, Lease } from "../../model/lease.js";
import type { KclRow } from "../../model/strangers.js";
import type { FleetRows, MetaRow, PlannerRow, WorkerRow } from "../../model/worker-row.js";
import {
  invalidRowMessage,
  leaseAttributes,
  leaseItem,
  readLeaseItem,
  type LeaseItem,
} from "../lease-item.js";
import type { LeaseScan } from "../lease-reader.js";

/** One row of the lease table: a lease, or what cannot be read as one, and all that this version does not know of it. */
interface LeaseRecord {
  readonly lease?: Lease;
  readonly invalid?: InvalidRow;
  readonly kclRow?: KclRow;
  /** Unknown attributes of a lease; the whole row where it is none. */
  readonly rest: LeaseItem;
}

const nothing: LeaseItem = {};

/** The rows as they stood at one moment. Reads of it never change. */
export class MemorySnapshot {
  readonly #leases: ReadonlyMap<string, LeaseRecord>;
  readonly #workers: ReadonlyMap<string, WorkerRow>;
  readonly planner: PlannerRow | undefined;
  readonly meta: MetaRow | undefined;
  #scan: LeaseScan | undefined;
  #fleet: FleetRows | undefined;

  /** @internal made by `MemoryTables.snapshot()` */
  constructor(
    leases: ReadonlyMap<string, LeaseRecord>,
    workers: ReadonlyMap<string, WorkerRow>,
    planner: PlannerRow | undefined,
    meta: MetaRow | undefined,
    scan: LeaseScan | undefined,
  ) {
    this.#leases = leases;
    this.#workers = workers;
    this.planner = planner;
    this.meta = meta;
    this.#scan = scan;
  }

  /** The scan of these very rows, where one was made. */
  get madeScan(): LeaseScan | undefined {
    return this.#scan;
  }

  scan(): LeaseScan {
    if (this.#scan === undefined) {
      const leases: Lease[] = [];
      const invalid: InvalidRow[] = [];
      const kclRows: KclRow[] = [];
      for (const record of this.#leases.values()) {
        if (record.lease !== undefined) leases.push(record.lease);
        else if (record.invalid !== undefined) invalid.push(record.invalid);
        else if (record.kclRow !== undefined) kclRows.push(record.kclRow);
      }
      this.#scan = { leases, invalid, kclRows };
    }
    return this.#scan;
  }

  fleet(): FleetRows {
    this.#fleet ??= { workers: [...this.#workers.values()], planner: this.planner, meta: this.meta };
    return this.#fleet;
  }

  worker(workerId: string): WorkerRow | undefined {
    return this.#workers.get(workerId);
  }

  /** Whether the key is taken, by a lease or by anything else. */
  hasLeaseKey(leaseKey: string): boolean {
    return this.#leases.has(leaseKey);
  }

  /** @internal What the row is, where it can be read as one. */
  row(leaseKey: string): { readonly lease?: Lease; readonly invalid?: InvalidRow } | undefined {
    return this.#leases.get(leaseKey);
  }

  /** @throws StoreError `invalid-row` */
  lease(leaseKey: string): Lease | undefined {
    const record = this.#leases.get(leaseKey);
    if (record?.invalid !== undefined) {
      throw new StoreError("invalid-row", invalidRowMessage("(memory)", leaseKey, record.invalid.problem), {
        retryable: false,
        ambiguous: false,
      });
    }
    return record?.lease;
  }

  keysOf(owner: string): readonly string[] {
    const keys: string[] = [];
    for (const lease of this.scan().leases) if (lease.owner === owner) keys.push(lease.leaseKey);
    return keys;
  }

  /** A row of the lease table as DynamoDB would store it. */
  rawLease(leaseKey: string): LeaseItem | undefined {
    const record = this.#leases.get(leaseKey);
    if (record?.lease === undefined) return record?.rest;
    return { ...record.rest, ...leaseItem(record.lease) };
  }
}

/**
 * The tables of one application in memory, shared by all workers that are given the same object. Rows are immutable and
 * replaced as a whole, so a snapshot costs one copy of a map, made at the first write after it.
 */
export class MemoryTables {
  #exist: boolean;
  #leases = new Map<string, LeaseRecord>();
  #workers = new Map<string, WorkerRow>();
  #planner: PlannerRow | undefined;
  #meta: MetaRow | undefined;
  #history = new Map<string, Map<number, HistoryEntry>>();
  /** The highest epoch that a first creation of the lease has used. */
  #setAside = new Map<string, number>();
  #actions = new Map<string, OperatorAction>();
  /** The present state, until the next write. */
  #view: MemorySnapshot | undefined;
  /** Of the lease rows as they stand, while other rows are written: most writes are beats. */
  #scan: LeaseScan | undefined;
  #onWrite: ((table: "leases" | "workers", key: string) => void) | undefined;
  /** A snapshot that was given out holds the map: the next write makes a copy first. */
  #leasesShared = false;
  #workersShared = false;

  /** @param options.missing the tables do not exist until `prepare()`; by default they do */
  constructor(options: { readonly missing?: boolean } = {}) {
    this.#exist = options.missing !== true;
  }

  get exist(): boolean {
    return this.#exist;
  }

  /** Makes the tables, empty, unless they exist. */
  create(): void {
    this.#exist = true;
  }

  /**
   * @internal Has somebody told of every row that is written or deleted from now on.
   * @throws Error where somebody else is told already
   */
  watch(onWrite: (table: "leases" | "workers", key: string) => void): void {
    if (this.#onWrite !== undefined) throw new Error("these tables are watched already: use others");
    this.#onWrite = onWrite;
  }

  /** Deletes the tables with all rows: every call then throws `table-missing` until `prepare()`. */
  drop(): void {
    for (const leaseKey of this.#leases.keys()) this.#onWrite?.("leases", leaseKey);
    for (const workerId of this.#workers.keys()) this.#onWrite?.("workers", workerId);
    this.#exist = false;
    this.#leases = new Map();
    this.#workers = new Map();
    this.#history = new Map();
    this.#setAside = new Map();
    this.#actions = new Map();
    this.#planner = undefined;
    this.#meta = undefined;
    this.#view = undefined;
    this.#scan = undefined;
    this.#leasesShared = false;
    this.#workersShared = false;
  }

  /** The rows as they stand, for reads that lag. Cheap while nothing is written. */
  snapshot(): MemorySnapshot {
    this.#leasesShared = true;
    this.#workersShared = true;
    return this.view();
  }

  /** @internal The rows as they stand, good until the next write only: it costs no copy. */
  view(): MemorySnapshot {
    if (this.#view === undefined) {
      this.#view = new MemorySnapshot(this.#leases, this.#workers, this.#planner, this.#meta, this.#scan);
      this.#scan = undefined;
    }
    return this.#view;
  }

  /** Writes a row of the lease table as it would stand in DynamoDB: unknown attributes and other entity types too. */
  putRawLease(item: LeaseItem): void {
    const leaseKey = item["leaseKey"]?.S;
    if (leaseKey === undefined) throw new TypeError("a row of the lease table needs a leaseKey");
    const read = readLeaseItem(item);
    if (read.kind === "lease") {
      const rest = Object.fromEntries(
        Object.entries(item).filter(
          ([name, value]) => !leaseAttributes.has(name) || (name === "entityType" && value.S === "LEASE"),
        ),
      );
      this.#writeLeases(leaseKey).set(leaseKey, { lease: Object.freeze(read.lease), rest });
    } else if (read.kind === "invalid") {
      const invalid = { leaseKey, problem: read.problem };
      this.#writeLeases(leaseKey).set(leaseKey, { invalid, rest: { ...item } });
    } else {
      const kclRow = read.kind === "kcl" ? { kclRow: read.row } : {};
      this.#writeLeases(leaseKey).set(leaseKey, { ...kclRow, rest: { ...item } });
    }
  }

  /** @internal */
  setLease(lease: Lease): Lease {
    const rest = this.#leases.get(lease.leaseKey)?.rest ?? nothing;
    this.#writeLeases(lease.leaseKey).set(lease.leaseKey, { lease: Object.freeze(lease), rest });
    return lease;
  }

  /** @internal */
  deleteLease(leaseKey: string): void {
    this.#writeLeases(leaseKey).delete(leaseKey);
  }

  /** @internal */
  setWorker(row: WorkerRow): WorkerRow {
    this.#writeWorkers(row.workerId).set(row.workerId, Object.freeze(row));
    return row;
  }

  /** @internal */
  deleteWorker(workerId: string): void {
    this.#writeWorkers(workerId).delete(workerId);
  }

  /** @internal */
  setPlanner(row: PlannerRow): PlannerRow {
    this.#planner = Object.freeze(row);
    this.#leasesStand();
    return row;
  }

  /** @internal */
  setMeta(row: MetaRow): MetaRow {
    this.#meta = Object.freeze(row);
    this.#leasesStand();
    return row;
  }

  /** Entries of a lease's history, by epoch. */
  historyOf(leaseKey: string): ReadonlyMap<number, HistoryEntry> {
    return this.#history.get(leaseKey) ?? new Map();
  }

  /** @internal */
  addHistory(entry: HistoryEntry): void {
    let entries = this.#history.get(entry.leaseKey);
    if (entries === undefined) {
      entries = new Map();
      this.#history.set(entry.leaseKey, entries);
    }
    entries.set(entry.epoch, Object.freeze({ ...entry }));
  }

  /** What operators did, by the worker it was done to. */
  actions(): ReadonlyMap<string, OperatorAction> {
    return this.#actions;
  }

  /** @internal */
  addAction(action: OperatorAction): void {
    this.#actions.set(action.worker, Object.freeze({ ...action }));
  }

  setAside(leaseKey: string): number | undefined {
    return this.#setAside.get(leaseKey);
  }

  raiseSetAside(leaseKey: string, epoch: number): void {
    this.#setAside.set(leaseKey, epoch);
  }

  /** Keys of all leases that have a history. */
  historyKeys(): readonly string[] {
    return [...this.#history.keys()];
  }

  /** A write of another row: what is known of the lease rows stays. */
  #leasesStand(): void {
    this.#scan = this.#view?.madeScan ?? this.#scan;
    this.#view = undefined;
  }

  #writeWorkers(workerId: string): Map<string, WorkerRow> {
    this.#onWrite?.("workers", workerId);
    if (this.#workersShared) {
      this.#workers = new Map(this.#workers);
      this.#workersShared = false;
    }
    this.#leasesStand();
    return this.#workers;
  }

  #writeLeases(leaseKey: string): Map<string, LeaseRecord> {
    this.#onWrite?.("leases", leaseKey);
    if (this.#leasesShared) {
      this.#leases = new Map(this.#leases);
      this.#leasesShared = false;
    }
    this.#view = undefined;
    this.#scan = undefined;
    return this.#leases;
  }
}
