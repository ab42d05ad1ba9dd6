import type { Clock } from "../runtime/clock.js";

/**
 * When the source last answered for each partition of this worker. One silent partition among others that are answered
 * is given up; when all are silent the source is out, and moving leases would only make it worse (protocol, "Owned and
 * silent").
 */
export class Answers {
  readonly #clock: Clock;
  readonly #lastMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(leaseKey: string): void {
    this.#lastMs.set(leaseKey, this.#clock.monoMs());
  }

  /** Whether another partition was answered at this monotonic time or later. */
  othersSince(leaseKey: string, monoMs: number): boolean {
    for (const [key, lastMs] of this.#lastMs) if (key !== leaseKey && lastMs >= monoMs) return true;
    return false;
  }

  forget(leaseKey: string): void {
    this.#lastMs.delete(leaseKey);
  }
}
