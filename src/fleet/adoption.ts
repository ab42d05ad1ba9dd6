import { adoptionsFor, orphansOf } from "../model/orphans.js";
import { forEachLimited } from "../runtime/pool.js";
import type { Member } from "./member.js";
import { snapshotOf } from "./snapshot.js";

/** Takes go out this many at a time: enough for 150 to 300 writes a second, few enough to leave a beat its room. */
const takesAtOnce = 16;

/**
 * Takes the leases that nobody holds: without an owner, or with a fenced one. Waits for no planner; ranks only keep
 * workers from trying all at once.
 */
export class Adoption {
  readonly #member: Member;
  readonly #firstSeenMs = new Map<string, number>();
  #orphans = 0;

  constructor(member: Member) {
    this.#member = member;
  }

  /** Whether there were orphans at the last look. */
  get pending(): boolean {
    return this.#orphans > 0;
  }

  /**
   * One look at the rows known now.
   * @param warm whether this worker has waited its p and read the fleet again: where no lease has a live owner, nobody
   * takes before, so that a fleet that starts together shares at once
   */
  look(warm: boolean): void {
    const { workerId, deps, tasks, tenures, leases } = this.#member;
    const snapshot = snapshotOf(this.#member);
    const orphans = orphansOf(snapshot);
    this.#note(
      orphans.map(({ leaseKey }) => leaseKey),
      snapshot.nowMs,
    );
    if (orphans.length === 0) return;
    const held = snapshot.leases.some(({ finished, free }) => !finished && !free);
    if (!held && !warm) return;
    const keys = adoptionsFor(workerId, this.#firstSeenMs, snapshot).filter((key) => !tenures.busy(key));
    if (keys.length === 0) return;
    tasks.start("adopt", () =>
      forEachLimited(keys, takesAtOnce, async (leaseKey) => {
        const lease = leases.get(leaseKey);
        if (lease === undefined || lease.marked) return;
        const { owner } = lease;
        const row = owner === undefined ? undefined : this.#member.fleet.row(owner);
        if (owner !== undefined && row?.fencedBy === undefined) return;
        const { maxLeases } = deps.config;
        const outcome = await tenures.lane(leaseKey).take(lease, row?.fenceKind);
        if (outcome === "begun" && maxLeases !== undefined && tenures.count > maxLeases) {
          deps.emit({ type: "overflow", workerId, leaseKey });
        }
      }),
    );
  }

  #note(orphans: readonly string[], nowMs: number): void {
    const current = new Set(orphans);
    for (const key of this.#firstSeenMs.keys()) if (!current.has(key)) this.#firstSeenMs.delete(key);
    for (const key of orphans) if (!this.#firstSeenMs.has(key)) this.#firstSeenMs.set(key, nowMs);
    if (this.#orphans !== orphans.length) {
      this.#member.deps.emit({
        type: "orphans-seen",
        workerId: this.#member.workerId,
        orphans: orphans.length,
      });
    }
    this.#orphans = orphans.length;
  }
}
