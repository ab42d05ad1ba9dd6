import { recordAction } from "../history/archive.js";
import { collectionMs } from "../model/config.js";
import { actionIn } from "../model/operator-action.js";
import { holderElapsedMs, observerElapsedMs, type Reading } from "../model/reading.js";
import { attempts } from "../runtime/attempts.js";
import type { Member } from "./member.js";

/** Between two tries. */
const retryMs = 60_000;

/**
 * Removes the rows of fenced workers: when one process has watched the fence for 15 minutes and a consistent scan finds
 * no lease that names the worker. A row removed too early would leave leases that name nobody.
 */
export class Collection {
  readonly #member: Member;
  readonly #seenFenced = new Map<string, Reading>();
  #lastReadAt: Reading | undefined;
  #lastTryAt: Reading | undefined;

  constructor(member: Member) {
    this.#member = member;
  }

  /** After each read of the fleet: the observation must be continuous. */
  watch(): void {
    const { fleet, deps } = this.#member;
    const now = deps.clock.now();
    // A gap in the reads is no observation.
    const last = this.#lastReadAt;
    if (last !== undefined && holderElapsedMs(last, now) > deps.config.blindGapMs) this.#seenFenced.clear();
    this.#lastReadAt = now;
    for (const workerId of this.#seenFenced.keys()) {
      if (!fleet.isFenced(workerId)) this.#seenFenced.delete(workerId);
    }
    for (const row of fleet.workers) {
      if (row.fencedBy !== undefined && !this.#seenFenced.has(row.workerId))
        this.#seenFenced.set(row.workerId, now);
    }
  }

  /**
   * Whether some row is old enough to be collected, and no lease known names it. A consistent scan costs twice a plain
   * one: what could not be collected waits a while.
   */
  get isDue(): boolean {
    const { leases, deps } = this.#member;
    const last = this.#lastTryAt;
    if (last !== undefined && holderElapsedMs(last, deps.clock.now()) < retryMs) return false;
    const ripe = this.#ripe();
    if (ripe.length === 0) return false;
    const named = new Set(leases.all().map(({ owner }) => owner));
    return ripe.some((victim) => !named.has(victim));
  }

  async collect(): Promise<void> {
    const { deps, tasks, workerId, fleet } = this.#member;
    this.#lastTryAt = deps.clock.now();
    const options = { attemptTimeoutMs: deps.config.leaseDurationMs, withinMs: deps.config.leaseDurationMs };
    const scan = await attempts(deps.clock, deps.random, options, ({ signal }) =>
      deps.store.leases.scan({ consistent: true, signal }),
    );
    if (!scan.ok) {
      tasks.failed("collect", scan.error);
      return;
    }
    const named = new Set(scan.value.leases.map(({ owner }) => owner));
    // A row that cannot be read may name anybody.
    if (scan.value.invalid.length > 0) return;
    for (const victim of this.#ripe()) {
      if (named.has(victim)) continue;
      // An operator's command may have died between the fence and its entry: with the row the fence would be forgotten.
      const row = fleet.row(victim);
      const action = row === undefined ? undefined : actionIn(row);
      if (action !== undefined) await recordAction({ ...deps, history: deps.store.history }, action);
      const removed = await attempts(deps.clock, deps.random, options, ({ signal }) =>
        deps.store.membership.remove(victim, { signal }),
      );
      if (!removed.ok) {
        tasks.failed("collect", removed.error);
        return;
      }
      this.#seenFenced.delete(victim);
      if (removed.value.ok) deps.emit({ type: "worker-collected", workerId, victim });
    }
  }

  #ripe(): readonly string[] {
    const now = this.#member.deps.clock.now();
    return [...this.#seenFenced]
      .filter(([, since]) => observerElapsedMs(since, now) >= collectionMs)
      .map(([id]) => id);
  }
}
