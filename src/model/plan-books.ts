import { Ledger, type WeighedLease } from "./plan-ledger.js";
import type { PlanSnapshot, PlanWorker } from "./plan-snapshot.js";
import { compareKeys } from "./rendezvous.js";
import { placesOfBoth } from "./sorted.js";

/** What nearly every worker may not be given. */
const none: ReadonlySet<string> = new Set();

/** What a worker holds and may still be given, kept up to date while one plan is made. Never leaves the planner. */
export class Account {
  readonly worker: PlanWorker;
  /** Live, not draining, not blind: may give and receive. */
  readonly isTarget: boolean;
  /** The most leases that a plan lets it have. */
  readonly cap: number;
  readonly unfit: ReadonlySet<string>;
  /** No lease that may be moved away is lighter. */
  readonly lightest: number;
  load = 0;
  /** Held or on their way here. What is on its way out counts too, since it may come to nothing: caps go by this. */
  leases = 0;
  giving = 0;
  receiving = 0;
  /** The net weight that this plan has moved in. */
  shift = 0;
  /** What was its own when the plan began, and on its way to nobody. */
  readonly #own: Int32Array;
  readonly #ledger: Ledger;
  readonly #nowMs: number;
  #movable: WeighedLease[] | undefined;

  constructor(worker: PlanWorker, ledger: Ledger, nowMs: number) {
    const { own, lightest } = ledger.share(worker.workerId);
    this.worker = worker;
    this.isTarget = worker.live && !worker.draining && !worker.blind;
    this.cap = Math.min(worker.maxLeases ?? Infinity, worker.hardMaxLeases ?? Infinity);
    this.unfit = worker.unfit.length === 0 ? none : new Set(worker.unfit);
    this.lightest = lightest;
    this.#own = own;
    this.#ledger = ledger;
    this.#nowMs = nowMs;
  }

  /** Leases that may be moved away, lightest first. Listed when asked for: most plans ask few workers or none. */
  get movable(): WeighedLease[] {
    this.#movable ??= Array.from(this.#own, (place) => this.#ledger.at(place))
      .filter(({ lease }) => (lease.coolUntilMs ?? -Infinity) <= this.#nowMs)
      // Stable: equal weights stay in the order of their keys.
      .sort((a, b) => a.weight - b.weight);
    return this.#movable;
  }
}

export interface Books {
  /** One a worker, by workerId. */
  readonly accounts: ReadonlyMap<string, Account>;
  readonly targets: readonly Account[];
  readonly ledger: Ledger;
  /** How many leases are unfinished. */
  readonly leases: number;
  /** The average weight of an unfinished lease. */
  readonly meanWeight: number;
  /** The average load of a target. */
  readonly meanLoad: number;
  /** Differences below this are rounding. */
  readonly epsilon: number;
}

/**
 * Gives each unfinished lease its weight and each worker its load. A directive in flight counts at its target.
 * @param before the ledger of an earlier snapshot: it saves time where little has changed, and changes nothing else
 */
export function openBooks(snapshot: PlanSnapshot, before?: Ledger): Books {
  const ledger = Ledger.of(snapshot, before);
  const leases = ledger.leases.length;
  const accounts = new Map<string, Account>();
  for (const worker of [...snapshot.workers].sort((a, b) => compareKeys(a.workerId, b.workerId))) {
    accounts.set(worker.workerId, new Account(worker, ledger, snapshot.nowMs));
  }
  for (const account of accounts.values()) enter(accounts, account, ledger);
  const targets = [...accounts.values()].filter(({ isTarget }) => isTarget);
  const meanWeight = leases === 0 ? 0 : ledger.total / leases;
  const held = targets.reduce((sum, { load }) => sum + load, 0);
  return {
    accounts,
    targets,
    ledger,
    leases,
    meanWeight,
    meanLoad: targets.length === 0 ? 0 : held / targets.length,
    // Far below any lease's weight (at least a tenth of the mean), far above what adding up doubles loses.
    epsilon: meanWeight * 1e-6,
  };
}

function enter(accounts: ReadonlyMap<string, Account>, account: Account, ledger: Ledger): void {
  const { workerId } = account.worker;
  const { own, inFlight, weight } = ledger.share(workerId);
  account.leases = own.length;
  account.load = weight;
  if (inFlight.length === 0) return;
  const borne: number[] = [];
  for (const place of inFlight) {
    const { owner, inFlightTo = "" } = ledger.at(place).lease;
    const target = accounts.get(inFlightTo)?.worker;
    // A directive to a worker that is gone or leaves will be refused: the lease stays its owner's load.
    const arrives = target?.live === true && !target.draining;
    if (owner === workerId) account.giving++;
    if (inFlightTo === workerId) account.receiving++;
    if (owner === workerId || arrives) account.leases++;
    if ((arrives ? inFlightTo : owner) === workerId) borne.push(place);
  }
  if (borne.length > 0) account.load = weightOf(ledger, own, borne);
}

/** The weight of two lists in the order of their keys, added up in that of both: doubles would tell another order. */
function weightOf(ledger: Ledger, own: Int32Array, borne: readonly number[]): number {
  return placesOfBoth(own, borne).reduce((sum, place) => sum + ledger.weightAt(place), 0);
}

/** Books a planned move. */
export function transfer(giver: Account, receiver: Account, index: number): WeighedLease {
  const [moved] = giver.movable.splice(index, 1);
  if (moved === undefined) throw new RangeError(`there is no lease ${String(index)} to move`);
  giver.load -= moved.weight;
  giver.shift -= moved.weight;
  giver.giving++;
  receiver.load += moved.weight;
  receiver.shift += moved.weight;
  receiver.leases++;
  receiver.receiving++;
  return moved;
}

/** What a giver can give a receiver: the index of the lease, or why there is none. */
type Choice = number | "too-heavy" | "unfit";

/**
 * The lease that takes most imbalance away per unit of weight. Below `fit` (what the giver has too much and the
 * receiver too little) every unit counts fully, so the heaviest there: it needs the fewest moves. Above it each unit
 * more counts less, so the lightest, if `mayExceed` lets it.
 */
export function chooseLease(
  giver: Account,
  receiver: Account,
  fit: number,
  mayExceed: (weight: number) => boolean,
): Choice {
  // Told without a list of them: in a fleet that is even, most have nothing light enough.
  if (giver.lightest > fit && !mayExceed(giver.lightest)) return "too-heavy";
  const { movable } = giver;
  const above = firstAbove(movable, fit);
  let unfit = false;
  for (let i = above - 1; i >= 0; i--) {
    if (!isUnfit(receiver, movable[i])) return i;
    unfit = true;
  }
  for (let i = above; i < movable.length; i++) {
    const weighed = movable[i];
    if (weighed === undefined || !mayExceed(weighed.weight)) break;
    if (!isUnfit(receiver, weighed)) return i;
    unfit = true;
  }
  return unfit ? "unfit" : "too-heavy";
}

function isUnfit(receiver: Account, weighed: WeighedLease | undefined): boolean {
  return weighed !== undefined && receiver.unfit.has(weighed.lease.leaseKey);
}

function firstAbove(movable: readonly WeighedLease[], weight: number): number {
  let low = 0;
  let high = movable.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((movable[middle]?.weight ?? Infinity) <= weight) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The load that a worker can be brought to: the mean, without those that nothing can bring there. A worker that is full
 * and below the mean keeps its load, and a lease above the mean fills a worker alone; the others share the rest. Measured
 * by the plain mean they would stand outside the dead band for ever, and noise alone would then move leases.
 */
export function levelOf(books: Books): number {
  let open = books.targets;
  let mean = books.meanLoad;
  for (;;) {
    const limit = mean;
    const rest = open.filter(({ leases, cap, load }) => leases < cap || load >= limit);
    if (rest.length === open.length || rest.length === 0) break;
    open = rest;
    mean = rest.reduce((sum, { load }) => sum + load, 0) / rest.length;
  }
  let workers = open.length;
  let load = mean * workers;
  // The common case is told without a look at the leases.
  if (workers > 0 && books.ledger.heaviest > load / workers + books.epsilon) {
    const weights = weightsAt(books, open);
    for (let i = weights.length - 1; i >= 0 && workers > 0; i--) {
      const weight = weights[i] ?? 0;
      if (weight <= load / workers + books.epsilon) break;
      load -= weight;
      workers--;
    }
  }
  return workers === 0 ? 0 : Math.max(0, load / workers);
}

/** The weights of what these workers hold or are to get, ascending. */
function weightsAt({ ledger }: Books, accounts: readonly Account[]): Float64Array {
  const weights: number[] = [];
  for (const { worker } of accounts) {
    const { own, inFlight } = ledger.share(worker.workerId);
    for (const place of own) weights.push(ledger.weightAt(place));
    for (const place of inFlight) {
      const { lease, weight } = ledger.at(place);
      if (lease.inFlightTo === worker.workerId) weights.push(weight);
    }
  }
  return Float64Array.from(weights).sort();
}
