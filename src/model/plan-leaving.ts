import { openBooks, type Account } from "./plan-books.js";
import { newestWorkers } from "./deployments.js";
import type { Move, PlanLease, PlanSnapshot } from "./plan-snapshot.js";
import { hashKey, scoreOf, type KeyHash } from "./rendezvous.js";

interface Target {
  readonly account: Account;
  readonly hash: KeyHash;
}

/** How far above the mean a leaver fills the workers of the newest deployment (protocol, "Rolling deploy"). */
const aboveMean = 0.1;

/**
 * Where a leaver's leases go, computed by the leaver itself (protocol, "Clean stop"): heaviest first, each to the
 * emptiest worker that may have it. While a deploy rolls, only the workers of the newest are asked first, as long as they
 * stay within a tenth above the mean: what goes to an older one moves again when that one leaves. A lease that nobody may have is left out; its owner releases it. Neither budgets nor
 * cool-downs hold here, since staying is no choice.
 */
export function planLeaving(snapshot: PlanSnapshot, leaverId: string): Move[] {
  // The leaver ignores directives, so what was on its way to somebody is not there.
  const books = openBooks({
    ...snapshot,
    leases: snapshot.leases.map((lease) => (lease.owner === leaverId ? withoutDirective(lease) : lease)),
  });
  const targets: Target[] = books.targets
    .filter(({ worker }) => worker.workerId !== leaverId)
    .map((account) => ({ account, hash: hashKey(account.worker.workerId) }));
  const newest = newestWorkers(snapshot);
  const preferred = targets.filter(({ account }) => newest?.has(account.worker.workerId) === true);
  // Of all leases, those on their way included: what the leaver holds is what the others will have.
  const mean = (books.meanWeight * books.leases) / Math.max(1, targets.length);
  const hasRoom = ({ load }: Account, weight: number): boolean =>
    // Of few leases one may be more than a tenth: whoever is below the mean is the one to have it.
    load + weight <= mean * (1 + aboveMean) + books.epsilon || load < mean - books.epsilon;
  const moves: Move[] = [];
  const own = books.ledger
    .select(({ owner, free }) => owner === leaverId && !free)
    // Stable: equal weights stay in the order of their keys.
    .sort((a, b) => b.weight - a.weight);
  for (const { lease, weight } of own) {
    const target =
      emptiest(preferred, lease.leaseKey, books.epsilon, (account) => hasRoom(account, weight)) ??
      emptiest(targets, lease.leaseKey, books.epsilon);
    if (target === undefined) continue;
    target.load += weight;
    target.leases++;
    moves.push({
      leaseKey: lease.leaseKey,
      epoch: lease.epoch,
      from: leaverId,
      to: target.worker.workerId,
      why: "drain",
    });
  }
  return moves;
}

function withoutDirective({ inFlightTo: _, ...lease }: PlanLease): PlanLease {
  return lease;
}

function emptiest(
  targets: readonly Target[],
  leaseKey: string,
  epsilon: number,
  admits: (account: Account) => boolean = () => true,
): Account | undefined {
  const key = hashKey(leaseKey);
  let best: Account | undefined;
  let bestScore = 0;
  for (const { account, hash } of targets) {
    if (account.leases >= account.cap || account.unfit.has(leaseKey) || !admits(account)) continue;
    const difference = best === undefined ? -Infinity : account.load - best.load;
    if (difference > epsilon) continue;
    const score = scoreOf(hash, key);
    if (difference < -epsilon || score > bestScore) {
      best = account;
      bestScore = score;
    }
  }
  return best;
}
