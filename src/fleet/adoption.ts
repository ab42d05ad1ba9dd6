import { adoptionsFor, orphansOf } from "../model/orphans.js";
import { Ledger } from "../model/plan-ledger.js";
import { tombstoneBeat, type WorkerRow } from "../model/worker-row.js";
import type { FenceKind } from "../model/reasons.js";
import { missingParentsAreGone } from "./children.js";
import type { Member } from "./member.js";
import { PlanRows } from "./plan-rows.js";
import { Slots } from "./slots.js";
import { snapshotOf } from "./snapshot.js";

/** Takes go out this many at a time: enough for 150 to 300 writes a second, few enough to leave a beat its room. */
const takesAtOnce = 16;
/** Orphans that nobody takes are told of at least this often. */
const longestSilenceMs = 10 * 60_000;

export interface AdoptionHooks {
  /** Whether the lease rows were scanned within this round. */
  scanIsRecent(): boolean;
  /** Scans, and has another look. */
  scanFirst(): void;
  /** Reads the whole fleet, and has another look. */
  readFirst(): void;
  /**
   * Orphans are there that this worker may not take and that nobody else has taken in good time: with a fresh plan only
   * the planner scans, and the others may not know of them.
   */
  leftOver(): void;
}

/**
 * Takes the leases that nobody holds: without an owner, or with a fenced one. Waits for no planner; ranks only keep
 * workers from trying all at once.
 */
export class Adoption {
  readonly #member: Member;
  readonly #firstSeenMs = new Map<string, number>();
  readonly #hooks: AdoptionHooks;
  #orphans = 0;
  /** The rows as plans see them, kept from look to look as long as some are free. */
  #rows: PlanRows | undefined;
  #ledger: Ledger | undefined;
  readonly #slots = new Slots(takesAtOnce);
  /** When the others were last told of what is left over, and how long that is to do. */
  #leftOver = { atMs: -Infinity, forMs: 0 };

  constructor(member: Member, hooks: AdoptionHooks) {
    this.#member = member;
    this.#hooks = hooks;
  }

  /**
   * One look at the rows known now.
   * @param warm whether this worker has waited its p and read the fleet again: where no lease has a live owner, nobody
   * takes before, so that a fleet that starts together shares at once
   */
  look(warm: boolean): void {
    const { workerId, tasks, tenures, fleet } = this.#member;
    if (!this.#someAreFree()) {
      this.#nothingToAdopt();
      this.#rows = undefined;
      return;
    }
    this.#rows ??= new PlanRows(this.#member);
    const snapshot = snapshotOf(this.#member, this.#rows.look());
    const orphans = orphansOf(snapshot);
    if (orphans.length === 0) {
      this.#nothingToAdopt();
      return;
    }
    this.#note(
      orphans.map(({ leaseKey }) => leaseKey),
      snapshot.nowMs,
    );
    const held = snapshot.leases.some(({ finished, free }) => !finished && !free);
    if (!held && !warm) {
      // Ranks count from the look that all make together: else the wait itself would let the second in rank try at once.
      this.#firstSeenMs.clear();
      return;
    }
    this.#ledger = Ledger.of(snapshot, this.#ledger);
    const mine = adoptionsFor(workerId, this.#firstSeenMs, snapshot, this.#ledger);
    this.#lookForLeftOvers(new Set(mine), snapshot.nowMs);
    const keys = mine.filter((key) => !tenures.busy(key));
    if (keys.length === 0) return;
    // Ranks are dealt among all who live: rows read long ago would have the dead stand first, and newcomers nowhere. A
    // fence never goes away, so what is free in an old view is free.
    if (fleet.isInPart) {
      this.#hooks.readFirst();
      return;
    }
    // Most of what was free a round ago others have taken: one scan is cheaper than a refused take for each.
    if (!this.#hooks.scanIsRecent()) {
      this.#hooks.scanFirst();
      return;
    }
    // A task each: a take without an answer holds up no other lease.
    for (const key of keys) tasks.start(`adopt ${key}`, () => this.#slots.run(() => this.#take(key)));
  }

  async #take(leaseKey: string): Promise<void> {
    const { workerId, deps, tenures, leases, fleet } = this.#member;
    const lease = leases.get(leaseKey);
    if (lease === undefined || lease.marked) return;
    const { owner } = lease;
    const row = owner === undefined ? undefined : fleet.row(owner);
    if (owner !== undefined && (!fleet.isFree(owner) || leases.isStrangers(leaseKey))) return;
    if (!(await missingParentsAreGone(this.#member, lease))) return;
    const { maxLeases } = deps.config;
    const outcome = await tenures.lane(leaseKey).take(lease, causeOf(row));
    if (outcome === "begun" && maxLeases !== undefined && tenures.count > maxLeases) {
      deps.emit({ type: "overflow", workerId, leaseKey });
    }
  }

  /** The common case, that all have their owners, is told apart without a look at every lease. */
  #someAreFree(): boolean {
    const { fleet, leases } = this.#member;
    for (const owner of leases.owners()) if (owner === undefined || fleet.isFree(owner)) return true;
    return false;
  }

  #nothingToAdopt(): void {
    this.#note([], 0);
    this.#ledger = undefined;
    this.#leftOver = { atMs: -Infinity, forMs: 0 };
  }

  #lookForLeftOvers(mine: ReadonlySet<string>, nowMs: number): void {
    const { pollIntervalMs, scanIntervalMs } = this.#member.deps.config;
    // Everybody below its hard capacity tries after 3p, so one more is time enough for who knows of it.
    const isLeftOver = [...this.#firstSeenMs].some(
      ([key, sinceMs]) => !mine.has(key) && nowMs - sinceMs > 4 * pollIntervalMs,
    );
    const { atMs, forMs } = this.#leftOver;
    if (!isLeftOver || nowMs - atMs < forMs) return;
    // Everybody's scan costs: what nobody could take the first time is told of ever more rarely.
    this.#leftOver = { atMs: nowMs, forMs: Math.min(longestSilenceMs, Math.max(scanIntervalMs, 2 * forMs)) };
    this.#hooks.leftOver();
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

/** How the owner before ended. A tombstone's fence says nothing of that: nobody saw its worker die. */
function causeOf(row: WorkerRow | undefined): FenceKind | undefined {
  return row === undefined || row.beat === tombstoneBeat ? undefined : row.fenceKind;
}
