import { openBooks, type Account } from "./plan-books.js";
import type { Move, PlanLease, PlanSnapshot } from "./plan-snapshot.js";
import { hashKey, scoreOf, type KeyHash } from "./rendezvous.js";

interface Target {
  readonly account: Account;
  readonly hash: KeyHash;
}

/**
 * Where a leaver's leases go, computed by the leaver itself (protocol, "Clean stop"): heaviest first, each to the
 * emptiest worker that may have it. A lease that nobody may have is left out; its owner releases it. Neither budgets nor
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
  const moves: Move[] = [];
  const own = books.leases
    .filter(({ lease }) => lease.owner === leaverId && !lease.free)
    // Stable: equal weights stay in the order of their keys.
    .sort((a, b) => b.weight - a.weight);
  for (const { lease, weight } of own) {
    const target = emptiest(targets, lease.leaseKey, books.epsilon);
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

function emptiest(targets: readonly Target[], leaseKey: string, epsilon: number): Account | undefined {
  const key = hashKey(leaseKey);
  let best: Account | undefined;
  let bestScore = 0;
  for (const { account, hash } of targets) {
    if (account.leases >= account.cap || account.unfit.has(leaseKey)) continue;
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
