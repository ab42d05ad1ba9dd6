import { checkApplication } from "./model/config.js";
import { parentsAreDone, type Lease } from "./model/lease.js";
import { formatPosition, isFinished } from "./model/position.js";
import { strangersRows, type StrangersRows } from "./model/strangers.js";
import { tombstoneBeat, type FleetRows, type WorkerRow } from "./model/worker-row.js";
import { answerOf, remedies } from "./runtime/attempts.js";
import { systemClock, systemRandom } from "./runtime/system.js";
import { createDynamoDbStore } from "./store/dynamodb/index.js";
import type { Store } from "./store/store.js";
import type { DynamoDbOptions } from "./worker.js";

/** What a worker's row says. `silent` is nobody's to say from one look: only an observer's time can. */
export type WorkerState =
  "created" | "live" | "joining" | "draining" | "blind" | "left" | "fenced" | "missing";

export interface WorkerInFleet {
  readonly workerId: string;
  readonly state: WorkerState;
  /** The label of what was deployed; null where it has none. */
  readonly deployment: string | null;
  /** Leases that name it. */
  readonly leases: number;
  /** Processing slots in use, averaged over the last while, as its last beat said. */
  readonly load: number;
  /** Processing slots it has. */
  readonly capacity: number;
  /** Leases it may be given at most, where it said so; more than these is an overflow. */
  readonly maxLeases: number | null;
  /** Leases whose old, stuck processor still runs in it. */
  readonly stuck: readonly string[];
  /** Partitions whose work fails at present, by its last beat: the first few. */
  readonly failing: readonly string[];
}

/**
 * `orphaned`: named by a fenced worker. `foreign`: named by an owner that is no worker of this fleet, a Java KCL worker's
 * id most likely. `waiting`: its parents are not finished. `invalid`: its row cannot be read.
 */
export type InspectedLeaseState =
  "owned" | "free" | "orphaned" | "foreign" | "waiting" | "finished" | "invalid";

export interface LeaseInFleet {
  readonly leaseKey: string;
  readonly owner: string | null;
  readonly epoch: number | null;
  readonly checkpoint: string | null;
  readonly state: InspectedLeaseState;
  readonly parents: readonly string[];
  /** For `invalid`: what is wrong with the row. */
  readonly problem?: string;
}

/** A fleet as its tables show it. */
export interface FleetStatus {
  readonly application: string;
  readonly liveness: string;
  /** The planner's worker id; null where nobody has the planner lease, or who had it is fenced or has left. */
  readonly planner: string | null;
  readonly workers: readonly WorkerInFleet[];
  readonly leases: readonly LeaseInFleet[];
}

const attemptTimeoutMs = 10_000;

/** Reads an application's tables; writes nothing and creates nothing. */
export class Inspector {
  readonly #application: string;
  readonly #store: Store;

  constructor(application: string, store: Store) {
    this.#application = application;
    this.#store = store;
  }

  /**
   * Who holds what now, read consistently.
   * @throws LeaseholdError `table-missing`, `table-mismatch`; StoreError
   */
  async status(): Promise<FleetStatus> {
    await this.#ask("verify the tables", (signal) => this.#store.tables.verify({ signal }));
    const fleet = await this.#ask("read the fleet", (signal) =>
      this.#store.membership.readFleet({ consistent: true, signal }),
    );
    const scan = await this.#ask("scan the leases", (signal) =>
      this.#store.leases.scan({ consistent: true, signal }),
    );
    const rows = new Map(fleet.workers.map((row) => [row.workerId, row]));
    const strangers = strangersRows(scan, (workerId) => rows.get(workerId));
    const byKey = new Map(scan.leases.map((lease) => [lease.leaseKey, lease]));
    const leases: LeaseInFleet[] = scan.leases
      .filter(({ marked }) => !marked)
      .map((lease) => leaseInFleet(lease, rows, byKey, strangers));
    for (const { leaseKey, problem } of scan.invalid) {
      leases.push({
        leaseKey,
        owner: null,
        epoch: null,
        checkpoint: null,
        state: "invalid",
        parents: [],
        problem,
      });
    }
    return {
      application: this.#application,
      liveness: fleet.meta?.liveness ?? "worker",
      planner: plannerOf(fleet.planner?.owner, rows),
      workers: workersOf(fleet, scan.leases),
      leases: leases.sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1)),
    };
  }

  close(): void {
    this.#store.close();
  }

  #ask<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const unanswered = { call: doing, remedy: remedies.operator };
    const limits = { attemptTimeoutMs, withinMs: attemptTimeoutMs, unanswered };
    return answerOf(systemClock, systemRandom, limits, ({ signal }) => call(signal));
  }
}

/**
 * Opens an application for reading.
 * @throws LeaseholdError `invalid-application`
 */
export function openInspector(options: {
  readonly application: string;
  readonly dynamodb?: DynamoDbOptions;
}): Inspector {
  const application = checkApplication(options.application);
  return new Inspector(
    application,
    createDynamoDbStore({ ...options.dynamodb, application, clock: systemClock }),
  );
}

/** The row names the last planner also when it has left or died: then nobody plans. */
function plannerOf(owner: string | undefined, rows: ReadonlyMap<string, WorkerRow>): string | null {
  const row = owner === undefined ? undefined : rows.get(owner);
  return row === undefined || row.fencedBy !== undefined ? null : row.workerId;
}

function workersOf(fleet: FleetRows, leases: readonly Lease[]): WorkerInFleet[] {
  const counts = new Map<string, number>();
  for (const { owner } of leases) if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const workers = fleet.workers.map((row): WorkerInFleet => {
    const { workerId, utilisation, maxConcurrentBatches, maxLeases, unfit, failing } = row;
    return {
      workerId,
      state: stateOf(row),
      deployment: row.deployment ?? null,
      leases: counts.get(workerId) ?? 0,
      load: Math.round(utilisation * maxConcurrentBatches * 100) / 100,
      capacity: maxConcurrentBatches,
      maxLeases: maxLeases ?? null,
      stuck: unfit,
      failing,
    };
  });
  const known = new Set(workers.map(({ workerId }) => workerId));
  for (const [workerId, count] of counts) {
    if (known.has(workerId)) continue;
    workers.push({
      workerId,
      state: "missing",
      deployment: null,
      leases: count,
      load: 0,
      capacity: 0,
      maxLeases: null,
      stuck: [],
      failing: [],
    });
  }
  return workers.sort((a, b) => (a.workerId < b.workerId ? -1 : 1));
}

function stateOf(row: WorkerRow): WorkerState {
  if (row.fencedBy !== undefined) return row.fenceKind === "left" ? "left" : "fenced";
  if (row.beat === tombstoneBeat) return "missing";
  if (row.beat === 0) return "created";
  if (row.draining) return "draining";
  if (row.blind) return "blind";
  return row.joining ? "joining" : "live";
}

function leaseInFleet(
  lease: Lease,
  rows: ReadonlyMap<string, WorkerRow>,
  byKey: ReadonlyMap<string, Lease>,
  strangers: StrangersRows,
): LeaseInFleet {
  const { leaseKey, owner, epoch, checkpoint, parents } = lease;
  const state: InspectedLeaseState = isFinished(checkpoint)
    ? "finished"
    : owner === undefined
      ? parentsAreDone(lease, (key) => byKey.get(key))
        ? "free"
        : "waiting"
      : strangers.has(leaseKey)
        ? "foreign"
        : rows.get(owner)?.fencedBy === undefined
          ? "owned"
          : "orphaned";
  return { leaseKey, owner: owner ?? null, epoch, checkpoint: formatPosition(checkpoint), state, parents };
}
