import { entryToArchive, lastEntryOf, type HistoryEntry } from "../../src/model/history.js";
import type { LeaseRecord } from "../../src/model/history-series.js";
import type { Lease, TenureRecord } from "../../src/model/lease.js";
import { trimHorizon } from "../../src/model/position.js";
import type { TenureReason } from "../../src/model/reasons.js";

/** A second of the day on which all of it happens. */
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
export const atMs = (second: number): number => Date.parse(at(second));

/** The life of a lease as its writers would make it: archive first, then the change. A step a second. */
export class Life {
  readonly leaseKey = "s1";
  entries: HistoryEntry[] = [];
  row: Lease | undefined;
  #second = 0;

  created(epoch = 10): this {
    this.#second += 1;
    this.row = this.#rowAt(epoch, { epoch, reason: "created", since: at(this.#second) });
    return this;
  }

  /** A row of somebody else's, which shows no tenure. */
  foreign(epoch: number, owner?: string): this {
    this.#second += 1;
    this.row = { ...this.#rowAt(epoch), ...(owner === undefined ? {} : { owner }) };
    return this;
  }

  change(reason: TenureReason, worker?: string, cause?: TenureRecord["cause"]): this {
    const { row } = this;
    if (row === undefined) throw new Error("there is no row");
    this.#second += 1;
    this.#archive(entryToArchive(row));
    const { owner: _owner, previousTenure: _previous, ...kept } = row;
    this.row = {
      ...kept,
      epoch: row.epoch + 1,
      marked: reason === "deleted",
      tenure: {
        epoch: row.epoch + 1,
        reason,
        since: at(this.#second),
        ...(worker === undefined ? {} : { worker }),
        ...(cause === undefined ? {} : { cause }),
        ...(row.tenure === undefined ? { first: true as const } : {}),
      },
      ...(worker === undefined ? {} : { owner: worker }),
      ...(row.tenure === undefined ? {} : { previousTenure: row.tenure }),
    };
    return this;
  }

  /** The row of a deletion mark goes, its tenures archived. */
  removed(): this {
    if (this.row === undefined) throw new Error("there is no row");
    this.#archive(entryToArchive(this.row));
    this.#archive(lastEntryOf(this.row));
    this.row = undefined;
    return this;
  }

  /** An operator deletes the row by hand. */
  deletedByHand(): this {
    this.row = undefined;
    return this;
  }

  /** Leaves an entry out. */
  without(epoch: number): this {
    this.entries = this.entries.filter((entry) => entry.epoch !== epoch);
    return this;
  }

  /** Changes an entry. */
  altered(epoch: number, more: Partial<HistoryEntry>): this {
    this.entries = this.entries.map((entry) => (entry.epoch === epoch ? { ...entry, ...more } : entry));
    return this;
  }

  get record(): LeaseRecord {
    const { leaseKey, row, entries } = this;
    return { leaseKey, row, entries };
  }

  #archive(entry: HistoryEntry | undefined): void {
    if (entry !== undefined && !this.entries.some(({ epoch }) => epoch === entry.epoch))
      this.entries.push(entry);
  }

  #rowAt(epoch: number, tenure?: TenureRecord): Lease {
    return {
      leaseKey: this.leaseKey,
      epoch,
      checkpoint: trimHorizon,
      ownerSwitchesSinceCheckpoint: 0,
      ownersWornOut: 0,
      parents: [],
      children: [],
      marked: false,
      ...(tenure === undefined ? {} : { tenure }),
    };
  }
}

/** Created at second 1, then one change a second: a takes, hands to b, b dies and c takes, releases, a takes. */
export function busyLife(): Life {
  return new Life()
    .created(10)
    .change("taken", "a")
    .change("handoff", "b", "handoff")
    .change("taken-from-fenced", "c", "observer")
    .change("released", undefined, "stop")
    .change("taken", "a");
}
