import type { PlanLease } from "./plan-snapshot.js";
import { compareKeys } from "./rendezvous.js";
import { placeOf } from "./sorted.js";

/** A lease with the weight that it counts with. */
export interface WeighedLease {
  readonly lease: PlanLease;
  readonly weight: number;
}

/** The leases that name a worker, as owner or as the target of a directive; both lists in the order of the keys. */
export interface Share {
  /** Its own, with no directive in flight. */
  readonly own: readonly WeighedLease[];
  /** The weight of those, and of the lightest; Infinity without any. */
  readonly weight: number;
  readonly lightest: number;
  /** On their way from it or to it. */
  readonly inFlight: readonly WeighedLease[];
}

interface GrowingShare extends Share {
  readonly own: WeighedLease[];
  weight: number;
  lightest: number;
  readonly inFlight: WeighedLease[];
}

const noShare: Share = { own: [], weight: 0, lightest: Infinity, inFlight: [] };

/** Beyond this part of the leases a look at all of them costs no more than one at each that changed. */
const patchable = 1 / 8;

/**
 * What a plan knows of the leases by themselves, whoever of the workers lives: their weights, and whose they are. It is
 * kept from round to round, since most rounds change few leases or none, and a fleet may have a hundred thousand.
 */
export class Ledger {
  /** Unfinished leases, by leaseKey. */
  readonly leases: readonly WeighedLease[];
  /** The sum of their weights. */
  readonly total: number;
  /** The greatest of their weights; 0 without leases. */
  readonly heaviest: number;
  readonly #rows: readonly PlanLease[];
  readonly #shares: ReadonlyMap<string, Share>;

  private constructor(
    rows: readonly PlanLease[],
    leases: readonly WeighedLease[],
    shares: ReadonlyMap<string, Share>,
    { total, heaviest } = sumUp(leases),
  ) {
    this.leases = leases;
    this.total = total;
    this.heaviest = heaviest;
    this.#rows = rows;
    this.#shares = shares;
  }

  /**
   * @param before of an earlier round: what still holds of it is kept. It makes a difference to the time only: the ledger
   * is the same, to the last bit of each sum, without.
   */
  static of(rows: readonly PlanLease[], before?: Ledger): Ledger {
    if (before === undefined) return Ledger.#anew(rows);
    return before.#rows === rows ? before : (before.#patched(rows) ?? Ledger.#anew(rows));
  }

  share(workerId: string): Share {
    return this.#shares.get(workerId) ?? noShare;
  }

  static #anew(rows: readonly PlanLease[]): Ledger {
    const leases = weigh(rows);
    const shares = new Map<string, GrowingShare>();
    const shareOf = (workerId: string): GrowingShare => {
      let share = shares.get(workerId);
      if (share === undefined)
        shares.set(workerId, (share = { own: [], weight: 0, lightest: Infinity, inFlight: [] }));
      return share;
    };
    for (const weighed of leases) {
      const { owner, inFlightTo, free } = weighed.lease;
      if (free || owner === undefined) continue;
      const share = shareOf(owner);
      if (inFlightTo === undefined) {
        share.own.push(weighed);
        share.weight += weighed.weight;
        share.lightest = Math.min(share.lightest, weighed.weight);
        continue;
      }
      share.inFlight.push(weighed);
      if (inFlightTo !== owner) shareOf(inFlightTo).inFlight.push(weighed);
    }
    return new Ledger(rows, leases, shares);
  }

  /** @returns undefined where so much has changed that all is to be looked at */
  #patched(rows: readonly PlanLease[]): Ledger | undefined {
    const changed = this.#changed(rows);
    if (changed === undefined) return undefined;
    const leases = [...this.leases];
    const shares = new Map(this.#shares);
    const touched = new Map<string, WeighedLease[]>();
    const touch = (workerId: string | undefined): WeighedLease[] | undefined => {
      if (workerId === undefined) return undefined;
      let list = touched.get(workerId);
      if (list === undefined) touched.set(workerId, (list = []));
      return list;
    };
    for (const lease of changed.values()) {
      if (lease.finished) continue;
      const at = placeOf(leases, lease.leaseKey, keyOf);
      const before = leases[at];
      if (before?.lease.leaseKey !== lease.leaseKey) return undefined;
      const now = { lease, weight: before.weight };
      leases[at] = now;
      for (const workerId of namesIn(before.lease)) touch(workerId);
      for (const workerId of namesIn(lease)) touch(workerId)?.push(now);
    }
    for (const [workerId, news] of touched) {
      const { own, inFlight } = this.share(workerId);
      const isKept = ({ lease }: WeighedLease): boolean => !changed.has(lease.leaseKey);
      const all = [...own.filter(isKept), ...inFlight.filter(isKept), ...news].sort(byKey);
      const stays = all.filter(({ lease }) => lease.inFlightTo === undefined);
      shares.set(workerId, {
        own: stays,
        weight: stays.reduce((sum, { weight }) => sum + weight, 0),
        lightest: stays.reduce((least, { weight }) => Math.min(least, weight), Infinity),
        inFlight: all.filter(({ lease }) => lease.inFlightTo !== undefined),
      });
    }
    return new Ledger(rows, leases, shares, this);
  }

  /** The leases that differ, by leaseKey; undefined where others came or went, one weighs more or less, or many differ. */
  #changed(rows: readonly PlanLease[]): ReadonlyMap<string, PlanLease> | undefined {
    if (rows.length !== this.#rows.length) return undefined;
    const changed = new Map<string, PlanLease>();
    for (let i = 0; i < rows.length; i++) {
      const before = this.#rows[i];
      const now = rows[i];
      if (before === now || before === undefined || now === undefined) continue;
      // What each weighs may depend on what the others do.
      if (before.leaseKey !== now.leaseKey || before.weight !== now.weight) return undefined;
      if (before.finished !== now.finished || changed.size >= rows.length * patchable) return undefined;
      changed.set(now.leaseKey, now);
    }
    return changed;
  }
}

/**
 * The weights that count: at least a tenth of the mean, because an idle lease may wake up and moving it costs as much;
 * unknown is the mean; where nothing is known or all are zero, leases are counted. In the order of the keys, so that
 * sums of doubles do not depend on the order of the input.
 */
function weigh(rows: readonly PlanLease[]): WeighedLease[] {
  const unfinished = rows
    .filter(({ finished }) => !finished)
    .sort((a, b) => compareKeys(a.leaseKey, b.leaseKey));
  let sum = 0;
  let known = 0;
  for (const { weight } of unfinished) {
    if (!isWeight(weight)) continue;
    sum += weight;
    known++;
  }
  if (sum === 0) return unfinished.map((lease) => ({ lease, weight: 1 }));
  const mean = sum / known;
  return unfinished.map((lease) => ({
    lease,
    weight: isWeight(lease.weight) ? Math.max(lease.weight, mean / 10) : mean,
  }));
}

function isWeight(weight: number | undefined): weight is number {
  // A row is written by others: what is no load is as good as unknown.
  return weight !== undefined && Number.isFinite(weight) && weight >= 0;
}

function sumUp(leases: readonly WeighedLease[]): { readonly total: number; readonly heaviest: number } {
  let total = 0;
  let heaviest = 0;
  for (const { weight } of leases) {
    total += weight;
    if (weight > heaviest) heaviest = weight;
  }
  return { total, heaviest };
}

/** Whoever has the lease in its share. */
function namesIn({ owner, inFlightTo, free }: PlanLease): ReadonlySet<string> {
  const names = new Set<string>();
  if (free || owner === undefined) return names;
  names.add(owner);
  if (inFlightTo !== undefined) names.add(inFlightTo);
  return names;
}

function keyOf({ lease }: WeighedLease): string {
  return lease.leaseKey;
}

function byKey(a: WeighedLease, b: WeighedLease): number {
  return compareKeys(a.lease.leaseKey, b.lease.leaseKey);
}
