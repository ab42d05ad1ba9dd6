import { followRollout, type Rollout } from "../model/deployments.js";
import { checkMeta } from "../model/format.js";
import type { Reading } from "../model/reading.js";
import {
  formatNumber,
  isLive,
  tombstoneBeat,
  type FleetPart,
  type FleetRows,
  type MetaRow,
  type PlannerRow,
  type WorkerRow,
} from "../model/worker-row.js";
import type { ForcedFences } from "./forced-fences.js";

/** What changed between two reads of the fleet. */
export interface FleetChanges {
  readonly newlyFenced: readonly WorkerRow[];
  readonly newlyDraining: readonly WorkerRow[];
  /** T has passed since an operator's fence was first read here: its worker's leases are free. */
  readonly newlyFree: boolean;
  /** The count of deaths rose: somebody fenced, left, or put up leases for all to see. */
  readonly deathsRose: boolean;
}

/**
 * The fleet's rows as this worker last read them. A row never goes back to a lower beat or loses a fence. Above a few
 * workers most rounds read some rows only: the others stand as they were last seen, neither gone nor fresh.
 */
export class FleetView {
  readonly #forced: ForcedFences;
  readonly #onFenced: (row: WorkerRow, by: string) => void;
  #workers = new Map<string, WorkerRow>();
  /** The same as a list, until the next change: looked through many times in every round. */
  #list: readonly WorkerRow[] | undefined;
  #planner: PlannerRow | undefined;
  #meta: MetaRow | undefined;
  /** The count of deaths that the last read showed: one learnt with a claim must not pass for seen. */
  #deathsSeen: number | undefined;
  #reads = 0;
  #rollout: Rollout | undefined;
  #isInPart = false;
  /** Seen fenced or draining in a single row since the last read: news all the same. */
  readonly #fencedMeanwhile = new Map<string, WorkerRow>();
  readonly #drainingMeanwhile = new Map<string, WorkerRow>();

  /** @param onFenced told of each fence at its first sight, by a read or a write of whatever kind */
  constructor(forced: ForcedFences, onFenced: (row: WorkerRow, by: string) => void = () => undefined) {
    this.#forced = forced;
    this.#onFenced = onFenced;
  }

  get workers(): readonly WorkerRow[] {
    this.#list ??= [...this.#workers.values()];
    return this.#list;
  }

  get planner(): PlannerRow | undefined {
    return this.#planner;
  }

  get meta(): MetaRow | undefined {
    return this.#meta;
  }

  /** How many whole reads there were. */
  get reads(): number {
    return this.#reads;
  }

  /** Of the deploy that is rolling, as far as this worker has seen it; undefined while one label is alive. */
  get rollout(): Rollout | undefined {
    return this.#rollout;
  }

  /** The last good read was of some rows only: what all others say is as old as the last whole read. */
  get isInPart(): boolean {
    return this.#isInPart;
  }

  row(workerId: string): WorkerRow | undefined {
    return this.#workers.get(workerId);
  }

  isFenced(workerId: string): boolean {
    return this.#workers.get(workerId)?.fencedBy !== undefined;
  }

  /** Whether a worker's leases may be taken: it is fenced, and where an operator did it, T has passed here. */
  isFree(workerId: string): boolean {
    const row = this.#workers.get(workerId);
    return row !== undefined && this.#forced.frees(row);
  }

  liveRows(): readonly WorkerRow[] {
    return this.workers.filter(isLive);
  }

  /**
   * A whole read, received at `at`. Rows that it lacks are gone, or too new for an eventually consistent read: either way
   * unknown.
   * @throws LeaseholdError `table-mismatch` where the fleet writes a format by now that this version cannot read
   */
  apply(rows: FleetRows, at: Reading): FleetChanges {
    if (rows.meta !== undefined && rows.meta.format > formatNumber) checkMeta(rows.meta);
    this.#meta = rows.meta ?? this.#meta;
    const workers = new Map<string, WorkerRow>();
    for (const row of rows.workers) workers.set(row.workerId, this.applyWorker(row));
    this.#workers = workers;
    this.#list = undefined;
    // On most days all are of one label.
    this.#rollout = areOfOneLabel(this.workers)
      ? undefined
      : followRollout(this.#rollout, this.workers.map(rolloutMember), at.monoMs);
    this.#reads += 1;
    this.#isInPart = false;
    return this.#changes(rows.planner);
  }

  /** A read of some rows. What it lacks is not gone; whoever asked for it has to look. */
  applyPart(part: FleetPart): FleetChanges {
    for (const row of part.workers) this.applyWorker(row);
    this.#isInPart = true;
    return this.#changes(part.planner);
  }

  #changes(planner: PlannerRow | undefined): FleetChanges {
    const newlyFenced = [...this.#fencedMeanwhile.values()];
    const newlyDraining = [...this.#drainingMeanwhile.values()];
    this.#fencedMeanwhile.clear();
    this.#drainingMeanwhile.clear();
    const deaths = planner?.deaths ?? 0;
    const deathsRose = this.#deathsSeen !== undefined && deaths > this.#deathsSeen;
    this.#deathsSeen = Math.max(deaths, this.#deathsSeen ?? 0);
    if (planner !== undefined) this.applyPlanner(planner);
    const newlyFree = this.#forced.look(this.#workers);
    return { newlyFenced, newlyDraining, newlyFree, deathsRose };
  }

  /**
   * A single row, as a write or a read of it returned it; what is news in it the next read reports.
   * @returns the row as it is known now
   */
  applyWorker(row: WorkerRow): WorkerRow {
    const before = this.#workers.get(row.workerId);
    if (before === row) return row;
    const kept = before === undefined ? row : newer(before, row);
    this.#workers.set(row.workerId, kept);
    this.#list = undefined;
    this.#forced.saw(kept);
    if (kept.fencedBy !== undefined && before?.fencedBy === undefined) {
      this.#fencedMeanwhile.set(kept.workerId, kept);
      this.#onFenced(kept, kept.fencedBy);
    }
    if (kept.draining && before?.draining !== true) this.#drainingMeanwhile.set(kept.workerId, kept);
    return kept;
  }

  applyPlanner(row: PlannerRow): void {
    const before = this.#planner;
    if (before === undefined || row.epoch >= before.epoch) {
      this.#planner = { ...row, deaths: Math.max(row.deaths, before?.deaths ?? 0) };
    }
  }
}

/** Whether all that stay are of one deployment: then none is rolling. */
function areOfOneLabel(rows: readonly WorkerRow[]): boolean {
  let first: WorkerRow | undefined;
  for (const row of rows) {
    if (!isLive(row) || row.draining) continue;
    first ??= row;
    if (row.deployment !== first.deployment) return false;
  }
  return true;
}

function rolloutMember(row: WorkerRow): Parameters<typeof followRollout>[1][number] {
  const { workerId, draining, deployment, join } = row;
  return { workerId, live: isLive(row), draining, join, ...(deployment === undefined ? {} : { deployment }) };
}

function newer(before: WorkerRow, row: WorkerRow): WorkerRow {
  if (before.fencedBy !== undefined && row.fencedBy === undefined) return before;
  if (row.fencedBy === undefined && row.beat < before.beat && row.beat !== tombstoneBeat) return before;
  return row;
}
