import { isFinished } from "../model/position.js";
import { markOf, observesAllUpTo } from "../model/observers.js";
import { isLive, isTarget } from "../model/worker-row.js";
import { createMemoryStore, type MemoryTables } from "../store/memory/index.js";
import type { Store } from "../store/store.js";
import type { SimulatedProcess } from "./simulated-process.js";

/** Told of what was done to rows from outside the protocol: a check that saw only the rows would take it for a violation. */
export interface ByHand {
  workerRowDeleted?(workerId: string): void;
  /** @param epoch that it stood at: what was begun of it has at most that one */
  leaseRowDeleted?(leaseKey: string, epoch: number): void;
  /** The planner lease is to be this worker's. */
  plannerNamed?(workerId: string): void;
}

/** What people, and the parents of processes, do to the tables at one instant, by a way of their own. */
export class Operator {
  readonly #rows: MemoryTables;
  readonly #store: Store;
  readonly #byHand: readonly ByHand[];

  constructor(rows: MemoryTables, byHand: readonly ByHand[]) {
    this.#rows = rows;
    this.#store = createMemoryStore({ application: "simulated", tables: rows });
    this.#byHand = byHand;
  }

  /** `leasehold fence`. */
  forceFence(process: SimulatedProcess): void {
    const workerId = process.workerIds.at(-1);
    if (workerId === undefined || !this.#rows.exist) return;
    const { membership, plannerDesk } = this.#store;
    void membership.forceFence(workerId, "operator", "").then(async ({ ok }) => {
      if (ok) await plannerDesk.countDeath();
    });
  }

  /** A parent has seen its child exit. */
  fenceExited(process: SimulatedProcess): void {
    if (!this.#rows.exist) return;
    for (const workerId of process.workerIds) void this.#store.membership.fenceExited(workerId, "parent");
  }

  /** @returns whether there was an unfenced one */
  deleteWorkerRow(process: SimulatedProcess): boolean {
    const row = this.#rows.view().worker(process.workerIds.at(-1) ?? "");
    if (row === undefined || row.fencedBy !== undefined) return false;
    for (const told of this.#byHand) told.workerRowDeleted?.(row.workerId);
    this.#rows.deleteWorker(row.workerId);
    return true;
  }

  /**
   * @param isOpen whether the lease's shard is open
   * @returns whether there was one
   */
  deleteLeaseRow(pick: number, isOpen: (leaseKey: string) => boolean): boolean {
    const leases = this.#rows
      .view()
      .scan()
      .leases.filter(
        ({ leaseKey, marked, checkpoint }) => !marked && !isFinished(checkpoint) && isOpen(leaseKey),
      );
    const lease = leases[Math.floor(pick * leases.length)];
    if (lease === undefined) return false;
    for (const told of this.#byHand) told.leaseRowDeleted?.(lease.leaseKey, lease.epoch);
    this.#rows.deleteLease(lease.leaseKey);
    return true;
  }

  /** Somebody else becomes the planner, as if the present one had been silent. */
  claimPlannerFor(other: SimulatedProcess): void {
    const workerId = other.workerIds.at(-1);
    if (workerId === undefined || !this.#rows.exist) return;
    for (const told of this.#byHand) told.plannerNamed?.(workerId);
    void this.#store.plannerDesk.claim(workerId, this.#rows.view().planner?.epoch);
  }

  /** Whether the process's worker may be given something. */
  isTarget(process: SimulatedProcess): boolean {
    const row = this.#rows.view().worker(process.workerIds.at(-1) ?? "");
    return row !== undefined && isTarget(row);
  }

  /** Those of the processes that observe this one's worker. */
  observersOf(
    process: SimulatedProcess,
    processes: readonly SimulatedProcess[],
  ): readonly SimulatedProcess[] {
    const rows = this.#rows.view();
    const victim = process.workerIds.at(-1) ?? "";
    const others = processes.filter((other) => other !== process);
    const all = rows.fleet().workers.filter(isLive).length <= observesAllUpTo;
    return others.filter(({ workerIds }) => {
      const row = rows.worker(workerIds.at(-1) ?? "");
      return all || row?.observes?.marks.includes(markOf(victim)) === true;
    });
  }
}
