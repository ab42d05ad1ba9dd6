import { openBooks, type Account, type Books } from "./plan-books.js";
import type { Ledger, WeighedLease } from "./plan-ledger.js";
import type { PlanLease, PlanSnapshot } from "./plan-snapshot.js";
import { compareKeys, hashKey, scoreOf } from "./rendezvous.js";

/** Beyond so many rounds a rank holds nobody back any more: it delays, it never forbids. */
const ranksHold = 3;

/** Leases that somebody should take: unfinished, free, their parents done. In the order of their keys. */
export function orphansOf(snapshot: PlanSnapshot): PlanLease[] {
  return snapshot.leases.filter(isOrphan).sort((a, b) => compareKeys(a.leaseKey, b.leaseKey));
}

function isOrphan({ finished, waiting, free }: PlanLease): boolean {
  return free && !waiting && !finished;
}

/** An orphan and how many workers come before me for it. */
interface RankedOrphan {
  readonly leaseKey: string;
  readonly rank: number;
  readonly ageMs: number;
}

/**
 * The orphans that worker `me` should try to take now, in the order in which it should try: first those that are its
 * own by rank, the heaviest before the lighter, then what others should have taken long ago. No planner is needed: from
 * one snapshot every worker computes the same ranks, and from different ones they lose a refused write, nothing else.
 *
 * Rank r may try once the orphan is `r·p` old. Older than `3p`, everybody below its hard capacity may, blind workers
 * too; older than T, every worker that is not draining takes one a round, whatever its capacity. An unfit worker never
 * may: the old, stuck processor of that very lease still runs in it.
 *
 * @param firstSeenMs when this process first saw each orphan, on the clock of `nowMs`; one that is not there is new
 * @param ledger of an earlier snapshot, which saves time where little has changed
 */
export function adoptionsFor(
  me: string,
  firstSeenMs: ReadonlyMap<string, number>,
  snapshot: PlanSnapshot,
  ledger?: Ledger,
): string[] {
  const { nowMs, config } = snapshot;
  const books = openBooks(snapshot, ledger);
  const mine = books.accounts.get(me);
  if (mine === undefined || !mine.worker.live || mine.worker.draining) return [];

  const held = mine.leases;
  const hardCap = mine.worker.hardMaxLeases ?? Infinity;
  const taken: string[] = [];
  let overflow: string | undefined;
  for (const { leaseKey, rank, ageMs } of rankOrphans(books, mine, firstSeenMs, nowMs)) {
    const leases = held + taken.length;
    const mayByRank = rank < Infinity && ageMs >= rank * config.pollIntervalMs && leases < mine.cap;
    const mayByAge = ageMs > ranksHold * config.pollIntervalMs && leases < hardCap;
    if (mayByRank || mayByAge) taken.push(leaseKey);
    else if (ageMs > config.expiryMs) overflow ??= leaseKey;
  }
  // One a round: the whole fleet is full, and each round shows whether somebody else had room after all.
  return overflow === undefined ? taken : [...taken, overflow];
}

/**
 * Deals all orphans out, heaviest first, as the fleet would if every worker took at once what it is first for. Rank is
 * rendezvous with bounded load: a worker that has its share goes behind those that have not, so that a cold start or a
 * crash spreads evenly; plain rendezvous leaves a third more on the fullest than on the average.
 */
function rankOrphans(
  books: Books,
  mine: Account,
  firstSeenMs: ReadonlyMap<string, number>,
  nowMs: number,
): RankedOrphan[] {
  const orphans = books.ledger.select(isOrphan).sort((a, b) => b.weight - a.weight);
  const deal = dealer(books, mine, shareOf(books.targets, orphans));
  const rankedOrphans: RankedOrphan[] = [];
  for (const orphan of orphans) {
    const rank = deal(orphan);
    const { leaseKey } = orphan.lease;
    if (mine.unfit.has(leaseKey)) continue;
    rankedOrphans.push({ leaseKey, rank, ageMs: nowMs - (firstSeenMs.get(leaseKey) ?? nowMs) });
  }
  // Stable: within a rank the heaviest stays first. Infinity − Infinity would be no order.
  return rankedOrphans.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank));
}

/**
 * Gives each orphan to the worker that is first for it, in the books, and says how many come before me; Infinity where
 * I am no candidate. One pass over the candidates without an allocation: a cold start deals 100,000 orphans among 1,000
 * workers on the event loop that the beat shares.
 */
function dealer(books: Books, mine: Account, share: number): (orphan: WeighedLease) => number {
  const candidates = books.targets.map((account) => ({ account, hash: hashKey(account.worker.workerId) }));
  const own = candidates.find(({ account }) => account === mine);
  /**
   * Those first for whom it is not too much (0), then by what they would have, so that the rest falls on the emptiest.
   * In whole numbers: "about equal" is no order, and without an order two workers or none could be first.
   */
  const tierOf = (account: Account, weight: number): number => {
    const load = account.load + weight;
    return load <= share + books.epsilon ? 0 : Math.round(load / books.epsilon);
  };
  return ({ lease: { leaseKey }, weight }) => {
    const key = hashKey(leaseKey);
    const isCandidate = own !== undefined && isAdmitted(mine, leaseKey);
    const ownTier = isCandidate ? tierOf(mine, weight) : -1;
    const ownScore = isCandidate ? scoreOf(own.hash, key) : 0;
    let rank = 0;
    let first: Account | undefined;
    let firstTier = Infinity;
    let firstScore = 0;
    for (const { account, hash } of candidates) {
      if (!isAdmitted(account, leaseKey)) continue;
      const tier = tierOf(account, weight);
      if (tier > firstTier && tier > ownTier) continue;
      const score = scoreOf(hash, key);
      if (tier < firstTier || (tier === firstTier && score > firstScore)) {
        first = account;
        firstTier = tier;
        firstScore = score;
      }
      if (tier < ownTier || (tier === ownTier && score > ownScore)) rank++;
    }
    if (first !== undefined) {
      first.load += weight;
      first.leases++;
    }
    return isCandidate ? rank : Infinity;
  };
}

function isAdmitted(account: Account, leaseKey: string): boolean {
  return account.leases < account.cap && !(account.unfit.size > 0 && account.unfit.has(leaseKey));
}

/** The load up to which the emptiest can be filled with the orphans: the level of water poured over their loads. */
function shareOf(targets: readonly Account[], orphans: readonly WeighedLease[]): number {
  const loads = targets
    .filter(({ leases, cap }) => leases < cap)
    .map(({ load }) => load)
    .sort((a, b) => a - b);
  let water = orphans.reduce((sum, { weight }) => sum + weight, 0);
  let share = 0;
  let workers = 0;
  for (const load of loads) {
    if (workers > 0 && share + water / workers <= load) break;
    water -= workers * (load - share);
    share = load;
    workers++;
  }
  return workers === 0 ? 0 : share + water / workers;
}
