import { orderOf } from "../model/key-order.js";
import type { Lease } from "../model/lease.js";
import { isFinished } from "../model/position.js";
import { isTakenByStranger } from "../model/strangers.js";
import type { LeaseScan } from "../store/lease-reader.js";

/** The lease rows as this worker last saw them: by scans, and by every write and read of a single row in between. */
export class LeaseView {
  /** The rows, and where each stands: a scan that brings those of before looks none of them up. */
  #rows: Lease[] = [];
  #places = new Map<string, number>();
  #order: Uint32Array | undefined;
  /** The rows as they were given away, until the next change: looked through in every round. */
  #all: readonly Lease[] | undefined;
  /** Owner → how many unfinished rows name it; under undefined those that name nobody. */
  #owners = new Map<string | undefined, number>();
  #unreadable: ReadonlySet<string> = new Set();
  #strangers: ReadonlySet<string> = new Set();

  /** Leases that a stranger may be at work on; the same set until they are others. */
  get strangers(): ReadonlySet<string> {
    return this.#strangers;
  }

  get(leaseKey: string): Lease | undefined {
    const place = this.#places.get(leaseKey);
    return place === undefined ? undefined : this.#rows[place];
  }

  /** A row that stands and cannot be read: what it would say is unknown, which is not the same as gone. */
  isUnreadable(leaseKey: string): boolean {
    return this.#unreadable.has(leaseKey);
  }

  /** Whether a stranger may be at work on the lease: whatever its owner's row says, it is not free. */
  isStrangers(leaseKey: string): boolean {
    return this.#strangers.has(leaseKey);
  }

  /** @param keys of rows that somebody who is no worker of this fleet has written lately */
  leaveToStrangers(keys: ReadonlySet<string>): void {
    if (!isSame(keys, this.#strangers)) this.#strangers = new Set(keys);
  }

  all(): readonly Lease[] {
    this.#all ??= [...this.#rows];
    return this.#all;
  }

  /**
   * The rows of the list in the order of their keys. The very same as long as each row is of the lease that it was of: who
   * keeps a list beside it compares no keys, and two who do put none in order twice.
   */
  get order(): Uint32Array {
    this.#order ??= orderOf(this.#rows, ({ leaseKey }) => leaseKey);
    return this.#order;
  }

  /** Whom unfinished rows name as their owners; undefined is among them where one names nobody. */
  owners(): Iterable<string | undefined> {
    return this.#owners.keys();
  }

  /**
   * A row that a write or a read returned; an older epoch than the known one says nothing. What a stranger has taken is
   * the stranger's until the next scan says more, even where its id is that of one fenced long ago.
   */
  apply(lease: Lease): void {
    const { leaseKey, epoch } = lease;
    const before = this.get(leaseKey);
    if (before !== undefined && epoch < before.epoch) return;
    const place = this.#places.get(leaseKey) ?? this.#rows.length;
    if (place === this.#rows.length) this.#order = undefined;
    this.#places.set(leaseKey, place);
    this.#put(place, lease);
    if (isTakenByStranger(lease)) this.leaveToStrangers(new Set([...this.#strangers, leaseKey]));
  }

  remove(leaseKey: string): void {
    const place = this.#places.get(leaseKey);
    if (place === undefined) return;
    this.#put(place, undefined);
    this.#order = undefined;
    this.#places.delete(leaseKey);
    // The last takes its place: nothing depends on the order.
    const last = this.#rows.pop();
    if (last === undefined || place === this.#rows.length) return;
    this.#rows[place] = last;
    this.#places.set(last.leaseKey, place);
  }

  /**
   * A whole scan: what it lacks is gone, until the next one shows it if it was made meanwhile. Where a row of a higher epoch
   * is known that one stays, however late the scan was sent: it may be answered by a replica that lags, and no lease is
   * made again below an epoch that it had.
   */
  replace({ leases, invalid }: LeaseScan): void {
    this.#unreadable = new Set(invalid.map(({ leaseKey }) => leaseKey));
    if (!this.#standAsIn(leases)) this.#arrange(leases);
    leases.forEach((lease, place) => {
      const known = this.#rows[place];
      if (known === undefined || known.epoch <= lease.epoch) this.#put(place, lease);
    });
  }

  /** Whether a scan brings the keys that are known, each at its place: most do. */
  #standAsIn(leases: readonly Lease[]): boolean {
    return (
      leases.length === this.#rows.length &&
      leases.every(({ leaseKey }, place) => this.#rows[place]?.leaseKey === leaseKey)
    );
  }

  /** Has what is known stand as in a scan; what that lacks is forgotten. */
  #arrange(leases: readonly Lease[]): void {
    const rows = leases.map((lease) => this.get(lease.leaseKey) ?? lease);
    this.#rows = rows;
    this.#all = undefined;
    this.#order = undefined;
    this.#places = new Map();
    this.#owners = new Map();
    rows.forEach((lease, place) => {
      this.#places.set(lease.leaseKey, place);
      this.#count(lease, 1);
    });
  }

  /** @param lease undefined: the row is gone */
  #put(place: number, lease: Lease | undefined): void {
    const before = this.#rows[place];
    if (before === lease) return;
    if (lease !== undefined) this.#rows[place] = lease;
    this.#all = undefined;
    // Whose the leases are hardly ever changes, and a scan may bring a hundred thousand.
    if (before?.owner === lease?.owner && isOpen(before) === isOpen(lease)) return;
    if (before !== undefined) this.#count(before, -1);
    if (lease !== undefined) this.#count(lease, 1);
  }

  #count(lease: Lease, by: 1 | -1): void {
    if (!isOpen(lease)) return;
    const { owner } = lease;
    const count = (this.#owners.get(owner) ?? 0) + by;
    if (count === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, count);
  }
}

/** What is no row is not open. */
function isOpen(lease: Lease | undefined): boolean {
  return lease !== undefined && !lease.marked && !isFinished(lease.checkpoint);
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}
