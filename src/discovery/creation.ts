import { keptUntil } from "../history/archive.js";
import { changeTenure } from "../history/change.js";
import type { Lease, NewLease } from "../model/lease.js";
import { formatPosition, isFinished } from "../model/position.js";
import { attempts, type Attempt } from "../runtime/attempts.js";
import { wallTime } from "../runtime/clock.js";
import { tellsArchived, type DiscoveryDeps } from "./discovery-deps.js";

export interface Created {
  /** The row that stands now. */
  readonly row: Lease;
  /** Whether it was made by this call. */
  readonly isNew: boolean;
}

/**
 * Epochs a second that a lease may use before a row made by hand-deletion and re-creation could meet them: far more than
 * any lease changes hands.
 */
const epochsPerSecond = 2 ** 20;
/** The row's last two tenures may not have been archived when it was deleted by hand, and one more is to be above them. */
const unarchivedEpochs = 3;
/** A row of which nothing is archived has had the epoch that it was made at, and perhaps the next. */
const epochsOfNew = 2;

/** Makes lease rows. Each call is idempotent: a row that stands, whoever made it, is as good as a new one. */
export class LeaseCreation {
  readonly #deps: DiscoveryDeps;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  /** The row of a key, read consistently. */
  read(leaseKey: string, signal?: AbortSignal): Promise<Lease | undefined> {
    return this.#call(
      (attempt) => this.#deps.store.leases.get(leaseKey, { ...attempt, consistent: true }),
      signal,
    );
  }

  /**
   * Makes sure that the lease's row stands.
   * @param seen the row as read consistently; undefined: seen missing
   * @throws StoreError when it is not certain that it does
   */
  async ensure(lease: NewLease, seen: Lease | undefined, signal?: AbortSignal): Promise<Created> {
    if (seen === undefined) return this.#create(lease, signal);
    // Marked at its end the partition is done, for as long as the source lists it; else it should exist again.
    if (!seen.marked || isFinished(seen.checkpoint)) return { row: seen, isNew: false };
    return this.#recreate(lease, seen);
  }

  async #create(lease: NewLease, signal?: AbortSignal): Promise<Created> {
    const { store, clock, random } = this.#deps;
    const epoch = await this.#firstEpoch(lease.leaseKey, signal);
    const tenure = { epoch, reason: "created" as const, since: wallTime(clock) };
    const writeId = random.id();
    const outcome = await this.#call(
      (attempt) => store.ownership.create(lease, epoch, tenure, writeId, attempt),
      signal,
    );
    if (outcome.ok) return this.#created(outcome.row);
    const { current } = outcome;
    // Refused by our own earlier attempt, whose answer was lost: the row may have been taken since, by its epoch it is told.
    if (current?.writeId === writeId) return this.#created(current);
    if (current !== undefined) return { row: current, isNew: false };
    throw new Error(`lease ${lease.leaseKey} can be neither created nor read: its row is no lease`);
  }

  /**
   * An epoch above every one of the lease's. It is set aside first and the history read after: whatever rows came and went
   * until then, though the caller stood still meanwhile, are in the history but for their last, or were made at an epoch
   * that was set aside before this one, or above it.
   */
  async #firstEpoch(leaseKey: string, signal?: AbortSignal): Promise<number> {
    const { store, clock } = this.#deps;
    const { wallMs } = clock.now();
    const expiresAt = keptUntil(clock);
    let epoch = Math.floor(wallMs / 1_000) * epochsPerSecond;
    for (;;) {
      const wanted = epoch;
      const outcome = await this.#call(
        (attempt) => store.history.setAside(leaseKey, wanted, expiresAt, attempt),
        signal,
      );
      if (!outcome.ok) {
        // An earlier creation's, by a clock that is ahead of ours, or our own attempt's whose answer was lost.
        epoch = (outcome.current ?? wanted) + epochsOfNew;
        continue;
      }
      const highest = await this.#call((attempt) => store.history.highestEpoch(leaseKey, attempt), signal);
      if (highest === undefined || wanted >= highest + unarchivedEpochs) return wanted;
      // No two that are set aside are next to each other, for what is made at one of them may use the next untold.
      epoch = Math.ceil((highest + unarchivedEpochs) / epochsOfNew) * epochsOfNew;
    }
  }

  async #recreate(lease: NewLease, marked: Lease): Promise<Created> {
    const { store, clock, random, config } = this.#deps;
    const change = await changeTenure(
      { ownership: store.ownership, history: store.history, clock, random, config },
      {
        lease: marked,
        owner: undefined,
        reason: "recreated",
        recreate: lease,
        onArchived: tellsArchived(this.#deps),
      },
    );
    if (change.outcome === "applied") return this.#created(change.row);
    if (change.outcome !== "refused") throw change.error;
    if (change.current !== undefined) return { row: change.current, isNew: false };
    throw new Error(`lease ${lease.leaseKey} was removed while it was to be made again`);
  }

  #created(row: Lease): Created {
    this.#deps.emit({
      type: "lease-created",
      workerId: this.#deps.workerId(),
      leaseKey: row.leaseKey,
      epoch: row.epoch,
      checkpoint: formatPosition(row.checkpoint),
    });
    return { row, isNew: true };
  }

  /** One bounded call; throws what ended it. */
  async #call<T>(call: (attempt: Pick<Attempt, "signal">) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, random, config } = this.#deps;
    const result = await attempts(
      clock,
      random,
      {
        attemptTimeoutMs: config.attemptTimeoutMs,
        withinMs: config.leaseDurationMs,
        ...(signal === undefined ? {} : { signal }),
      },
      (attempt) => call({ signal: attempt.signal }),
    );
    if (!result.ok) throw result.error;
    return result.value;
  }
}
