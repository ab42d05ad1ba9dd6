import type { ProtocolConfig } from "../model/config.js";
import { parentsAreDone, type Lease } from "../model/lease.js";
import { isFinished } from "../model/position.js";
import { tombstoneBeat, type WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot } from "../store/memory/index.js";
import type { Ledger } from "./ledger.js";
import type { Processes } from "./processes.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { Report } from "./violation.js";
import type { Trouble, Weather } from "./weather.js";

export interface LivenessDeps {
  readonly config: ProtocolConfig;
  /** A processor that failed waits for so long at most, ms. */
  readonly retryMs: number;
  readonly nowMs: () => number;
  readonly rows: () => MemorySnapshot;
  readonly processes: () => Processes;
  readonly weather: Weather;
  readonly ledger: Ledger;
  /** The leases in which a worker believes. */
  readonly believedBy: (workerId: string) => ReadonlyMap<string, number>;
}

interface Standing {
  epoch: number;
  done: number;
  sinceMs: number;
}

/** A worker that leaves, or has left. */
interface Leaver {
  readonly sinceMs: number;
  /** What it owes the others: what it held when it began to leave and whatever it began since, less what another has begun. */
  readonly leases: Set<string>;
}

/** A source is asked again after so long, and a batch worked within that, ms. */
const roundMs = 3_000;
/** The writes and messages of one step of the protocol on a usual day, ms. */
const writesMs = 1_000;

/** What must happen, where nothing stands in its way: looked for now and then, since no single event shows its absence. */
export class Liveness {
  readonly #deps: LivenessDeps;
  readonly #report: Report;
  readonly #standing = new Map<string, Standing>();
  readonly #leavers = new Map<string, Leaver>();

  constructor(deps: LivenessDeps, report: Report) {
    this.#deps = deps;
    this.#report = report;
  }

  /** L8: no lease names a live worker that does not work it for longer than a reconcile, and what that starts. */
  get standsForMs(): number {
    const { config, retryMs } = this.#deps;
    const { reconcileIntervalMs, pollIntervalMs, attemptTimeoutMs } = config;
    return Math.max(reconcileIntervalMs, retryMs) + 2 * pollIntervalMs + 2 * attemptTimeoutMs + roundMs;
  }

  /** L5: a clean stop leaves no orphan beyond one interval. */
  get orphanedForMs(): number {
    const { heartbeatIntervalMs, pollIntervalMs } = this.#deps.config;
    return heartbeatIntervalMs + pollIntervalMs + writesMs;
  }

  /** L4: so long before its fence a worker must have been in trouble of its own. */
  get silentForMs(): number {
    const { expiryMs, leaseDurationMs, pollIntervalMs } = this.#deps.config;
    return 2 * expiryMs + leaseDurationMs + 2 * pollIntervalMs;
  }

  /** A look at every lease. */
  look(): void {
    const rows = this.#deps.rows();
    const byWorker = new Map(
      this.#deps
        .processes()
        .alive()
        .map((process) => [process.workerIds.at(-1), process]),
    );
    for (const lease of rows.scan().leases) {
      this.#lookAt(lease, lease.owner === undefined ? undefined : byWorker.get(lease.owner));
    }
  }

  #lookAt(lease: Lease, process: SimulatedProcess | undefined): void {
    const { ledger, weather, nowMs } = this.#deps;
    const { leaseKey, epoch } = lease;
    const waits = !lease.marked && !isFinished(lease.checkpoint) && ledger.waiting(leaseKey) > 0;
    if (!waits || process?.state !== "running" || process.clock.isStopped) {
      this.#standing.delete(leaseKey);
      return;
    }
    const done = ledger.done(leaseKey);
    const standing = this.#standing.get(leaseKey);
    if (standing?.epoch !== epoch || standing.done !== done) {
      this.#standing.set(leaseKey, { epoch, done, sinceMs: nowMs() });
      return;
    }
    const { slot } = process;
    const clearSinceMs = weather.clearSinceMs(
      "outage",
      "store",
      "stream",
      "rows",
      `store ${slot}`,
      `process ${slot}`,
      `work ${slot}`,
    );
    const forMs = nowMs() - Math.max(standing.sinceMs, clearSinceMs);
    if (forMs <= this.standsForMs) return;
    this.#report(
      "held-is-worked",
      `${leaseKey} is owned by ${String(lease.owner)} at epoch ${String(epoch)}, has ${String(ledger.waiting(leaseKey))} records waiting and was not worked for ${forMs.toFixed(0)} ms`,
    );
  }

  /** L4: an outage of the store in which nobody dies fences nobody. */
  fenced({ workerId, fenceKind, beat }: WorkerRow): void {
    const { processes, weather, nowMs } = this.#deps;
    if (fenceKind !== "observer" || beat === tombstoneBeat) return;
    const process = processes().of(workerId);
    if (process === undefined || nowMs() - process.startedAtMs < this.silentForMs) return;
    const { slot } = process;
    const clearSinceMs = weather.clearSinceMs("store", "rows", `store ${slot}`, `process ${slot}`);
    if (nowMs() - clearSinceMs < this.silentForMs) return;
    this.#report(
      "outages-move-nothing",
      `${workerId} is fenced though it runs, and nothing but outages for all has befallen it for ${this.silentForMs.toFixed(0)} ms`,
    );
  }

  /** A clean stop begins. */
  leaves(workerId: string): void {
    const leases = new Set(this.#deps.believedBy(workerId).keys());
    this.#leavers.set(workerId, { sinceMs: this.#deps.nowMs(), leases });
  }

  /**
   * A tenure begins. What a leaver held is then in other hands, and its promise kept: where those let it fall, a leaver among
   * them is judged for it, not the one before.
   */
  began(workerId: string, leaseKey: string): void {
    for (const [leaver, { leases }] of this.#leavers) {
      if (leaver === workerId) leases.add(leaseKey);
      else leases.delete(leaseKey);
    }
  }

  /** A clean stop is over. @returns what to do after `orphanedForMs` */
  left(process: SimulatedProcess): (() => void) | undefined {
    const leaver = this.#leavers.get(process.workerIds.at(-1) ?? "");
    if (leaver === undefined) return undefined;
    return () => {
      this.#lookForOrphans(process, leaver);
    };
  }

  #lookForOrphans(process: SimulatedProcess, { sinceMs, leases }: Leaver): void {
    const { processes, weather, rows, believedBy, nowMs, config } = this.#deps;
    const others = processes()
      .alive()
      .filter(({ state }) => state === "running");
    const slots = [process, ...others].flatMap(({ slot }): Trouble[] => [
      `store ${slot}`,
      `process ${slot}`,
      `work ${slot}`,
    ]);
    const clearSinceMs = weather.clearSinceMs("outage", "store", "deaths", "planner", "rows", ...slots);
    // A belief, a view or a fence from before may still be under way.
    if (clearSinceMs > sinceMs - config.expiryMs - config.leaseDurationMs) return;
    const settled = others.filter(({ startedAtMs }) => startedAtMs < sinceMs - config.leaseDurationMs);
    if (settled.length === 0 || config.maxLeases !== undefined) return;
    const view = rows();
    for (const leaseKey of leases) {
      const lease = view.lease(leaseKey);
      if (lease === undefined || lease.marked || isFinished(lease.checkpoint)) continue;
      if (!parentsAreDone(lease, (key) => view.lease(key))) continue;
      if (lease.owner !== undefined && believedBy(lease.owner).get(leaseKey) === lease.epoch) continue;
      const forMs = nowMs() - sinceMs;
      this.#report(
        "stops-leave-no-orphan",
        `${leaseKey}, held last by ${process.name}, which began to stop ${forMs.toFixed(0)} ms ago, is worked by nobody ${this.orphanedForMs.toFixed(0)} ms after its stop (owner ${lease.owner ?? "none"})`,
      );
    }
  }
}
