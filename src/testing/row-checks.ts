import type { Lease } from "../model/lease.js";
import { comparePositions, formatPosition } from "../model/position.js";
import { isForced, type PlannerRow, type WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot, MemoryTables } from "../store/memory/index.js";
import type { Report } from "./violation.js";

/** What the checks of rows ask of the rest of the simulation. */
export interface RowWitness {
  /** Belief left to a worker, ms. */
  remainingMs(workerId: string): number;
  /** Why a lease's checkpoint may not stand where it does, or undefined. */
  undone(lease: Lease): string | undefined;
  /** In whose tenure a checkpoint was written, by its write id; undefined for a write of another kind. */
  checkpointBy(writeId: string): { readonly owner: string; readonly epoch: number } | undefined;
  /** True time, ms. */
  nowMs(): number;
  /** How long after an operator's fence its worker's leases may be taken at the earliest, true ms. */
  readonly forcedFreeMs: number;
}

/** Told of every change of a row, after it was checked. */
export interface RowWatcher {
  leaseChanged(before: Lease | undefined, after: Lease, rows: MemorySnapshot): void;
  workerChanged(before: WorkerRow | undefined, after: WorkerRow): void;
  plannerChanged(after: PlannerRow | undefined, rows: MemorySnapshot): void;
}

/**
 * Looks at every change of a row, whoever made it and however: what a deposed, late or doubled write did shows here even
 * if nobody in the fleet noticed.
 */
export class RowChecks {
  readonly #tables: MemoryTables;
  readonly #witness: RowWitness;
  readonly #report: Report;
  readonly #watcher: RowWatcher | undefined;
  #seen: MemorySnapshot | undefined;
  /** Keys of the rows that were written since the last check. */
  readonly #writtenLeases = new Set<string>();
  readonly #writtenWorkers = new Set<string>();
  readonly #leases = new Map<string, Lease>();
  readonly #workers = new Map<string, WorkerRow>();
  #planner: PlannerRow | undefined;
  /** When each fence by an operator was applied, true ms. */
  readonly #forcedAtMs = new Map<string, number>();
  /** The highest epoch of each lease, which a row made after one that people deleted has to exceed. */
  readonly #highest = new Map<string, number>();
  /** Rows that people are deleting now. */
  readonly #byHand = new Set<string>();
  #ownerChanges = 0;

  constructor(tables: MemoryTables, witness: RowWitness, report: Report, watcher?: RowWatcher) {
    this.#watcher = watcher;
    this.#tables = tables;
    this.#witness = witness;
    this.#report = report;
    tables.watch((table, key) => {
      (table === "leases" ? this.#writtenLeases : this.#writtenWorkers).add(key);
    });
    if (tables.exist) this.#know(tables.view());
  }

  /** The rows that stand already: how they came to stand so is not judged, what becomes of them is. */
  #know(rows: MemorySnapshot): void {
    this.#planner = rows.planner;
    for (const lease of rows.scan().leases) {
      this.#leases.set(lease.leaseKey, lease);
      this.#highest.set(lease.leaseKey, lease.epoch);
    }
    for (const row of rows.fleet().workers) {
      this.#workers.set(row.workerId, row);
      if (isForced(row)) this.#forcedAtMs.set(row.workerId, this.#witness.nowMs());
    }
  }

  /** How often a lease passed from one owner to another. */
  get ownerChanges(): number {
    return this.#ownerChanges;
  }

  /** The row of this worker or lease is deleted by hand, now. */
  deletedByHand(key: string): void {
    this.#byHand.add(key);
  }

  /** After every event. What was not written has not changed: rows are replaced as a whole. */
  check(): void {
    if (!this.#tables.exist) {
      this.#leases.clear();
      this.#workers.clear();
      this.#highest.clear();
      this.#writtenLeases.clear();
      this.#writtenWorkers.clear();
      this.#seen = undefined;
      return;
    }
    const rows = this.#tables.view();
    if (rows === this.#seen) return;
    this.#seen = rows;
    for (const workerId of this.#writtenWorkers) this.#workerWritten(workerId, rows);
    this.#writtenWorkers.clear();
    for (const leaseKey of this.#writtenLeases) this.#leaseWritten(leaseKey, rows);
    this.#writtenLeases.clear();
    if (rows.planner === this.#planner) return;
    this.#planner = rows.planner;
    this.#watcher?.plannerChanged(rows.planner, rows);
  }

  #leaseWritten(leaseKey: string, rows: MemorySnapshot): void {
    const row = rows.row(leaseKey);
    const before = this.#leases.get(leaseKey);
    if (row?.invalid !== undefined)
      this.#report("history-is-whole", `row ${leaseKey} is invalid: ${row.invalid.problem}`);
    const lease = row?.lease;
    if (lease === undefined) {
      if (before === undefined) return;
      if (!before.marked && !this.#byHand.delete(leaseKey))
        this.#report("history-is-whole", `row ${leaseKey} is gone without having been marked`);
      this.#leases.delete(leaseKey);
      return;
    }
    if (before === lease) return;
    this.#leases.set(leaseKey, lease);
    if (before !== undefined) this.#checkLease(before, lease, rows);
    else this.#checkNew(lease);
    this.#highest.set(leaseKey, lease.epoch);
    this.#watcher?.leaseChanged(before, lease, rows);
    const undone = this.#witness.undone(lease);
    if (undone !== undefined) this.#report("nothing-lost", undone);
  }

  #checkNew({ leaseKey, epoch }: Lease): void {
    const highest = this.#highest.get(leaseKey) ?? -1;
    if (epoch > highest) return;
    this.#report(
      "epochs-increase",
      `the row of ${leaseKey} is made again at epoch ${String(epoch)} after epoch ${String(highest)}`,
    );
  }

  #checkLease(before: Lease, after: Lease, rows: MemorySnapshot): void {
    const { leaseKey } = after;
    const change = `${leaseKey}: epoch ${String(before.epoch)} of ${before.owner ?? "nobody"} to epoch ${String(after.epoch)} of ${after.owner ?? "nobody"}`;
    const isRaised = after.epoch !== before.epoch;
    if (isRaised && after.epoch !== before.epoch + 1) this.#report("epochs-increase", change);
    if (!isRaised && after.owner !== before.owner) {
      this.#report("epochs-increase", `${change}: the owner changed within one epoch`);
    }
    if (after.owner !== before.owner) {
      this.#ownerChanges++;
      this.#checkTaking(before, after, rows, change);
    }
    if (isRaised) this.#checkTenure(before, after, change);
    if (after.tenure?.reason === "recreated" && isRaised) return;
    this.#checkPositions(before, after);
  }

  /** An owner gives a lease up itself, or it is fenced: there is no third way to take one. */
  #checkTaking(before: Lease, after: Lease, rows: MemorySnapshot, change: string): void {
    const reason = after.tenure?.reason;
    if (before.owner === undefined || reason === "handoff" || reason === "released") return;
    const owner = rows.worker(before.owner);
    if (owner?.fencedBy === undefined) {
      this.#report(
        "taken-only-when-free",
        `${change} (${reason ?? "no reason"}), and its owner is not fenced`,
      );
    } else if (isForced(owner)) this.#checkForced(owner.workerId, change);
  }

  /** An operator's fence proves no silence: belief lasts beyond it, but not until T has passed, and nobody takes before. */
  #checkForced(workerId: string, change: string): void {
    const sinceMs = this.#witness.nowMs() - (this.#forcedAtMs.get(workerId) ?? Infinity);
    if (!(sinceMs >= this.#witness.forcedFreeMs)) {
      this.#report(
        "taken-only-when-free",
        `${change}, ${sinceMs.toFixed(1)} ms after its owner was fenced by an operator`,
      );
    }
    const leftMs = this.#witness.remainingMs(workerId);
    if (leftMs > 0) {
      this.#report(
        "belief-ends-before-fence",
        `${change}, and its owner, fenced by an operator, still believes for ${leftMs.toFixed(1)} ms`,
      );
    }
  }

  #checkTenure(before: Lease, after: Lease, change: string): void {
    const { tenure, previousTenure } = after;
    if (tenure?.epoch !== after.epoch || tenure.worker !== after.owner) {
      this.#report("history-is-whole", `${change}: the row's tenure says ${JSON.stringify(tenure)}`);
    }
    if (JSON.stringify(previousTenure) !== JSON.stringify(before.tenure)) {
      this.#report(
        "history-is-whole",
        `${change}: the previous tenure is ${JSON.stringify(previousTenure)}, but was ${JSON.stringify(before.tenure)}`,
      );
    }
  }

  #checkPositions(before: Lease, after: Lease): void {
    const by = after.writeId === before.writeId ? undefined : this.#witness.checkpointBy(after.writeId ?? "");
    if (by !== undefined && (by.owner !== before.owner || by.epoch !== before.epoch)) {
      this.#report(
        "deposed-writes-nothing",
        `${after.leaseKey}: a checkpoint of ${by.owner} at epoch ${String(by.epoch)} took effect in epoch ${String(after.epoch)} of ${String(after.owner)}`,
      );
    }
    const moved = `${after.leaseKey}: checkpoint from ${formatPosition(before.checkpoint)} to ${formatPosition(after.checkpoint)}`;
    if (comparePositions(after.checkpoint, before.checkpoint) < 0) {
      this.#report("checkpoints-advance", `${moved} in epoch ${String(after.epoch)}`);
    }
    const { pendingCheckpoint } = after;
    if (pendingCheckpoint === undefined) return;
    const pendingBefore = before.pendingCheckpoint ?? before.checkpoint;
    if (comparePositions(pendingCheckpoint, pendingBefore) < 0) {
      this.#report("checkpoints-advance", `${after.leaseKey}: the pending checkpoint went back`);
    }
  }

  #workerWritten(workerId: string, rows: MemorySnapshot): void {
    const row = rows.worker(workerId);
    const before = this.#workers.get(workerId);
    if (before === row) return;
    if (row === undefined) {
      if (before?.fencedBy === undefined && !this.#byHand.delete(workerId))
        this.#report("fenced-is-silent", `the unfenced row of ${workerId} is gone`);
      this.#workers.delete(workerId);
      return;
    }
    this.#workers.set(workerId, row);
    this.#checkWorker(before, row);
    this.#watcher?.workerChanged(before, row);
  }

  #checkWorker(before: WorkerRow | undefined, after: WorkerRow): void {
    const { workerId } = after;
    if (before?.fencedBy !== undefined) {
      if (after.fencedBy !== before.fencedBy) {
        this.#report(
          "fenced-is-silent",
          `the fence of ${workerId} changed from ${before.fencedBy} to ${String(after.fencedBy)}`,
        );
      }
      if (after.beat !== before.beat) {
        this.#report("fenced-is-silent", `${workerId} beats (${String(after.beat)}) after it was fenced`);
      }
      return;
    }
    if (after.beat !== before?.beat && before !== undefined && after.beat !== before.beat + 1) {
      this.#report(
        "belief-rests-on-beats",
        `the beat of ${workerId} went from ${String(before.beat)} to ${String(after.beat)}`,
      );
    }
    if (isForced(after)) {
      this.#forcedAtMs.set(workerId, this.#witness.nowMs());
      return;
    }
    const leftMs = this.#witness.remainingMs(workerId);
    if (after.fencedBy !== undefined && leftMs > 0) {
      this.#report(
        "belief-ends-before-fence",
        `${workerId} is fenced by ${after.fencedBy} (${String(after.fenceKind)}) and still believes for ${leftMs.toFixed(1)} ms`,
      );
    }
  }
}
