import type { Lease } from "../model/lease.js";
import { comparePositions, formatPosition } from "../model/position.js";
import { isForced, type PlannerRow, type WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot, MemoryTables } from "../store/memory/index.js";
import type { LeaseScan } from "../store/lease-reader.js";
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
  #scanned: LeaseScan | undefined;
  #leases = new Map<string, Lease>();
  #workers = new Map<string, WorkerRow>();
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
  }

  /** How often a lease passed from one owner to another. */
  get ownerChanges(): number {
    return this.#ownerChanges;
  }

  /** The row of this worker or lease is deleted by hand, now. */
  deletedByHand(key: string): void {
    this.#byHand.add(key);
  }

  /** After every event. */
  check(): void {
    if (!this.#tables.exist) {
      this.#leases.clear();
      this.#workers.clear();
      this.#highest.clear();
      this.#seen = undefined;
      this.#scanned = undefined;
      return;
    }
    const rows = this.#tables.view();
    if (rows === this.#seen) return;
    this.#seen = rows;
    this.#checkWorkers(rows);
    this.#checkLeases(rows);
    if (rows.planner === this.#planner) return;
    this.#planner = rows.planner;
    this.#watcher?.plannerChanged(rows.planner, rows);
  }

  #checkLeases(rows: MemorySnapshot): void {
    const scan = rows.scan();
    // The very same answer: no lease row was written since.
    if (scan === this.#scanned) return;
    this.#scanned = scan;
    const { leases, invalid } = scan;
    for (const row of invalid)
      this.#report("history-is-whole", `row ${row.leaseKey} is invalid: ${row.problem}`);
    for (const lease of leases) {
      const before = this.#leases.get(lease.leaseKey);
      if (before === lease) continue;
      this.#leases.set(lease.leaseKey, lease);
      if (before !== undefined) this.#checkLease(before, lease, rows);
      else this.#checkNew(lease);
      this.#highest.set(lease.leaseKey, lease.epoch);
      this.#watcher?.leaseChanged(before, lease, rows);
      const undone = this.#witness.undone(lease);
      if (undone !== undefined) this.#report("nothing-lost", undone);
    }
    if (leases.length === this.#leases.size) return;
    const keys = new Set(leases.map((lease) => lease.leaseKey));
    for (const [leaseKey, lease] of this.#leases) {
      if (keys.has(leaseKey)) continue;
      if (!lease.marked && !this.#byHand.delete(leaseKey))
        this.#report("history-is-whole", `row ${leaseKey} is gone without having been marked`);
      this.#leases.delete(leaseKey);
    }
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

  #checkWorkers(rows: MemorySnapshot): void {
    const { workers } = rows.fleet();
    for (const row of workers) {
      const before = this.#workers.get(row.workerId);
      if (before === row) continue;
      this.#workers.set(row.workerId, row);
      this.#checkWorker(before, row);
      this.#watcher?.workerChanged(before, row);
    }
    if (workers.length === this.#workers.size) return;
    const ids = new Set(workers.map((row) => row.workerId));
    for (const [workerId, row] of this.#workers) {
      if (ids.has(workerId)) continue;
      if (row.fencedBy === undefined && !this.#byHand.delete(workerId))
        this.#report("fenced-is-silent", `the unfenced row of ${workerId} is gone`);
      this.#workers.delete(workerId);
    }
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
