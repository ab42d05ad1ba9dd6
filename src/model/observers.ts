import { compareKeys, hashKey, plannerRank, ranked } from "./rendezvous.js";
import { isLive, isTarget, type WorkerRow } from "./worker-row.js";

/** Up to so many unfenced workers, all observe all. */
export const observesAllUpTo = 8;
/** So many observe each row above that. */
export const observersWanted = 3;
/**
 * The most workers that one is named an observer of: its row stays below 1,000 bytes. Three times as many rows as workers
 * that observe have room in it, and where more have died at once all observe all.
 */
export const mostObserved = 10;
/** So many workers, next in rank for the planner lease, observe every row beside the planner. */
const understudies = 2;

/** What becomes of an observer's list, as the planner would have it. */
export interface Assignment {
  readonly observer: string;
  readonly marks: readonly string[];
}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const markDigits = 8;

/** Marks that were made before: each read of a fleet asks for everybody's, several times. */
const made = new Map<string, string>();
const mostMade = 10_000;

/**
 * A worker's mark, by which its observers' rows name it: 8 characters, 48 bits, whatever the id, since an observer's row
 * names many and must stay small. Two ids of one mark are observed by both's observers: nothing is lost.
 */
export function markOf(workerId: string): string {
  let mark = made.get(workerId);
  if (mark === undefined) {
    // Ids are used once: those of long ago need no room.
    if (made.size >= mostMade) made.clear();
    made.set(workerId, (mark = makeMark(workerId)));
  }
  return mark;
}

function makeMark(workerId: string): string {
  const { high, low } = hashKey(workerId);
  let rest = high * 0x1_0000 + (low >>> 16);
  let mark = "";
  for (let i = 0; i < markDigits; i++) {
    mark += digits[rest % 64] ?? "";
    rest = Math.floor(rest / 64);
  }
  return mark;
}

/** Whom a newcomer may name its observers, first choice first: the planner makes up for what it could not know. */
export function observersFor(workerId: string, rows: readonly WorkerRow[]): readonly string[] {
  return ranked(
    workerId,
    rows.filter((row) => row.workerId !== workerId && isTarget(row) && hasRoom(row)).map(idOf),
  );
}

/**
 * Whether every unfenced row has as many observers as it should: only then may anybody read less than all of them. Rows
 * of the draining, of tombstones and of workers that have not beaten yet are rows like any other.
 */
export function allAreObserved(rows: readonly WorkerRow[]): boolean {
  const holders = new Map<string, number>();
  let observers = 0;
  for (const row of rows) {
    if (!isUnfenced(row) || !mayObserve(row)) continue;
    observers += 1;
    const own = markOf(row.workerId);
    // Nobody observes itself.
    for (const mark of marksIn(row)) if (mark !== own) holders.set(mark, (holders.get(mark) ?? 0) + 1);
  }
  return rows.every((row) => {
    if (!isUnfenced(row)) return true;
    const others = observers - (mayObserve(row) ? 1 : 0);
    return (holders.get(markOf(row.workerId)) ?? 0) >= Math.min(observersWanted, others);
  });
}

/** Whether a worker observes every row, whatever its own row names: in a small fleet, and near the planner lease. */
export function observesAll(
  workerId: string,
  planner: string | undefined,
  rows: readonly WorkerRow[],
): boolean {
  if (workerId === planner) return true;
  let unfenced = 0;
  for (const row of rows) if (isUnfenced(row)) unfenced += 1;
  if (unfenced <= observesAllUpTo) return true;
  const next = rows.filter((row) => isTarget(row) && row.workerId !== planner).map(idOf);
  return next.includes(workerId) && plannerRank(workerId, next) < understudies;
}

/** Whose rows a row's marks name among those known, and the marks that nobody known has. */
export function observedBy(
  observer: WorkerRow,
  rows: readonly WorkerRow[],
): { readonly known: readonly string[]; readonly strangers: readonly string[] } {
  const strangers = new Set(marksIn(observer));
  if (strangers.size === 0) return { known: [], strangers: [] };
  const marks = new Set(strangers);
  const known: string[] = [];
  for (const { workerId } of rows) {
    const mark = markOf(workerId);
    if (!marks.has(mark)) continue;
    strangers.delete(mark);
    known.push(workerId);
  }
  return { known, strangers: [...strangers] };
}

/**
 * What the planner changes so that every unfenced row has three observers that live and stay, where there are so many
 * others: the fewest changes, each missing one the next in rendezvous order that has room. Who gains comes before who
 * only loses, so that no row is without an observer between two writes.
 */
export function assignObservers(rows: readonly WorkerRow[]): readonly Assignment[] {
  const unfenced = rows.filter(isUnfenced).sort((a, b) => compareKeys(a.workerId, b.workerId));
  const observers = unfenced.filter(mayObserve);
  const holders = holdersOf(observers);
  const lists = new Map(observers.map(({ workerId }) => [workerId, new Set<string>()]));
  const kept = new Map<string, readonly string[]>();
  for (const { workerId } of unfenced) {
    const mark = markOf(workerId);
    const all = holders.get(mark) ?? [];
    const keep = all.length > observersWanted ? ranked(workerId, all).slice(0, observersWanted) : all;
    kept.set(workerId, keep);
    for (const observer of keep) lists.get(observer)?.add(mark);
  }
  // A blind one is named no more; what it was named for it keeps, since in an outage all are blind for a while.
  const eligible = observers.filter(isTarget).map(idOf);
  for (const { workerId } of unfenced) {
    const keep = kept.get(workerId) ?? [];
    let missing = observersWanted - keep.length;
    if (missing <= 0) continue;
    for (const observer of ranked(workerId, eligible)) {
      const list = lists.get(observer);
      if (observer === workerId || list === undefined || keep.includes(observer)) continue;
      if (list.size >= mostObserved) continue;
      list.add(markOf(workerId));
      missing -= 1;
      if (missing === 0) break;
    }
  }
  const gaining: Assignment[] = [];
  const losing: Assignment[] = [];
  for (const row of observers) {
    const before = new Set(marksIn(row));
    const marks = [...(lists.get(row.workerId) ?? [])].sort();
    const gains = marks.some((mark) => !before.has(mark));
    if (!gains && marks.length === before.size) continue;
    (gains ? gaining : losing).push({ observer: row.workerId, marks });
  }
  return [...gaining, ...losing];
}

/** Mark → the observers that hold it; nobody observes itself. */
function holdersOf(observers: readonly WorkerRow[]): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const row of observers) {
    const own = markOf(row.workerId);
    for (const mark of marksIn(row)) {
      if (mark === own) continue;
      const list = holders.get(mark);
      if (list === undefined) holders.set(mark, [row.workerId]);
      else list.push(row.workerId);
    }
  }
  return holders;
}

/** Observes now and goes on with it: a leaver does not. */
function mayObserve(row: WorkerRow): boolean {
  return isLive(row) && !row.draining;
}

function isUnfenced(row: WorkerRow): boolean {
  return row.fencedBy === undefined;
}

function hasRoom(row: WorkerRow): boolean {
  return marksIn(row).length < mostObserved;
}

function marksIn(row: WorkerRow): readonly string[] {
  return row.observes?.marks ?? [];
}

function idOf({ workerId }: WorkerRow): string {
  return workerId;
}
