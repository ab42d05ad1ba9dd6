import {
  assignObservers,
  markOf,
  observersFor,
  observersWanted,
  type Assignment,
} from "../model/observers.js";
import type { WorkerRow } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { forEachLimited } from "../runtime/pool.js";
import type { Member } from "./member.js";

const assignmentsAtOnce = 8;

/**
 * A newcomer names its observers in their rows: the next three in rendezvous order, and where one is fenced, gone or not
 * to be reached, the next after it. What it could not know of, the planner adds.
 */
export async function nameObservers({ fleet, deps, workerId, tasks }: Member): Promise<void> {
  const { clock, random, config, store, emit } = deps;
  const observers: string[] = [];
  for (const observer of observersFor(workerId, fleet.workers)) {
    if (observers.length === observersWanted) break;
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.attemptTimeoutMs },
      ({ signal }) => store.membership.nameObserver(observer, markOf(workerId), { signal }),
    );
    if (!result.ok) {
      tasks.failed("name-observer", result.error);
      continue;
    }
    const row = result.value.ok ? result.value.row : result.value.current;
    if (row !== undefined) fleet.applyWorker(row);
    if (result.value.ok) observers.push(observer);
  }
  emit({ type: "observers-named", workerId, observers });
}

/**
 * The planner's part: every unfenced row has three observers that live and stay. Computed anew each round from the rows as
 * read, so that a write that was lost, or crossed a newcomer's, is made up for in the next one.
 * @param isElected asked before each attempt: whether this worker is still the planner of that epoch, as far as it knows
 */
export async function assignAll(
  member: Member,
  plannerEpoch: number,
  isElected: () => boolean,
): Promise<void> {
  // Read in part, a row would be short of observers that it has.
  if (member.fleet.isInPart) return;
  let isOverridden = false;
  const mayAssign = (): boolean => isElected() && !isOverridden;
  await forEachLimited(assignObservers(member.fleet.workers), assignmentsAtOnce, async (assignment) => {
    // Rows may be many, and the next fleet read deposes: the rest is the successor's, who would refuse it anyway.
    if (!mayAssign()) return;
    const row = await assign(member, assignment, plannerEpoch, mayAssign);
    isOverridden ||= (row?.observes?.plannerEpoch ?? 0) > plannerEpoch;
  });
}

/** @returns the observer's row, where there was an answer and there is a row */
async function assign(
  { fleet, deps, workerId, tasks }: Member,
  { observer, marks }: Assignment,
  plannerEpoch: number,
  mayTry: () => boolean,
): Promise<WorkerRow | undefined> {
  const { clock, random, config, store, emit } = deps;
  const result = await attempts(
    clock,
    random,
    { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.attemptTimeoutMs, mayTry },
    ({ signal }) => store.membership.assignObserver(observer, { plannerEpoch, marks }, { signal }),
  );
  if (!result.ok) {
    tasks.failed("assign-observer", result.error);
    return undefined;
  }
  const row = result.value.ok ? result.value.row : result.value.current;
  if (row !== undefined) fleet.applyWorker(row);
  if (result.value.ok) {
    emit({ type: "observer-assigned", workerId, observer, observes: marks.length, plannerEpoch });
  }
  return row;
}
