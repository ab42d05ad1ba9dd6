import { clockRateBound, collectionMs, type ProtocolConfig } from "../model/config.js";
import type { LeaseholdEvent } from "../model/events.js";
import type { WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot } from "../store/memory/index.js";
import type { Report } from "./violation.js";

export interface CollectedDeps {
  readonly config: ProtocolConfig;
  /** From then on nobody comes or goes by a fault, true ms. */
  readonly healedAtMs: number;
  readonly nowMs: () => number;
}

/** A collection that could not be is tried again after this, ms. */
const retryMs = 60_000;

/** L6, its second half: the row of who was fenced is collected. It takes a quarter of an hour: only long runs show it. */
export class Collected {
  readonly #deps: CollectedDeps;
  readonly #report: Report;
  readonly #fencedAtMs = new Map<string, number>();
  /** The planner collects, and observes for itself: a new one may begin to when it is elected. */
  #planner: string | undefined;
  /** Since when it reads the fleet without a gap. */
  #readsSinceMs = 0;
  #failedAtMs = -Infinity;

  constructor(deps: CollectedDeps, report: Report) {
    this.#deps = deps;
    this.#report = report;
  }

  /**
   * A fenced row nobody's lease names is gone by then: a quarter of an hour of one process's own continuous observation,
   * on the slowest clock; a release or a take of what it held (T and a reconcile); a try that came to nothing, the
   * next, and the scan that each makes.
   */
  get withinMs(): number {
    const { expiryMs, reconcileIntervalMs, plannerScanIntervalMs, leaseDurationMs } = this.#deps.config;
    const observedMs = (collectionMs * (1 + clockRateBound)) / (1 - clockRateBound);
    return (
      observedMs + expiryMs + reconcileIntervalMs + 2 * (retryMs + plannerScanIntervalMs + leaseDurationMs)
    );
  }

  fenced({ workerId }: WorkerRow): void {
    this.#fencedAtMs.set(workerId, this.#deps.nowMs());
  }

  event(event: LeaseholdEvent): void {
    const now = this.#deps.nowMs();
    if (event.type === "planner-elected") {
      this.#planner = event.workerId;
      this.#readsSinceMs = now;
    } else if (event.type === "store-failed" && event.workerId === this.#planner) {
      if (!event.operation.startsWith("read")) return;
      // Two reads in a row without an answer, with the polls before and after, are a blind gap: no continuous observation.
      if (now - this.#failedAtMs < this.#deps.config.blindGapMs) this.#readsSinceMs = now;
      this.#failedAtMs = now;
    }
  }

  /** A look at what is left of the dead. */
  look(rows: MemorySnapshot): void {
    const { healedAtMs, nowMs } = this.#deps;
    const sinceMs = Math.max(healedAtMs, this.#readsSinceMs);
    if (nowMs() - sinceMs <= this.withinMs) return;
    for (const { workerId, fencedBy } of rows.fleet().workers) {
      if (fencedBy === undefined) continue;
      const forMs = nowMs() - Math.max(sinceMs, this.#fencedAtMs.get(workerId) ?? 0);
      if (forMs <= this.withinMs) continue;
      this.#report(
        "deaths-are-collected",
        `the row of ${workerId}, fenced by ${fencedBy}, stands ${forMs.toFixed(0)} ms after a planner could begin to watch it`,
      );
    }
  }
}
