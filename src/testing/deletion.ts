import type { ProtocolConfig } from "../model/config.js";
import type { LeaseholdEvent } from "../model/events.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { StoreTraffic } from "./simulated-store.js";
import type { Report } from "./violation.js";
import type { Weather } from "./weather.js";

export interface DeletionDeps {
  readonly config: ProtocolConfig;
  readonly nowMs: () => number;
  readonly weather: Weather;
}

/**
 * Tables deleted under a fleet are no outage: every worker ends and says so, and none that lived before makes them again,
 * empty, as if nothing had been there.
 */
export class Deletion {
  readonly #deps: DeletionDeps;
  readonly #report: Report;
  #goneAtMs: number | undefined;
  /** Who had a worker when the tables went, and has not ended since. */
  #bereft: SimulatedProcess[] = [];
  /** Who waits between two incarnations: it asks nothing of the store, and finds out when it comes back. */
  readonly #between = new Set<SimulatedProcess>();

  constructor(deps: DeletionDeps, report: Report) {
    this.#deps = deps;
    this.#report = report;
  }

  /**
   * Each worker writes a beat at least every heartbeatIntervalMs and reads the fleet more often; two tries of a call in a
   * row may be lost, and what the worker still does is ended within one more.
   */
  get surfacesWithinMs(): number {
    const { heartbeatIntervalMs, attemptTimeoutMs } = this.#deps.config;
    return heartbeatIntervalMs + 3 * attemptTimeoutMs;
  }

  /** After every event: whether the tables are there. */
  check(exist: boolean, alive: () => readonly SimulatedProcess[]): void {
    if (exist) {
      this.#goneAtMs = undefined;
      return;
    }
    if (this.#goneAtMs !== undefined) return;
    this.#goneAtMs = this.#deps.nowMs();
    this.#bereft = alive().filter(({ workerIds }) => workerIds.length > 0);
  }

  /** A call as it is applied. */
  traffic({ operation, worker }: StoreTraffic, ofSlot: readonly SimulatedProcess[]): void {
    if (this.#goneAtMs === undefined || operation !== "tables.prepare") return;
    if (ofSlot.length === 0 || !ofSlot.every((process) => this.#bereft.includes(process))) return;
    this.#report(
      "deletion-surfaces",
      `the worker in slot ${String(worker)}, which lived before the tables were deleted, makes them again`,
    );
  }

  event(process: SimulatedProcess, event: LeaseholdEvent): void {
    if (event.type === "worker-created") this.#between.delete(process);
    if (event.type !== "worker-ended" || event.reason === "table-missing") return;
    this.#between.add(process);
    // A fence, a tombstone or a missing row may have been read before the tables went.
    if (this.#goneAtMs === undefined || event.reason !== "failed" || !this.#bereft.includes(process)) return;
    this.#report(
      "deletion-surfaces",
      `${event.workerId} fails after the tables were deleted, and does not say that`,
    );
  }

  /** A look at who should have ended. */
  look(): void {
    if (this.#bereft.length === 0) return;
    this.#bereft = this.#bereft.filter(({ isAlive }) => isAlive);
    const { nowMs, weather } = this.#deps;
    for (const process of this.#bereft) {
      const { clock, slot, name, state } = process;
      if (clock.isStopped || state !== "running" || this.#between.has(process)) continue;
      const clearSinceMs = weather.clearSinceMs("outage", "store", `store ${slot}`, `process ${slot}`);
      const forMs = nowMs() - Math.max(clearSinceMs, this.#goneAtMs ?? nowMs());
      if (forMs <= this.surfacesWithinMs) continue;
      this.#report(
        "deletion-surfaces",
        `${name} still runs ${forMs.toFixed(0)} ms after the tables were deleted`,
      );
    }
  }
}
