import type { Lease } from "../model/lease.js";
import type { PlanLease } from "../model/plan-snapshot.js";
import { placeOf } from "../model/sorted.js";
import type { Member } from "./member.js";
import {
  isAsBefore,
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
  #seen: SeenLeases = { leases: [], weights: new Float64Array(0), inOrder: true };
  /** The row of each place, as the view says: the same as long as the rows are of the same leases. */
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
    const { order } = leases;
    if (order === this.#order) this.#renew(rows, free, plannedKeys);
    else this.#arrange(rows, order);
    this.#rows = rows;
    this.#free = free;
    this.#strangers = leases.strangers;
    this.#plannedKeys = plannedKeys;
    return this.#seen;
  }

  /** Other leases than before. */
  #arrange(rows: readonly Lease[], order: Uint32Array): void {
    const places = new Uint32Array(rows.length);
    const leases: PlanLease[] = [];
    const weights = new Float64Array(rows.length);
    this.#children.clear();
    for (let place = 0; place < order.length; place++) {
      const row = order[place] ?? 0;
      const lease = rows[row];
      if (lease === undefined) continue;
      places[row] = place;
      this.#note(lease, row);
      weights[place] = knownWeight(lease);
      leases.push(planLease(lease, this.#member, this.#planned));
    }
    this.#order = order;
    this.#places = places;
    this.#seen = { leases, weights, inOrder: true };
  }

  /** Of the same leases. */
  #renew(rows: readonly Lease[], free: ReadonlySet<string>, plannedKeys: readonly string[]): void {
    const news = new Set([...free, ...this.#free].filter((id) => !free.has(id) || !this.#free.has(id)));
    const doubted = [...this.#children, ...this.#spokenOf(plannedKeys)];
    let { weights } = this.#seen;
    if (rows !== this.#rows || news.size > 0) {
      // Never changed in place: the last plan's ledger is of what was seen then.
      let weightsNow: Float64Array | undefined;
      for (let row = 0; row < rows.length; row++) {
        const lease = rows[row];
        if (lease === undefined) continue;
        const place = this.#places[row] ?? -1;
        if (lease !== this.#rows[row]) {
          const weight = knownWeight(lease);
          if (!Object.is(weight, weights[place])) (weightsNow ??= weights.slice())[place] = weight;
          if (!isAsBefore(this.#seen.leases[place], lease)) doubted.push(row);
        }
        if (news.size > 0 && lease.owner !== undefined && news.has(lease.owner)) doubted.push(row);
      }
      weights = weightsNow ?? weights;
    }
    this.#seen = { leases: this.#withNews(rows, doubted), weights, inOrder: true };
  }

  /** The rows of which others than themselves say something, or said before: it may have been taken back. */
  #spokenOf(plannedKeys: readonly string[]): number[] {
    const { strangers } = this.#member.leases;
    const ofStrangers = strangers === this.#strangers ? [] : [...this.#strangers, ...strangers];
    return [...this.#plannedKeys, ...plannedKeys, ...ofStrangers].flatMap(
      (key) => this.#order[placeOf(this.#seen.leases, key, ({ leaseKey }) => leaseKey)] ?? [],
    );
  }

  #note({ parents }: Lease, row: number): void {
    if (parents.length > 0) this.#children.add(row);
    else if (this.#children.size > 0) this.#children.delete(row);
  }

  /** The list with those leases made anew that are no longer what it says. */
  #withNews(rows: readonly Lease[], doubted: readonly number[]): readonly PlanLease[] {
    const { leases } = this.#seen;
    let leasesNow: PlanLease[] | undefined;
    for (const row of doubted) {
      const lease = rows[row];
      const place = this.#places[row] ?? -1;
      const before = leases[place];
      if (lease === undefined || before === undefined) continue;
      this.#note(lease, row);
      if (isSeenAs(before, lease, this.#member, this.#planned)) continue;
      (leasesNow ??= [...leases])[place] = planLease(lease, this.#member, this.#planned);
    }
    return leasesNow ?? leases;
  }
}
