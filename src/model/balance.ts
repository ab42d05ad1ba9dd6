import { chooseLease, transfer, type Account, type Books } from "./plan-books.js";
import type { Move, MoveReason } from "./plan-snapshot.js";
import { Ranking } from "./ranking.js";

/** How far a worker's load may be from the level: nobody moves anything for less (protocol, "Balance"). */
const deadBand = 0.1;
/** Rounds that a worker must have stood outside the dead band before anything is moved for its sake. */
export const roundsOutside = 5;
/** Of all leases, how many may move between old members in a round. */
const budgetShare = 0.05;
/** A round gives a newcomer at most this share of its first deficit: a wrong plan then costs a third at most. */
const newcomerShare = 3;

/** Load minus level over the last rounds, newest last. */
export type Deviations = readonly number[];

interface Standing {
  readonly account: Account;
  readonly rounds: number;
  /** Of the deviations in the window, changed by what this plan moves. */
  lowest: number;
  highest: number;
  mean: number;
}

/** What limits the moves of one plan. */
interface BalanceLimits {
  readonly level: number;
  readonly maxMovesInFlight: number;
}

/**
 * Moves between old members. A worker is due once it stood outside the dead band in each of the last rounds; whoever is
 * due gives to, or gets from, the one that stands farthest on the other side. A move needs `weight < giver's load −
 * receiver's`, with the difference as it held in all these rounds: with steady weights that is the rule itself, and with
 * noisy ones no lucky round lets a lease go that a later one would bring back.
 */
export function balanceMembers(
  books: Books,
  members: readonly Account[],
  deviations: ReadonlyMap<string, Deviations>,
  limits: BalanceLimits,
): Move[] {
  const standings = members.map((account) =>
    standingOf(account, deviations.get(account.worker.workerId) ?? []),
  );
  const band = limits.level * deadBand + books.epsilon;
  const moves: Move[] = [];
  const budget = Math.max(1, Math.floor(books.leases * budgetShare));
  const isLong = ({ rounds }: Standing): boolean => rounds >= roundsOutside;
  const isDueGiver = (s: Standing): boolean => isLong(s) && s.lowest > band;
  const isDueReceiver = (s: Standing): boolean => isLong(s) && s.highest < -band;
  const mayGive = (s: Standing): boolean => s.lowest > books.epsilon;
  // Who stands above the level has no need of more, however much fuller others are.
  const mayReceive = (s: Standing): boolean => s.mean <= books.epsilon;
  moveBetween(isDueGiver, mayReceive);
  moveBetween(mayGive, isDueReceiver);
  return moves;

  function moveBetween(gives: (s: Standing) => boolean, receives: (s: Standing) => boolean): void {
    const isGiver = (s: Standing): boolean => gives(s) && canGive(s.account, limits);
    const isReceiver = (s: Standing): boolean => receives(s) && canReceive(s.account, limits);
    // At rest nobody is due: told without putting anybody in order.
    if (!standings.some(isGiver) || !standings.some(isReceiver)) return;
    const givers = new Ranking(standings, (s) => s.lowest);
    const receivers = new Ranking(standings, (s) => -s.highest);
    // Without a receiver no giver need be asked: half of a fleet's workers stand above its level.
    while (moves.length < budget && receivers.first(isReceiver) !== undefined) {
      const giver = givers.first(isGiver);
      if (giver === undefined) return;
      const made = moveFrom(giver, receivers, isReceiver);
      if (made === undefined) {
        givers.drop(giver);
        continue;
      }
      moves.push(made.move);
      for (const standing of [giver, made.receiver]) {
        givers.moved(standing);
        receivers.moved(standing);
      }
    }
  }

  function moveFrom(
    giver: Standing,
    receivers: Ranking<Standing>,
    isReceiver: (s: Standing) => boolean,
  ): { readonly move: Move; readonly receiver: Standing } | undefined {
    const unfit = new Set<Standing>();
    for (;;) {
      const receiver = receivers.first((s) => s !== giver && !unfit.has(s) && isReceiver(s));
      if (receiver === undefined) return undefined;
      const difference = steadyDifference(giver, receiver) - books.epsilon;
      const choice = chooseLease(
        giver.account,
        receiver.account,
        Math.min(giver.lowest, -receiver.mean, difference),
        (weight) => weight < difference,
      );
      // The next receiver's difference is smaller: only a lease that this one must not have could go there.
      if (choice === "too-heavy") return undefined;
      if (choice === "unfit") {
        unfit.add(receiver);
        continue;
      }
      const before = giver.account.load;
      const move = moveOf(giver.account, receiver.account, choice, "balance");
      shift(giver, giver.account.load - before);
      shift(receiver, before - giver.account.load);
      return { move, receiver };
    }
  }
}

function standingOf(account: Account, deviations: Deviations): Standing {
  // What newcomers were given in this very plan is in the account, and in no recorded round.
  const window = deviations.map((deviation) => deviation + account.shift);
  return {
    account,
    rounds: window.length,
    lowest: Math.min(...window),
    highest: Math.max(...window),
    mean: window.reduce((sum, deviation) => sum + deviation, 0) / Math.max(1, window.length),
  };
}

/**
 * Giver's load minus receiver's, as small as it was in any of the last rounds, and smaller still by as much as the two
 * swung in them: the swing says how much of the difference may be noise.
 */
function steadyDifference(giver: Standing, receiver: Standing): number {
  const swing = giver.highest - giver.lowest + receiver.highest - receiver.lowest;
  return giver.lowest - receiver.highest - swing;
}

function shift(standing: Standing, weight: number): void {
  standing.lowest += weight;
  standing.highest += weight;
  standing.mean += weight;
}

/**
 * Fills newcomers to the mean, the emptiest first, from whoever has most. A newcomer's deficit is not divided by the
 * dead band: one that stopped 10 % short would stay there (protocol, "Newcomer").
 */
export function fillNewcomers(
  books: Books,
  newcomers: readonly Account[],
  firstDeficits: ReadonlyMap<string, number>,
  limits: BalanceLimits,
): Move[] {
  if (newcomers.length === 0) return [];
  const filledTo = newcomerLevel(books, limits.level);
  const moves: Move[] = [];
  const given = new Map<Account, number>();
  const newcomerSet = new Set(newcomers);
  const receivers = new Ranking(newcomers, (account) => -account.load);
  const givers = new Ranking(
    books.targets.filter((account) => !newcomerSet.has(account)),
    (account) => account.load,
  );
  const quotaLeft = (account: Account): number =>
    (firstDeficits.get(account.worker.workerId) ?? 0) / newcomerShare - (given.get(account) ?? 0);
  for (;;) {
    const newcomer = receivers.first(
      (account) =>
        canReceive(account, limits) &&
        account.load < filledTo - books.epsilon &&
        quotaLeft(account) > books.epsilon,
    );
    if (newcomer === undefined) return moves;
    const move = fillOne(newcomer);
    if (move === undefined) receivers.drop(newcomer);
    else moves.push(move);
  }

  function fillOne(newcomer: Account): Move | undefined {
    const unfit = new Set<Account>();
    for (;;) {
      const giver = givers.first(
        (account) =>
          !unfit.has(account) && account.load > limits.level + books.epsilon && canGive(account, limits),
      );
      if (giver === undefined) return undefined;
      const difference = giver.load - newcomer.load;
      const room = Math.min(giver.load - limits.level, filledTo - newcomer.load);
      // Past the mean only as long as the newcomer does not end up with more than its giver keeps: 4 and 2 become 3 and 3.
      const most = Math.max(room, difference / 2) + books.epsilon;
      const choice = chooseLease(
        giver,
        newcomer,
        Math.min(room, quotaLeft(newcomer)) + books.epsilon,
        (weight) => weight <= most && weight < difference - books.epsilon,
      );
      // Too heavy for the emptiest newcomer, it is so for all others in this round.
      if (choice === "too-heavy") givers.drop(giver);
      else if (choice === "unfit") unfit.add(giver);
      else {
        const before = newcomer.load;
        const move = moveOf(giver, newcomer, choice, "newcomer");
        given.set(newcomer, (given.get(newcomer) ?? 0) + newcomer.load - before);
        givers.moved(giver);
        receivers.moved(newcomer);
        return move;
      }
    }
  }
}

/** What a newcomer is filled to. Where leases are fewer than workers the level is 0, yet some worker may hold two. */
export function newcomerLevel(books: Books, level: number): number {
  return Math.max(level, books.meanLoad);
}

function canGive(account: Account, limits: BalanceLimits): boolean {
  return account.giving < limits.maxMovesInFlight;
}

function canReceive(account: Account, limits: BalanceLimits): boolean {
  return account.leases < account.cap && account.receiving < limits.maxMovesInFlight;
}

function moveOf(giver: Account, receiver: Account, index: number, why: MoveReason): Move {
  const { lease } = transfer(giver, receiver, index);
  return {
    leaseKey: lease.leaseKey,
    epoch: lease.epoch,
    from: giver.worker.workerId,
    to: receiver.worker.workerId,
    why,
  };
}
