import type { Unhealed } from "./invariants.js";
import type { Report } from "./violation.js";

export interface HealingTimes {
  /** From when on nothing goes wrong any more, true ms. */
  readonly healedAtMs: number;
  /** Nothing is amiss for longer than this from then on, ms. */
  readonly withinMs: number;
}

/** What is amiss from healing on to the end: a fleet that was right once may not go wrong again. */
export class Healing {
  readonly #times: HealingTimes;
  readonly #report: Report;
  readonly #sinceMs = new Map<string, number>();
  #ownedAfterMs: number | undefined;

  constructor(times: HealingTimes, report: Report) {
    this.#times = times;
    this.#report = report;
  }

  /** How long after healing nothing was amiss for the first time, ms. */
  get ownedAfterMs(): number | undefined {
    return this.#ownedAfterMs;
  }

  /** Whether nothing was amiss at the last look. */
  get isWhole(): boolean {
    return this.#ownedAfterMs !== undefined && this.#sinceMs.size === 0;
  }

  /** A look, at all that is amiss. Moves under way are amiss for an instant: only what stays so is held against it. */
  look(nowMs: number, unhealed: readonly Unhealed[]): void {
    const { healedAtMs, withinMs } = this.#times;
    if (nowMs < healedAtMs) return;
    const amiss = new Set(unhealed.map(({ about }) => about));
    for (const about of this.#sinceMs.keys()) if (!amiss.has(about)) this.#sinceMs.delete(about);
    for (const { about, invariant, what } of unhealed) {
      const sinceMs = this.#sinceMs.get(about) ?? nowMs;
      this.#sinceMs.set(about, sinceMs);
      if (nowMs - sinceMs <= withinMs) continue;
      const afterMs = (nowMs - healedAtMs).toFixed(0);
      this.#report(
        invariant,
        `${afterMs} ms after healing, and for ${(nowMs - sinceMs).toFixed(0)} ms, ${what}`,
      );
    }
    if (amiss.size === 0) this.#ownedAfterMs ??= nowMs - healedAtMs;
  }

  /** The end, after time enough for all that was under way. Who never looked has shown nothing. */
  end(nowMs: number): void {
    const { healedAtMs } = this.#times;
    if (nowMs < healedAtMs) {
      this.#report(
        "owned-after-healing",
        `the run is over ${(healedAtMs - nowMs).toFixed(0)} ms before healing: nothing shows that it heals`,
      );
    } else if (!this.isWhole) {
      const amiss = [...this.#sinceMs.keys()].join(", ");
      this.#report("owned-after-healing", `the run ends with something amiss all the time: ${amiss}`);
    }
  }
}
