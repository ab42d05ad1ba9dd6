import { forEachLimited } from "../runtime/pool.js";
import { attempts } from "../runtime/attempts.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { Member } from "./member.js";

const reconcilesAtOnce = 8;

/**
 * Finds the rows that name this worker and that it does not work: a handoff whose note never came, a release that never
 * landed, a write that stayed without outcome. The index says quickly which they may be; each is read consistently.
 */
export class Reconcile {
  readonly #member: Member;
  readonly #doubts = new Set<string>();
  #lastAt: Reading;
  #wanted = false;

  constructor(member: Member) {
    this.#member = member;
    this.#lastAt = member.deps.clock.now();
  }

  /** A single lease is in doubt: looked at in the next round. */
  doubt(leaseKey: string): void {
    this.#doubts.add(leaseKey);
  }

  /** A giver may have died before its note: all rows are looked for in the next round. */
  want(): void {
    this.#wanted = true;
  }

  /** Starts what is due. */
  round(): void {
    const { deps, tasks, belief } = this.#member;
    // Without belief nothing can be begun; the doubts stay.
    if (!belief.holds()) return;
    if (this.#doubts.size > 0) {
      tasks.start("doubts", async () => {
        const { tenures } = this.#member;
        const keys: string[] = [];
        for (const key of [...this.#doubts].sort()) {
          // While a write is under way nothing can be said: the doubt stays.
          if (tenures.busy(key) && tenures.get(key) === undefined) continue;
          this.#doubts.delete(key);
          keys.push(key);
        }
        await this.#each(keys);
      });
    }
    const due = holderElapsedMs(this.#lastAt, deps.clock.now()) >= deps.config.reconcileIntervalMs;
    if (!this.#wanted && !due) return;
    const started = tasks.start("reconcile", () => this.#all());
    if (!started) return;
    this.#wanted = false;
    this.#lastAt = deps.clock.now();
  }

  async #all(): Promise<void> {
    const { deps, workerId, tasks } = this.#member;
    const result = await attempts(
      deps.clock,
      deps.random,
      {
        attemptTimeoutMs: deps.config.leaseDurationMs,
        withinMs: deps.config.leaseDurationMs,
        signal: tasks.closing,
      },
      ({ signal }) => deps.store.leases.keysOf(workerId, { signal }),
    );
    if (!result.ok) {
      if (tasks.closing.aborted) return;
      this.#wanted = true;
      tasks.failed("reconcile", result.error);
      return;
    }
    await this.#each([...result.value].sort());
  }

  async #each(keys: readonly string[]): Promise<void> {
    const { tenures } = this.#member;
    await forEachLimited(
      keys.filter((key) => !tenures.busy(key)),
      reconcilesAtOnce,
      (key) => tenures.lane(key).reconcile(),
    );
  }
}
