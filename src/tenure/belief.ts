import type { ProtocolConfig } from "../model/config.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { Cancel, Clock } from "../runtime/clock.js";

/**
 * What lets a worker act: a stretch of its own local time that rests on one acknowledged beat and covers all its leases.
 *
 * It counts from the SEND time of the FIRST attempt of that beat, and only a beat's acknowledgement extends it: not a
 * take, a checkpoint or a read. The time left is computed at every question; the timer only wakes, so a stalled event
 * loop or a stopped process finds its belief gone at the first question after it.
 */
export class Belief {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #onLapse: () => void;
  #sentAt: Reading | undefined;
  #held = false;
  #ended = false;
  #cancel: Cancel | undefined;

  /** @param onLapse called once each time the belief runs out, before any question about it is answered with zero */
  constructor(clock: Clock, config: ProtocolConfig, onLapse: () => void) {
    this.#clock = clock;
    this.#lengthMs = config.leaseDurationMs - config.safetyMarginMs;
    this.#onLapse = onLapse;
  }

  /** Milliseconds left, 0 when there is no belief. */
  remainingMs(): number {
    if (!this.#held || this.#sentAt === undefined) return 0;
    const left = this.#lengthMs - holderElapsedMs(this.#sentAt, this.#clock.now());
    if (left > 0) return left;
    this.#lapse();
    return 0;
  }

  /** Whether a beat was ever acknowledged. */
  get hasBegun(): boolean {
    return this.#sentAt !== undefined;
  }

  holds(): boolean {
    return this.remainingMs() > 0;
  }

  /**
   * Rests the belief on a newly acknowledged beat. A belief that ran out before the acknowledgement was seen has lapsed
   * all the same: it does not come back, what comes is a new one.
   * @param sentAt when the beat's first attempt was sent
   * @returns whether there is a belief now
   */
  extend(sentAt: Reading): boolean {
    if (this.#ended) return false;
    const held = this.holds();
    this.#sentAt = sentAt;
    if (this.#lengthMs - holderElapsedMs(sentAt, this.#clock.now()) > 0) {
      this.#held = true;
      this.#arm();
    } else if (held) {
      // The wall clock went back and forward again between the two beats: the newer one is already too old. What rested
      // on the older one is over, and must not be found held again by the next.
      this.#lapse();
    }
    return this.#held;
  }

  /** Ends it for good: fenced, or `left` is being sent. Tells nobody: who ends it knows. */
  end(): void {
    this.#ended = true;
    this.#held = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lapse(): void {
    this.#held = false;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#onLapse();
  }

  // One timer at a time: it is not moved with every beat but looks, when it fires, how much is left by then.
  #arm(): void {
    if (!this.#held || this.#cancel !== undefined) return;
    const left = this.remainingMs();
    if (left <= 0) return;
    this.#cancel = this.#clock.setTimer(left, () => {
      this.#cancel = undefined;
      if (this.remainingMs() > 0) this.#arm();
    });
  }
}
