import type { Clock } from "../runtime/clock.js";
import type { Answers } from "./answers.js";

/** `wait`: not for so long. `silent`: for so long, but so are the others. `give-up`: it alone. */
export type SilenceVerdict = "wait" | "silent" | "give-up";

/**
 * Whether one partition's silence is its own. The others must have been answered in each of the last quarters of the
 * time: the last answers before an outage of the source, and the first ones after it, come at about the same time to
 * all, and say nothing against the one that is a moment behind.
 */
export class Silence {
  readonly #clock: Clock;
  readonly #answers: Answers;
  readonly #leaseKey: string;
  readonly #limitMs: number;
  #sinceMs: number | undefined;
  #quarters = 0;

  constructor(clock: Clock, answers: Answers, leaseKey: string, limitMs: number) {
    this.#clock = clock;
    this.#answers = answers;
    this.#leaseKey = leaseKey;
    this.#limitMs = limitMs;
  }

  /** When to look first, and how long after that again. */
  get firstLookMs(): number {
    return this.#limitMs / 2;
  }

  get nextLookMs(): number {
    return this.#limitMs / 4;
  }

  /** @param sinceMs monotonic time since when the source has not answered though it was asked */
  look(sinceMs: number): SilenceVerdict {
    const nowMs = this.#clock.monoMs();
    if (this.#sinceMs !== sinceMs) this.#quarters = 0;
    this.#sinceMs = sinceMs;
    const others = this.#answers.othersSince(this.#leaseKey, nowMs - this.nextLookMs);
    this.#quarters = others ? this.#quarters + 1 : 0;
    // Timers may fire a little early.
    if (nowMs - sinceMs < this.#limitMs - 1) return "wait";
    return this.#quarters >= 2 ? "give-up" : "silent";
  }
}
