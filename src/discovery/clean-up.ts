import { archiveEntry, archivePrevious } from "../history/archive.js";
import { changeTenure } from "../history/change.js";
import { retentionMs } from "../model/config.js";
import { lastEntryOf } from "../model/history.js";
import type { Lease } from "../model/lease.js";
import { leasesToMark } from "../model/lineage.js";
import { isFinished } from "../model/position.js";
import { observerElapsedMs, type Reading } from "../model/reading.js";
import { attempts } from "../runtime/attempts.js";
import { forEachLimited } from "../runtime/pool.js";
import type { SourcePartition } from "../source/partition-source.js";
import { emitFailure, tellsArchived, type DiscoveryDeps } from "./discovery-deps.js";

/** Keys of the leases to which it happened. */
export interface CleanedUp {
  readonly marked: readonly string[];
  readonly removed: readonly string[];
  /** Not finished, and the source does not list them any more. Of a fixed source: names taken out of the list. */
  readonly vanished: readonly string[];
}

export interface CleanUpInput {
  /** What the source listed. */
  readonly partitions: readonly SourcePartition[];
  /** Every lease row, marked ones included. */
  readonly leases: readonly Lease[];
  /** Whether the worker is fenced (a forced one: and T has passed). A lease is never marked under a live owner. */
  readonly isFenced: (workerId: string) => boolean;
}

/** Each write is a few milliseconds; a stream that was resharded may leave thousands. */
const writesAtOnce = 8;

/** Takes leases away that are needed no more, and deletion marks that are old. */
export class CleaningUp {
  readonly #deps: DiscoveryDeps;
  /** Since when this process has seen each mark. A mark's own time is another machine's and is compared with nothing. */
  readonly #marks = new Map<string, { readonly epoch: number; readonly since: Reading }>();
  readonly #vanished = new Set<string>();

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
  }

  /** Failures are told as `discovery-failed`, and what failed is tried again the next time. */
  async run(input: CleanUpInput): Promise<CleanedUp> {
    const { mark, vanished } = leasesToMark(input.partitions, input.leases);
    this.#report(vanished);
    const marked: string[] = [];
    const removed: string[] = [];
    // What a user's list does not name may come back with the next deployment: it is told, not taken away.
    const free = this.#deps.source.evolves
      ? mark.filter((lease) => lease.owner === undefined || input.isFenced(lease.owner))
      : [];
    await forEachLimited(free, writesAtOnce, async (lease) => {
      if (await this.#told(() => this.#mark(lease))) marked.push(lease.leaseKey);
    });
    await forEachLimited(this.#oldMarks(input), writesAtOnce, async (lease) => {
      if (await this.#told(() => this.#remove(lease))) removed.push(lease.leaseKey);
    });
    return { marked, removed, vanished: vanished.map((lease) => lease.leaseKey) };
  }

  /** Once for each, not at every round. */
  #report(vanished: readonly Lease[]): void {
    const keys = new Set(vanished.map((lease) => lease.leaseKey));
    for (const key of this.#vanished) if (!keys.has(key)) this.#vanished.delete(key);
    for (const leaseKey of keys) {
      if (this.#vanished.has(leaseKey)) continue;
      this.#vanished.add(leaseKey);
      this.#deps.emit({ type: "partition-vanished", workerId: this.#deps.workerId(), leaseKey });
    }
  }

  async #mark(lease: Lease): Promise<boolean> {
    const { store, clock, random, config, emit, workerId } = this.#deps;
    const change = await changeTenure(
      { ownership: store.ownership, history: store.history, clock, random, config },
      {
        lease,
        owner: undefined,
        reason: "deleted",
        mark: true,
        onArchived: tellsArchived(this.#deps),
      },
    );
    if (change.outcome === "refused") return false;
    if (change.outcome !== "applied") throw change.error;
    emit({
      type: "lease-marked",
      workerId: workerId(),
      leaseKey: lease.leaseKey,
      epoch: change.row.epoch,
    });
    return true;
  }

  #oldMarks({ partitions, leases }: CleanUpInput): readonly Lease[] {
    const now = this.#deps.clock.now();
    const listed = new Set(partitions.map((partition) => partition.partitionKey));
    // The mark of a finished partition stays while the source lists it, or the partition would be worked once more.
    const passing =
      partitions.length === 0
        ? []
        : leases.filter((l) => l.marked && !(isFinished(l.checkpoint) && listed.has(l.leaseKey)));
    const keys = new Set(passing.map((lease) => lease.leaseKey));
    for (const key of this.#marks.keys()) if (!keys.has(key)) this.#marks.delete(key);
    return passing.filter(({ leaseKey, epoch }) => {
      const seen = this.#marks.get(leaseKey);
      const elapsedMs = seen?.epoch === epoch ? observerElapsedMs(seen.since, now) : -1;
      if (elapsedMs < 0) this.#marks.set(leaseKey, { epoch, since: now });
      return elapsedMs >= retentionMs;
    });
  }

  async #remove(lease: Lease): Promise<boolean> {
    const { store, clock, random, config, emit, workerId } = this.#deps;
    const deps = { history: store.history, clock, random, config };
    // Both tenures of the row go into the history first: it is where the next creation reads the highest epoch.
    await archivePrevious(deps, lease);
    const last = lastEntryOf(lease);
    if (last !== undefined) await archiveEntry(deps, last);
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs },
      ({ signal }) => store.ownership.remove(lease.leaseKey, lease.epoch, { signal }),
    );
    if (!result.ok) throw result.error;
    // Refused after an attempt without an answer it may be gone by that: the next scan shows it.
    if (!result.value.ok) return false;
    this.#marks.delete(lease.leaseKey);
    emit({ type: "lease-removed", workerId: workerId(), leaseKey: lease.leaseKey });
    return true;
  }

  async #told(work: () => Promise<boolean>): Promise<boolean> {
    try {
      return await work();
    } catch (error) {
      emitFailure(this.#deps, error);
      return false;
    }
  }
}
