import type { PlanSnapshot } from "./plan-snapshot.js";
import { compareKeys } from "./rendezvous.js";

/** The label of what a worker is a deployment of. Workers without one share one. */
type Label = string | undefined;

/**
 * How often a deploy may turn about and still have its hold counted anew: a rollback, one more go, and some workers of
 * the older that crashed and came back. Where labels take turns for ever nothing would ever be balanced.
 */
const mostTurns = 10;

/** What a worker remembers while workers of two labels are alive; a value, replaced and never changed. */
export interface Rollout {
  /** On the clock of the plans' `nowMs`: when the deploy last went on, that is, its newest label grew. */
  readonly sinceMs: number;
  readonly newest: Label;
  /** The most workers that the newest label has had at once since it became the newest. */
  readonly most: number;
  /** How often another label became the newest. */
  readonly turns: number;
}

/** What is asked of a worker here, be it a row or what a plan sees of it. */
interface Member {
  readonly workerId: string;
  readonly live: boolean;
  readonly draining: boolean;
  readonly deployment?: Label;
  readonly join: number;
}

/**
 * Follows a rolling deploy from read to read. It begins when a second label is alive and ends with it. Each time the
 * newest label grows beyond what it had, the deploy goes on, and its hold is counted anew: a slow deploy keeps it to its
 * end, a canary does not use up that of the deploy after it, and a worker that crashes and comes back prolongs nothing.
 * @param before what the last read left; undefined before the first, and while one label is alive
 */
export function followRollout(
  before: Rollout | undefined,
  workers: readonly Member[],
  nowMs: number,
): Rollout | undefined {
  const members = workers.filter(stays);
  const newest = newestLabel(members);
  const most = members.filter(({ deployment }) => deployment === newest).length;
  if (most === members.length) return undefined;
  if (before === undefined) return { sinceMs: nowMs, newest, most, turns: 0 };
  if (newest !== before.newest) {
    const turns = before.turns + 1;
    const goesOn = turns <= mostTurns;
    return { sinceMs: goesOn ? nowMs : before.sinceMs, newest, most: goesOn ? most : Infinity, turns };
  }
  return most > before.most ? { ...before, sinceMs: nowMs, most } : before;
}

/**
 * The workers that leases go to while a deploy is rolling; undefined when it is not, or has been for longer than
 * `deployHoldMs`: then the ordinary rules hold. They are those of the label with the highest `join`, not of the label
 * that appeared last: a rollback brings an old label back, and its workers are the ones that will stay.
 */
export function newestWorkers(snapshot: PlanSnapshot): ReadonlySet<string> | undefined {
  const { rollout, nowMs, config } = snapshot;
  if (rollout === undefined || nowMs - rollout.sinceMs >= config.deployHoldMs) return undefined;
  const members = snapshot.workers.filter(stays);
  const newest = newestLabel(members);
  const chosen = members.filter(({ deployment }) => deployment === newest);
  if (chosen.length === members.length) return undefined;
  return new Set(chosen.map(({ workerId }) => workerId));
}

function stays({ live, draining }: Member): boolean {
  return live && !draining;
}

function newestLabel(members: readonly Member[]): Label {
  let newest: Member | undefined;
  for (const member of members) {
    // Rows of a version without joins have all the same: the order of the names is at least everybody's.
    const later =
      newest === undefined ||
      member.join > newest.join ||
      (member.join === newest.join && compareKeys(member.workerId, newest.workerId) > 0);
    if (later) newest = member;
  }
  return newest?.deployment;
}
