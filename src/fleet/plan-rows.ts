import { orderOf } from "../model/key-order.js";
import type { Lease } from "../model/lease.js";
import type { PlanLease } from "../model/plan-snapshot.js";
import { placeOf } from "../model/sorted.js";
import type { Member } from "./member.js";
import {
  isSeenAs,
  knownWeight,
  nothingPlanned,
  planLease,
  type PlannedLeases,
  type SeenLeases,
} from "./snapshot.js";

/**
 * What plans see of the lease rows, kept from round to round: only what may have changed is made anew, and
 * where nothing did the list is the very same, by which a plan knows. In the order of the keys, so that no plan sorts.
 */
export class PlanRows {
  readonly #member: Member;
  readonly #planned: PlannedLeases;
  /** The rows as last seen, in the order in which they were read, and the place of each in the list. */
  #rows: readonly Lease[] = [];
  #places: Uint32Array = new Uint32Array(0);
  #seen: SeenLeases = { leases: [], weights: new Float64Array(0) };
  /** The row of each place. */
  #order: Uint32Array = new Uint32Array(0);
  /** Rows with parents: whether these leases wait is said by other rows than their own, readable or not. */
  readonly #children = new Set<number>();
  /** Leases of which the planner said something of its own. */
  #plannedKeys: readonly string[] = [];
  /** Workers whose leases are free. */
  #free: ReadonlySet<string> = new Set();
  #strangers: ReadonlySet<string> = new Set();

  /** @param planned what a planner adds; by default nothing */
  constructor(member: Member, planned = nothingPlanned) {
    this.#member = member;
    this.#planned = planned;
  }

  /** The leases as they are known now. */
  look(): SeenLeases {
    const { leases, fleet } = this.#member;
    const rows = leases.all();
    const free = new Set(
      fleet.workers.filter(({ workerId }) => fleet.isFree(workerId)).map(({ workerId }) => workerId),
    );
    const plannedKeys = [...this.#planned.keys()];
    if (this.#hasKeysOf(rows)) this.#renew(rows, this.#inDoubt(rows, free, plannedKeys));
    else this.#arrange(rows);
    this.#rows = rows;
    this.#free = free;
    this.#strangers = leases.strangers;
    this.#plannedKeys = plannedKeys;
    return this.#seen;
  }

  #hasKeysOf(rows: readonly Lease[]): boolean {
    if (rows === this.#rows) return true;
    if (rows.length !== this.#rows.length) return false;
    return rows.every((row, i) => row === this.#rows[i] || row.leaseKey === this.#rows[i]?.leaseKey);
  }

  /** Other leases than before. */
  #arrange(rows: readonly Lease[]): void {
    this.#order = orderOf(rows, ({ leaseKey }) => leaseKey);
    this.#places = new Uint32Array(rows.length);
    this.#order.forEach((row, place) => (this.#places[row] = place));
    this.#children.clear();
    rows.forEach((lease, row) => {
      this.#note(lease, row);
    });
    const leases: PlanLease[] = [];
    const weights = new Float64Array(rows.length);
    for (const row of this.#order) {
      const lease = rows[row];
      if (lease === undefined) continue;
      weights[leases.length] = knownWeight(lease);
      leases.push(planLease(lease, this.#member, this.#planned));
    }
    this.#seen = { leases, weights };
  }

  /** The rows of which the list may be wrong. */
  #inDoubt(
    rows: readonly Lease[],
    free: ReadonlySet<string>,
    plannedKeys: readonly string[],
  ): readonly number[] {
    const { strangers } = this.#member.leases;
    const news = new Set([...free, ...this.#free].filter((id) => !free.has(id) || !this.#free.has(id)));
    const isNews = ({ owner }: Lease): boolean => owner !== undefined && news.has(owner);
    const doubted = [...this.#children];
    if (rows !== this.#rows || news.size > 0) {
      rows.forEach((lease, row) => {
        if (lease !== this.#rows[row] || (news.size > 0 && isNews(lease))) doubted.push(row);
      });
    }
    // What was said of it before may have been taken back.
    const ofStrangers = strangers === this.#strangers ? [] : [...this.#strangers, ...strangers];
    for (const key of [...this.#plannedKeys, ...plannedKeys, ...ofStrangers]) {
      const row = this.#order[placeOf(this.#seen.leases, key, ({ leaseKey }) => leaseKey)];
      if (row !== undefined) doubted.push(row);
    }
    return doubted;
  }

  #note({ parents }: Lease, row: number): void {
    if (parents.length > 0) this.#children.add(row);
    else if (this.#children.size > 0) this.#children.delete(row);
  }

  #renew(rows: readonly Lease[], doubted: readonly number[]): void {
    const { leases, weights } = this.#seen;
    // Never changed in place: the last plan's ledger is of what was seen then.
    let leasesNow: PlanLease[] | undefined;
    let weightsNow: Float64Array | undefined;
    for (const row of doubted) {
      const lease = rows[row];
      const place = this.#places[row] ?? -1;
      const before = leases[place];
      if (lease === undefined || before === undefined) continue;
      this.#note(lease, row);
      const weight = knownWeight(lease);
      if (!Object.is(weight, weights[place])) (weightsNow ??= weights.slice())[place] = weight;
      if (isSeenAs(before, lease, this.#member, this.#planned)) continue;
      (leasesNow ??= [...leases])[place] = planLease(lease, this.#member, this.#planned);
    }
    this.#seen = { leases: leasesNow ?? leases, weights: weightsNow ?? weights };
  }
}
