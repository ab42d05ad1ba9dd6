import { holderElapsedMs, type Reading } from "../model/reading.js";
import { isTarget } from "../model/worker-row.js";
import type { Member } from "./member.js";

/**
 * Whether this worker is a newcomer, to be filled to the mean. Cleared by itself: when its leases first reach the mean
 * minus one, or when there was nothing to get for long enough. It never comes back.
 */
export class Joining {
  readonly #member: Member;
  #joining = true;
  #leases = 0;
  #lastGainAt: Reading;

  constructor(member: Member) {
    this.#member = member;
    this.#lastGainAt = member.deps.clock.now();
  }

  get joining(): boolean {
    return this.#joining;
  }

  /** After each read of the fleet. */
  round(): void {
    if (!this.#joining) return;
    const { fleet, tenures, workerId, deps } = this.#member;
    const own = tenures.count;
    const now = deps.clock.now();
    if (own > this.#leases) this.#lastGainAt = now;
    this.#leases = own;
    const others = fleet.workers.filter((row) => row.workerId !== workerId && isTarget(row));
    const total = others.reduce((sum, { leases }) => sum + leases, own);
    const { pollIntervalMs, settleMs } = deps.config;
    const nothingToGet =
      holderElapsedMs(this.#lastGainAt, now) >= Math.max(20 * pollIntervalMs, 4 * settleMs);
    if (nothingToGet || (total > 0 && own >= total / (others.length + 1) - 1)) this.#joining = false;
  }
}
