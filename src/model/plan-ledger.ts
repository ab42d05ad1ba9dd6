import { orderOf } from "./key-order.js";
import type { PlanLease, PlanSnapshot } from "./plan-snapshot.js";
import { weigh } from "./plan-weight.js";
import { placesOfBoth } from "./sorted.js";

/** A lease with the weight that it counts with. */
export interface WeighedLease {
  readonly lease: PlanLease;
  readonly weight: number;
}

/**
 * The leases that name a worker, as owner or as the target of a directive. Both lists are of places in the ledger,
 * ascending, which is the order of the keys.
 */
export interface Share {
  /** Its own, with no directive in flight. */
  readonly own: Int32Array;
  /** The weight of those, and of the lightest; Infinity without any. */
  readonly weight: number;
  readonly lightest: number;
  /** On their way from it or to it. */
  readonly inFlight: readonly number[];
}

/** What changed of a share, and what of it did not. */
interface TouchedShare {
  own: Int32Array;
  readonly inFlight: number[];
  /** In no order. */
  readonly news: number[];
}

const noShare: Share = { own: new Int32Array(0), weight: 0, lightest: Infinity, inFlight: [] };

/** Beyond this part of the leases a look at all of them costs no more than one at each that changed hands. */
const patchable = 1 / 8;
/** Of a row that is in no plan. */
const nowhere = -1;

/** What a ledger is of. */
export type WeighedRows = Pick<PlanSnapshot, "leases" | "weights" | "inOrder">;

/** What a ledger is made of. */
interface Entries {
  readonly of: WeighedRows;
  /** For each row the place of its lease. */
  readonly places: Int32Array;
  readonly leases: readonly PlanLease[];
  readonly weights: Float64Array;
  readonly shares: ReadonlyMap<string, Share>;
}

/**
 * What a plan knows of the leases by themselves, whoever of the workers lives: their weights, and whose they are. It is
 * kept from round to round, since most rounds change few leases or none, and a fleet may have a hundred thousand; a scan
 * may change what all of them weigh, and hardly ever whose they are.
 */
export class Ledger {
  /** The sum of the weights. */
  readonly total: number;
  /** The greatest of the weights; 0 without leases. */
  readonly heaviest: number;
  readonly #entries: Entries;

  private constructor(entries: Entries, { total, heaviest } = sumUp(entries.weights)) {
    this.#entries = entries;
    this.total = total;
    this.heaviest = heaviest;
  }

  /**
   * @param before of an earlier round: what still holds of it is kept. It makes a difference to the time only: the ledger
   * is the same, to the last bit of each sum, without.
   */
  static of({ leases, weights, inOrder }: WeighedRows, before?: Ledger): Ledger {
    const rows: WeighedRows = {
      leases,
      ...(weights === undefined ? {} : { weights }),
      ...(inOrder === undefined ? {} : { inOrder }),
    };
    return (before === undefined ? undefined : before.#patched(rows)) ?? Ledger.#anew(rows);
  }

  /** Unfinished leases, by leaseKey. */
  get leases(): readonly PlanLease[] {
    return this.#entries.leases;
  }

  share(workerId: string): Share {
    return this.#entries.shares.get(workerId) ?? noShare;
  }

  weightAt(place: number): number {
    return this.#entries.weights[place] ?? 0;
  }

  /** @throws RangeError where no lease has that place */
  at(place: number): WeighedLease {
    const lease = this.leases[place];
    if (lease === undefined) throw new RangeError(`the ledger has no lease ${String(place)}`);
    return { lease, weight: this.weightAt(place) };
  }

  /** Those of the leases that are admitted, by leaseKey. */
  select(admits: (lease: PlanLease) => boolean): WeighedLease[] {
    const selected: WeighedLease[] = [];
    this.leases.forEach((lease, place) => {
      if (admits(lease)) selected.push({ lease, weight: this.weightAt(place) });
    });
    return selected;
  }

  static #anew(rows: WeighedRows): Ledger {
    const { places, leases } = arrange(rows);
    const weights = weigh(knownWeights(rows, places, leases.length));
    return new Ledger({ of: rows, places, leases, weights, shares: dealOut(leases, weights) });
  }

  /** @returns undefined where so much has changed that all is to be looked at */
  #patched(rows: WeighedRows): Ledger | undefined {
    const { of: before, places } = this.#entries;
    if (rows.leases.length !== before.leases.length) return undefined;
    let reweighed = rows.weights !== before.weights;
    if (!reweighed && rows.leases === before.leases) return this;
    // Where the list that was given is the ledger's own, so is the next: its leases are the same, finished or not.
    const isAsGiven = this.leases === before.leases;
    const copy = isAsGiven || rows.leases === before.leases ? undefined : [...this.leases];
    const leases = copy ?? (isAsGiven ? rows.leases : this.leases);
    /** The places of those that changed hands. */
    const moved = new Set<number>();
    for (let i = 0; i < places.length && rows.leases !== before.leases; i++) {
      const old = before.leases[i];
      const now = rows.leases[i];
      if (old === now || old === undefined || now === undefined) continue;
      if (old.leaseKey !== now.leaseKey || old.finished !== now.finished) return undefined;
      const place = places[i] ?? nowhere;
      if (place === nowhere) continue;
      if (copy !== undefined) copy[place] = now;
      reweighed ||= old.weight !== now.weight;
      if (isOfSameNames(old, now)) continue;
      moved.add(place);
      if (moved.size > places.length * patchable) return undefined;
    }
    // What each weighs may depend on what the others do.
    const weights = reweighed ? weigh(knownWeights(rows, places, leases.length)) : this.#entries.weights;
    const shares = this.#sharesWith(leases, moved, weights);
    return new Ledger({ of: rows, places, leases, weights, shares }, reweighed ? undefined : this);
  }

  /** The shares anew where leases were moved in or out, or weigh otherwise; the very same where not. */
  #sharesWith(
    leases: readonly PlanLease[],
    moved: ReadonlySet<number>,
    weights: Float64Array,
  ): ReadonlyMap<string, Share> {
    const { shares: before, weights: weightsBefore } = this.#entries;
    const touched = new Map<string, TouchedShare>();
    const touch = (workerId: string): TouchedShare => {
      let share = touched.get(workerId);
      if (share === undefined) {
        const { own, inFlight } = this.share(workerId);
        const stays = (place: number): boolean => !moved.has(place);
        touched.set(
          workerId,
          (share = { own: own.filter(stays), news: [], inFlight: inFlight.filter(stays) }),
        );
      }
      return share;
    };
    for (const place of moved) {
      for (const workerId of namesIn(this.leases[place])) touch(workerId);
      const lease = leases[place];
      const isOnItsWay = lease?.inFlightTo !== undefined;
      for (const workerId of namesIn(lease)) {
        const { inFlight, news } = touch(workerId);
        (isOnItsWay ? inFlight : news).push(place);
      }
    }
    const shares = new Map(before);
    if (weights !== weightsBefore) {
      for (const [id, { own, inFlight }] of before) shares.set(id, shareOf(own, inFlight, weights));
    }
    for (const [id, { own, news, inFlight }] of touched) {
      const all = placesOfBoth(own, news);
      inFlight.sort((a, b) => a - b);
      // Nobody is kept in mind without leases: ids are used once.
      if (all.length + inFlight.length === 0) shares.delete(id);
      else shares.set(id, shareOf(all, inFlight, weights));
    }
    return shares;
  }
}

/** The unfinished leases by leaseKey, and for each row the place of its own. */
function arrange({ leases: rows, inOrder }: WeighedRows): Pick<Entries, "places" | "leases"> {
  // No key is looked at where the order is known: in memory they stand anywhere, and each would have to be fetched.
  const order = inOrder === true ? undefined : orderOf(rows, ({ leaseKey }) => leaseKey);
  const places = new Int32Array(rows.length);
  let open = 0;
  let areAsGiven = true;
  for (let i = 0; i < rows.length; i++) {
    const row = order?.[i] ?? i;
    const isOpen = rows[row]?.finished === false;
    places[row] = isOpen ? open++ : nowhere;
    areAsGiven &&= isOpen && row === i;
  }
  // A planner keeps its rows in the order of their keys: the list itself will do, and never changes.
  if (areAsGiven) return { places, leases: rows };
  const leases: PlanLease[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = order?.[i] ?? i;
    const lease = rows[row];
    if (lease !== undefined && places[row] !== nowhere) leases.push(lease);
  }
  return { places, leases };
}

/** What is known of each lease's weight, by its place. */
function knownWeights({ leases, weights }: WeighedRows, places: Int32Array, count: number): Float64Array {
  const known = new Float64Array(count);
  for (let i = 0; i < places.length; i++) {
    const place = places[i] ?? nowhere;
    if (place !== nowhere) known[place] = (weights === undefined ? leases[i]?.weight : weights[i]) ?? NaN;
  }
  return known;
}

/** Gives each worker its share. The lists of all stand in one, one after the other: a list for each would grow by pieces. */
function dealOut(leases: readonly PlanLease[], weights: Float64Array): ReadonlyMap<string, Share> {
  const numbers = new Map<string, number>();
  const numberOf = (workerId: string): number => {
    let number = numbers.get(workerId);
    if (number === undefined) numbers.set(workerId, (number = numbers.size));
    return number;
  };
  const owners = new Int32Array(leases.length).fill(nowhere);
  const inFlight = new Map<string, number[]>();
  // By index here and below: each value that an iterator hands over is an object as long as the code is new, and a first
  // plan is made by new code.
  for (let place = 0; place < leases.length; place++) {
    const lease = leases[place];
    if (lease?.owner === undefined || lease.free) continue;
    if (lease.inFlightTo === undefined) {
      owners[place] = numberOf(lease.owner);
      continue;
    }
    for (const workerId of namesIn(lease)) {
      numberOf(workerId);
      const list = inFlight.get(workerId);
      if (list === undefined) inFlight.set(workerId, [place]);
      else list.push(place);
    }
  }
  const ends = new Int32Array(numbers.size);
  for (let place = 0; place < owners.length; place++) {
    const owner = owners[place] ?? nowhere;
    if (owner !== nowhere) ends[owner] = (ends[owner] ?? 0) + 1;
  }
  let end = 0;
  ends.forEach((count, number) => (ends[number] = end += count));
  const places = new Int32Array(end);
  for (let place = owners.length - 1; place >= 0; place--) {
    const owner = owners[place] ?? nowhere;
    if (owner === nowhere) continue;
    const at = (ends[owner] ?? 0) - 1;
    ends[owner] = at;
    places[at] = place;
  }
  const shares = new Map<string, Share>();
  for (const [workerId, number] of numbers) {
    const own = places.subarray(ends[number], ends[number + 1] ?? end);
    shares.set(workerId, shareOf(own, inFlight.get(workerId) ?? [], weights));
  }
  return shares;
}

function shareOf(own: Int32Array, inFlight: readonly number[], weights: Float64Array): Share {
  let weight = 0;
  let lightest = Infinity;
  for (let i = 0; i < own.length; i++) {
    const one = weights[own[i] ?? 0] ?? 0;
    weight += one;
    if (one < lightest) lightest = one;
  }
  return { own, weight, lightest, inFlight };
}

/** In the order of the keys, since sums of doubles depend on it. */
function sumUp(weights: Float64Array): { readonly total: number; readonly heaviest: number } {
  let total = 0;
  let heaviest = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    total += weight;
    if (weight > heaviest) heaviest = weight;
  }
  return { total, heaviest };
}

/** Whoever has the lease in its share. */
function namesIn(lease: PlanLease | undefined): readonly string[] {
  if (lease?.owner === undefined || lease.free) return [];
  const { owner, inFlightTo } = lease;
  return inFlightTo === undefined || inFlightTo === owner ? [owner] : [owner, inFlightTo];
}

function isOfSameNames(a: PlanLease, b: PlanLease): boolean {
  return a.owner === b.owner && a.inFlightTo === b.inFlightTo && a.free === b.free;
}
