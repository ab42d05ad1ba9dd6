import type { Lease } from "../model/lease.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import { attempts } from "../runtime/attempts.js";
import type { FirstLook } from "./kcl-watch.js";
import type { Member } from "./member.js";
import { Strangers } from "./strangers.js";

/**
 * Whole scans of the lease rows: what is an orphan is decided by them, never by the owner index alone. They cost
 * capacity by the table's size, so only the planner makes them often; the others only without a fresh plan, and everybody
 * when something happened.
 */
export class Scanning {
  readonly #member: Member;
  readonly #strangers: Strangers;
  /** The scan made before the worker's row was: the first one asked for costs no other. */
  #first: FirstLook | undefined;
  #complained: ReadonlySet<string> = new Set<string>();
  #lastAt: Reading | undefined;
  #answeredAt: Reading | undefined;
  #wanted = true;
  #lastEmpty = false;

  constructor(member: Member, first: FirstLook) {
    this.#member = member;
    this.#first = first;
    this.#strangers = new Strangers(member, first.left);
  }

  /** Something happened that may have made orphans: the next round scans. */
  want(): void {
    this.#wanted = true;
  }

  /** Whether the last scan found no lease row at all. */
  get foundNothing(): boolean {
    return this.#lastEmpty;
  }

  /** Not older than two of the planner's intervals. */
  get isFresh(): boolean {
    return this.#lastAt !== undefined && this.#ageMs() <= 2 * this.#member.deps.config.plannerScanIntervalMs;
  }

  /**
   * Sent within the last round: what others took before it is known. A store that takes longer than a round to answer has
   * nothing fresher than what was answered within the last one.
   */
  get isOfThisRound(): boolean {
    const { clock, config } = this.#member.deps;
    if (this.#lastAt === undefined || this.#answeredAt === undefined) return false;
    if (this.#ageMs() < config.pollIntervalMs) return true;
    const isSlow = holderElapsedMs(this.#lastAt, this.#answeredAt) >= config.pollIntervalMs;
    return isSlow && holderElapsedMs(this.#answeredAt, clock.now()) < config.pollIntervalMs;
  }

  isDue(isPlanner: boolean, planIsFresh: boolean): boolean {
    if (this.#wanted || this.#lastAt === undefined) return true;
    const { plannerScanIntervalMs, scanIntervalMs } = this.#member.deps.config;
    if (isPlanner) return this.#ageMs() >= plannerScanIntervalMs;
    return !planIsFresh && this.#ageMs() >= scanIntervalMs;
  }

  /** @returns whether there was an answer */
  async scan(consistent: boolean): Promise<boolean> {
    const { deps, leases, tasks, workerId } = this.#member;
    this.#wanted = false;
    const first = this.#first;
    this.#first = undefined;
    const startedAt = first?.sentAt ?? deps.clock.now();
    const result =
      first === undefined
        ? await attempts(
            deps.clock,
            deps.random,
            {
              // A scan reads many pages: it gets the time of several calls, and holds nothing up.
              attemptTimeoutMs: deps.config.leaseDurationMs,
              withinMs: deps.config.leaseDurationMs,
              signal: tasks.closing,
            },
            ({ signal }) => deps.store.leases.scan({ consistent, signal }),
          )
        : { ok: true as const, value: first.scan };
    if (!result.ok) {
      if (tasks.closing.aborted) return false;
      this.#wanted = true;
      tasks.failed("scan", result.error);
      return false;
    }
    const { value } = result;
    leases.replace(value);
    // At the rows as known: a scan that is eventually consistent may show one as it was before somebody here took it.
    this.#strangers.look({ ...value, leases: leases.all() });
    this.#lastAt = startedAt;
    this.#answeredAt = first?.answeredAt ?? deps.clock.now();
    this.#lastEmpty = value.leases.length === 0 && value.invalid.length === 0;
    for (const { leaseKey, problem } of value.invalid) {
      // Once a row: it stays as it is until somebody mends it.
      if (!this.#complained.has(leaseKey)) deps.emit({ type: "lease-invalid", workerId, leaseKey, problem });
    }
    this.#complained = new Set(value.invalid.map(({ leaseKey }) => leaseKey));
    await this.#buryTheMissing(value.leases);
    return true;
  }

  /**
   * Leases that name a worker without a row: a tombstone is made, an ordinary unfenced row that never beats. It frees
   * nothing until it has been fenced by the ordinary rule.
   */
  async #buryTheMissing(rows: readonly Lease[]): Promise<void> {
    const { deps, fleet, leases, tasks, workerId } = this.#member;
    if (fleet.reads === 0) return;
    const missing = new Set<string>();
    for (const { leaseKey, owner } of rows) {
      const isMissing = owner !== undefined && fleet.row(owner) === undefined;
      if (isMissing && !leases.isStrangers(leaseKey)) missing.add(owner);
    }
    for (const victim of missing) {
      // Whose row this worker has no part in reading may have come since: one look costs less than a refused write.
      if (fleet.isInPart && (await this.#isThere(victim))) continue;
      const result = await attempts(
        deps.clock,
        deps.random,
        { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: deps.config.attemptTimeoutMs * 2 },
        ({ signal }) => deps.store.membership.createTombstone(victim, { signal }),
      );
      if (!result.ok) {
        tasks.failed("tombstone", result.error);
        this.#wanted = true;
        return;
      }
      // Refused: there is a row after all, and the read of the fleet was older than it.
      const row = result.value.ok ? result.value.row : result.value.current;
      if (row !== undefined) fleet.applyWorker(row);
      if (result.value.ok) deps.emit({ type: "tombstone-created", workerId, victim });
    }
  }

  /** Whether there is a row, or nobody can say: a worker not read is not a worker gone. */
  async #isThere(owner: string): Promise<boolean> {
    const { deps, fleet, tasks } = this.#member;
    const look = await attempts(
      deps.clock,
      deps.random,
      { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: deps.config.attemptTimeoutMs },
      ({ signal }) => deps.store.membership.readWorker(owner, { consistent: true, signal }),
    );
    if (!look.ok) {
      tasks.failed("tombstone", look.error);
      this.#wanted = true;
      return true;
    }
    if (look.value !== undefined) fleet.applyWorker(look.value);
    return look.value !== undefined;
  }

  #ageMs(): number {
    return this.#lastAt === undefined
      ? Infinity
      : holderElapsedMs(this.#lastAt, this.#member.deps.clock.now());
  }
}
