import type { ProtocolConfig } from "../model/config.js";
import type { LeaseholdEvent } from "../model/events.js";
import type { Report } from "./violation.js";

export interface RestDeps {
  readonly config: ProtocolConfig;
  /** From then on nobody comes or goes by a fault, true ms. */
  readonly healedAtMs: number;
  /** From then on no record is put any more, true ms. */
  readonly produceUntilMs: number;
  readonly nowMs: () => number;
  /** How many leases there are. */
  readonly leases: () => number;
}

interface PlannedMove {
  readonly from: string;
  readonly to: string;
}

/** The time constant of a lease's weight, ms: within it a fleet sees the same noise once. */
const noiseMs = 60_000;
/** Of all leases, and at least two: what may move in such a time because records come as chance has it. */
const noiseShare = 0.1;

/**
 * L2 and L3: leases move until they are balanced, and then no more. What moves them is known: who is there, who holds
 * what without having been given it, who plans. Since the last change of any of that the stretch is quiet.
 */
export class Rest {
  readonly #deps: RestDeps;
  readonly #report: Report;
  #quietSinceMs: number;
  /** When a weight can have changed last. */
  #loadSinceMs: number;
  /** Planned moves of the quiet stretch, by lease. */
  readonly #moves = new Map<string, PlannedMove[]>();
  /** When planned moves were made though the fleet should have been at rest. */
  #lateAtMs: number[] = [];

  constructor(deps: RestDeps, report: Report) {
    this.#deps = deps;
    this.#report = report;
    this.#quietSinceMs = deps.healedAtMs;
    this.#loadSinceMs = deps.produceUntilMs;
  }

  /**
   * So long after the last change leases rest: a newcomer has what it gets, or has given up (max(20p, 4 settle), the
   * settling included); who stands outside the dead band is left there for 5 rounds, and is inside it after 5 more; and
   * what was moved once may be moved on after its cool-down.
   */
  get restMs(): number {
    const { pollIntervalMs, settleMs, coolDownMs } = this.#deps.config;
    return Math.max(20 * pollIntervalMs, 4 * settleMs) + 10 * pollIntervalMs + coolDownMs;
  }

  event(event: LeaseholdEvent): void {
    switch (event.type) {
      case "handed-off":
        if (event.reason === "handoff") this.#moved(event.leaseKey, event.workerId, event.target);
        break;
      case "checkpointed":
        // The weight is written with it.
        this.#loadSinceMs = Math.max(this.#deps.produceUntilMs, this.#deps.nowMs());
        break;
      case "tenure-began":
        if (event.how !== "handoff") this.#changed();
        break;
      case "directive-answered":
        // It is tried again, after twice its cool-down.
        if (event.answer === "refused") this.#changed();
        break;
      case "worker-created":
      case "worker-ended":
      case "draining":
      case "force-fenced":
      case "fenced":
      case "belief-lapsed":
      case "released":
      case "tenure-raised":
      case "change-failed":
      case "planner-elected":
        this.#changed();
        break;
      default:
        break;
    }
  }

  #changed(): void {
    this.#quietSinceMs = Math.max(this.#deps.healedAtMs, this.#deps.nowMs());
    this.#moves.clear();
    this.#lateAtMs = [];
  }

  #moved(leaseKey: string, from: string, to: string): void {
    const { nowMs, leases } = this.#deps;
    const now = nowMs();
    const quietMs = now - this.#quietSinceMs;
    if (quietMs <= 0) return;
    const before = this.#moves.get(leaseKey) ?? [];
    this.#moves.set(leaseKey, [...before, { from, to }]);
    const isBack = before.some((move) => move.from === to && move.to === from);
    const restsForMs = Math.min(quietMs, now - this.#loadSinceMs) - this.restMs;
    const what = `${leaseKey} is moved from ${from} to ${to}, ${quietMs.toFixed(0)} ms after members and owners changed last`;
    if (restsForMs > 0) this.#report("balance-rests", `${what}, and no load changes any more`);
    if (quietMs <= this.restMs) return;
    if (isBack) this.#report("balance-rests", `${what}: it goes back where it came from`);
    this.#lateAtMs = [...this.#lateAtMs.filter((atMs) => now - atMs < noiseMs), now];
    if (this.#lateAtMs.length <= Math.max(2, noiseShare * leases())) return;
    this.#report(
      "balance-rests",
      `${what}: the ${String(this.#lateAtMs.length)}. move within a minute, and nothing but chance changes the load`,
    );
  }
}
