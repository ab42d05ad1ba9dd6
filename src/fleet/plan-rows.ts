import type { Lease } from "../model/lease.js";
import type { PlanLease } from "../model/plan-snapshot.js";
import { compareKeys } from "../model/rendezvous.js";
import { placeOf } from "../model/sorted.js";
import type { Member } from "./member.js";
import { nothingPlanned, planLease, type PlannedLeases } from "./snapshot.js";

/**
 * What plans see of the lease rows, kept from round to round: only what may have changed is made anew, and
 * where nothing did the list is the very same, by which a plan knows. In the order of the keys, so that no plan sorts.
 */
export class PlanRows {
  readonly #member: Member;
  readonly #planned: PlannedLeases;
  /** The rows as last seen, in the order in which they were read, and the place of each in the list. */
  #rows: readonly Lease[] = [];
  #places = new Uint32Array(0);
  #list: readonly PlanLease[] = [];
  /** The row of each place. */
  #order = new Uint32Array(0);
  /** Rows with parents: whether these leases wait is said by other rows than their own, readable or not. */
  readonly #children = new Set<number>();
  /** Leases of which the planner said something of its own. */
  #plannedKeys: readonly string[] = [];
  #free: readonly string[] = [];
  #strangers: ReadonlySet<string> = new Set();

  /** @param planned what a planner adds; by default nothing */
  constructor(member: Member, planned = nothingPlanned) {
    this.#member = member;
    this.#planned = planned;
  }

  /** The leases as they are known now. */
  look(): readonly PlanLease[] {
    const { leases, fleet } = this.#member;
    const rows = leases.all();
    const free = fleet.workers
      .filter(({ workerId }) => fleet.isFree(workerId))
      .map(({ workerId }) => workerId);
    const plannedKeys = [...this.#planned.keys()];
    if (!this.#hasKeysOf(rows)) this.#arrange(rows);
    else if (leases.strangers !== this.#strangers || !isSame(free, this.#free))
      this.#renew(rows, rows.keys());
    else this.#renew(rows, this.#inDoubt(rows, plannedKeys));
    this.#rows = rows;
    this.#free = free;
    this.#strangers = leases.strangers;
    this.#plannedKeys = plannedKeys;
    return this.#list;
  }

  #hasKeysOf(rows: readonly Lease[]): boolean {
    if (rows === this.#rows) return true;
    if (rows.length !== this.#rows.length) return false;
    return rows.every((row, i) => row === this.#rows[i] || row.leaseKey === this.#rows[i]?.leaseKey);
  }

  /** Other leases than before. */
  #arrange(rows: readonly Lease[]): void {
    const sorted = rows.map((lease, row) => ({ lease, row, key: lease.leaseKey }));
    sorted.sort((a, b) => compareKeys(a.key, b.key));
    this.#order = Uint32Array.from(sorted, ({ row }) => row);
    this.#places = new Uint32Array(rows.length);
    this.#order.forEach((row, place) => (this.#places[row] = place));
    this.#children.clear();
    rows.forEach((lease, row) => {
      this.#note(lease, row);
    });
    this.#list = sorted.map(({ lease }) => planLease(lease, this.#member, this.#planned));
  }

  /** The rows of which the list may be wrong. */
  *#inDoubt(rows: readonly Lease[], plannedKeys: readonly string[]): Iterable<number> {
    if (rows !== this.#rows) {
      for (let row = 0; row < rows.length; row++) if (rows[row] !== this.#rows[row]) yield row;
    }
    // What was said of it before may have been taken back.
    for (const key of [...this.#plannedKeys, ...plannedKeys]) {
      const row = this.#order[placeOf(this.#list, key, ({ leaseKey }) => leaseKey)];
      if (row !== undefined) yield row;
    }
    yield* this.#children;
  }

  #note({ parents }: Lease, row: number): void {
    if (parents.length > 0) this.#children.add(row);
    else this.#children.delete(row);
  }

  #renew(rows: readonly Lease[], doubted: Iterable<number>): void {
    let list: PlanLease[] | undefined;
    for (const row of doubted) {
      const lease = rows[row];
      const place = this.#places[row];
      if (lease === undefined || place === undefined) continue;
      this.#note(lease, row);
      const now = planLease(lease, this.#member, this.#planned);
      if (isSameLease(this.#list[place], now)) continue;
      // Never changed in place: the last plan's ledger is of the list as it was.
      list ??= [...this.#list];
      list[place] = now;
    }
    this.#list = list ?? this.#list;
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function isSameLease(a: PlanLease | undefined, b: PlanLease): boolean {
  return (
    a !== undefined &&
    a.leaseKey === b.leaseKey &&
    a.owner === b.owner &&
    a.epoch === b.epoch &&
    a.weight === b.weight &&
    a.finished === b.finished &&
    a.waiting === b.waiting &&
    a.free === b.free &&
    a.inFlightTo === b.inFlightTo &&
    a.coolUntilMs === b.coolUntilMs
  );
}
