import { balanceMembers, fillNewcomers, newcomerLevel, roundsOutside, type Deviations } from "./balance.js";
import { newestWorkers } from "./deployments.js";
import { levelOf, openBooks, type Account, type Books } from "./plan-books.js";
import type { Ledger } from "./plan-ledger.js";
import type { Move, PlanSnapshot } from "./plan-snapshot.js";
import { compareKeys } from "./rendezvous.js";

/**
 * What a planner keeps from round to round; a value, replaced and never changed. It is lost with the planner: the next
 * one waits the settle time and five rounds before it moves anything.
 */
export interface PlanMemory {
  /** Live, not draining workers of the last round, sorted; undefined before the first. */
  readonly members: readonly string[] | undefined;
  /** When they last changed. */
  readonly changedMs: number;
  /** When they changed first since the fleet had last been quiet for the settle time. */
  readonly firstChangedMs: number;
  /** Per target: load minus level in the last rounds. */
  readonly deviations: ReadonlyMap<string, Deviations>;
  /** Per newcomer: its deficit when it was first planned for. */
  readonly firstDeficits: ReadonlyMap<string, number>;
  /** Of the last round: what it says of leases that have not changed since need not be found out anew. */
  readonly ledger: Ledger | undefined;
}

/** What a planner starts with. */
export const emptyPlanMemory: PlanMemory = {
  members: undefined,
  changedMs: 0,
  firstChangedMs: 0,
  deviations: new Map(),
  firstDeficits: new Map(),
  ledger: undefined,
};

export interface Plan {
  readonly moves: readonly Move[];
  readonly memory: PlanMemory;
}

/**
 * One round of the planner: which leases should move, by the protocol's rules for balance and newcomers. Pure: the same
 * snapshot and memory give the same plan, whoever computes it. Call it once a round, also where nothing may move: the
 * memory counts rounds.
 */
export function plan(snapshot: PlanSnapshot, memory: PlanMemory): Plan {
  const books = openBooks(snapshot, memory.ledger);
  const level = levelOf(books);
  const membership = observeMembers(snapshot, memory);
  const deviations = recordDeviations(books, level, memory);
  // While a worker drains, its leases are on their way to the emptiest: whatever is moved beside it is moved twice. While
  // a deploy rolls, each of the older is a worker that will drain.
  const rests =
    !isSettled(snapshot, membership) ||
    snapshot.workers.some(({ live, draining }) => live && draining) ||
    newestWorkers(snapshot) !== undefined;

  const isNewcomer = (account: Account): boolean =>
    account.worker.joining && account.load < newcomerLevel(books, level) - books.epsilon;
  const newcomers = books.targets.filter(isNewcomer);
  const members = books.targets.filter((account) => !isNewcomer(account));
  const firstDeficits = rests
    ? keepJoining(books, memory.firstDeficits)
    : recordDeficits(books, level, newcomers, memory.firstDeficits);

  const limits = { level, maxMovesInFlight: snapshot.config.maxMovesInFlight };
  const moves = rests
    ? []
    : [
        ...fillNewcomers(books, newcomers, firstDeficits, limits),
        ...balanceMembers(books, members, deviations, limits),
      ];
  return {
    moves,
    memory: {
      ...membership,
      deviations: shiftDeviations(books, deviations),
      firstDeficits,
      ledger: books.ledger,
    },
  };
}

/**
 * Whether a newcomer has what it was waiting for: its load has reached the mean minus one lease, which is when it clears
 * `joining` in its row. It gives up by itself after `max(20 p, 4 settle)` with nothing to get.
 */
export function isFilled(snapshot: PlanSnapshot, workerId: string): boolean {
  const books = openBooks(snapshot);
  const account = books.accounts.get(workerId);
  return account !== undefined && account.load >= books.meanLoad - books.meanWeight - books.epsilon;
}

type Membership = Pick<PlanMemory, "members" | "changedMs" | "firstChangedMs">;

function observeMembers(snapshot: PlanSnapshot, memory: PlanMemory): Membership {
  const { nowMs, workers, config } = snapshot;
  const members = workers
    .filter(({ live, draining }) => live && !draining)
    .map(({ workerId }) => workerId)
    .sort(compareKeys);
  if (memory.members === undefined) return { members, changedMs: nowMs, firstChangedMs: nowMs };
  if (sameKeys(members, memory.members)) {
    return { members: memory.members, changedMs: memory.changedMs, firstChangedMs: memory.firstChangedMs };
  }
  // Only quiet ends a series of changes. Else a fleet in which somebody always comes or goes would never settle.
  const wasQuiet = nowMs - memory.changedMs >= config.settleMs;
  return { members, changedMs: nowMs, firstChangedMs: wasQuiet ? nowMs : memory.firstChangedMs };
}

function isSettled({ nowMs, config }: PlanSnapshot, { changedMs, firstChangedMs }: Membership): boolean {
  return nowMs - changedMs >= config.settleMs || nowMs - firstChangedMs >= config.settleLimitMs;
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, i) => key === b[i]);
}

function recordDeviations(books: Books, level: number, memory: PlanMemory): Map<string, Deviations> {
  return new Map(
    books.targets.map(({ worker, load }) => {
      const before = memory.deviations.get(worker.workerId) ?? [];
      return [worker.workerId, [...before, load - level].slice(-roundsOutside)];
    }),
  );
}

/** What this plan moves counts as if it had always stood there: else the next round would plan for it once more. */
function shiftDeviations(books: Books, deviations: ReadonlyMap<string, Deviations>): Map<string, Deviations> {
  const shifted = new Map(deviations);
  for (const { worker, shift } of books.targets) {
    if (shift === 0) continue;
    shifted.set(
      worker.workerId,
      (deviations.get(worker.workerId) ?? []).map((deviation) => deviation + shift),
    );
  }
  return shifted;
}

function keepJoining(books: Books, deficits: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...deficits].filter(([workerId]) => books.accounts.get(workerId)?.worker.joining === true));
}

function recordDeficits(
  books: Books,
  level: number,
  newcomers: readonly Account[],
  before: ReadonlyMap<string, number>,
): Map<string, number> {
  const deficits = keepJoining(books, before);
  for (const { worker, load } of newcomers) {
    if (!deficits.has(worker.workerId)) deficits.set(worker.workerId, newcomerLevel(books, level) - load);
  }
  return deficits;
}
