import type { PlanLease, PlanSnapshot, PlanWorker } from "./plan-snapshot.js";
import { compareKeys } from "./rendezvous.js";

/** A lease with the weight that it counts with. */
export interface WeighedLease {
  readonly lease: PlanLease;
  readonly weight: number;
}

/** What a worker holds and may still be given, kept up to date while one plan is made. Never leaves the planner. */
export interface Account {
  readonly worker: PlanWorker;
  /** Live, not draining, not blind: may give and receive. */
  readonly isTarget: boolean;
  /** The most leases that a plan lets it have. */
  readonly cap: number;
  readonly unfit: ReadonlySet<string>;
  /** Leases that may be moved away, lightest first. */
  readonly movable: WeighedLease[];
  load: number;
  /** Held or on their way here. What is on its way out counts too, since it may come to nothing: caps go by this. */
  leases: number;
  giving: number;
  receiving: number;
  /** The net weight that this plan has moved in. */
  shift: number;
}

export interface Books {
  /** One a worker, by workerId. */
  readonly accounts: ReadonlyMap<string, Account>;
  readonly targets: readonly Account[];
  /** Unfinished leases, by leaseKey. */
  readonly leases: readonly WeighedLease[];
  /** The average weight of an unfinished lease. */
  readonly meanWeight: number;
  /** The average load of a target. */
  readonly meanLoad: number;
  /** Differences below this are rounding. */
  readonly epsilon: number;
}

/** Gives each unfinished lease its weight and each worker its load. A directive in flight counts at its target. */
export function openBooks(snapshot: PlanSnapshot): Books {
  const leases = weigh(snapshot.leases);
  const accounts = new Map<string, Account>();
  for (const worker of [...snapshot.workers].sort((a, b) => compareKeys(a.workerId, b.workerId))) {
    accounts.set(worker.workerId, openAccount(worker));
  }
  let total = 0;
  for (const weighed of leases) {
    total += weighed.weight;
    enter(accounts, weighed, snapshot.nowMs);
  }
  for (const account of accounts.values()) {
    account.movable.sort((a, b) => a.weight - b.weight || compareKeys(a.lease.leaseKey, b.lease.leaseKey));
  }
  const targets = [...accounts.values()].filter(({ isTarget }) => isTarget);
  const meanWeight = leases.length === 0 ? 0 : total / leases.length;
  const held = targets.reduce((sum, { load }) => sum + load, 0);
  return {
    accounts,
    targets,
    leases,
    meanWeight,
    meanLoad: targets.length === 0 ? 0 : held / targets.length,
    // Far below any lease's weight (at least a tenth of the mean), far above what adding up doubles loses.
    epsilon: meanWeight * 1e-6,
  };
}

/**
 * The weights that count: at least a tenth of the mean, because an idle lease may wake up and moving it costs as much;
 * unknown is the mean; where nothing is known or all are zero, leases are counted. In the order of the keys, so that
 * sums of doubles do not depend on the order of the input.
 */
function weigh(leases: readonly PlanLease[]): WeighedLease[] {
  const unfinished = leases
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

function openAccount(worker: PlanWorker): Account {
  return {
    worker,
    isTarget: worker.live && !worker.draining && !worker.blind,
    cap: Math.min(worker.maxLeases ?? Infinity, worker.hardMaxLeases ?? Infinity),
    unfit: new Set(worker.unfit),
    movable: [],
    load: 0,
    leases: 0,
    giving: 0,
    receiving: 0,
    shift: 0,
  };
}

function enter(accounts: ReadonlyMap<string, Account>, weighed: WeighedLease, nowMs: number): void {
  const { lease, weight } = weighed;
  if (lease.free || lease.owner === undefined) return;
  const owner = accounts.get(lease.owner);
  const inFlight = lease.inFlightTo !== undefined;
  const target = lease.inFlightTo === undefined ? undefined : accounts.get(lease.inFlightTo);
  // A directive to a worker that is gone or leaves will be refused: the lease stays its owner's load.
  const arrives = target?.worker.live === true && !target.worker.draining;
  const bearer = arrives ? target : owner;
  if (bearer !== undefined) bearer.load += weight;
  if (owner !== undefined) owner.leases++;
  if (arrives && target !== owner) target.leases++;
  if (inFlight) {
    if (owner !== undefined) owner.giving++;
    if (target !== undefined) target.receiving++;
    return;
  }
  if (owner !== undefined && (lease.coolUntilMs ?? -Infinity) <= nowMs) owner.movable.push(weighed);
}

/** Books a planned move. */
export function transfer(giver: Account, receiver: Account, index: number): WeighedLease | undefined {
  const [moved] = giver.movable.splice(index, 1);
  if (moved === undefined) return undefined;
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
  const sharing = new Set(open.map(({ worker }) => worker.workerId));
  const heaviest = books.leases
    .filter(({ lease }) => !lease.free && sharing.has(lease.inFlightTo ?? lease.owner ?? ""))
    .map(({ weight }) => weight)
    .sort((a, b) => b - a);
  let workers = open.length;
  let load = mean * workers;
  for (const weight of heaviest) {
    if (workers === 0 || weight <= load / workers + books.epsilon) break;
    load -= weight;
    workers--;
  }
  return workers === 0 ? 0 : Math.max(0, load / workers);
}
