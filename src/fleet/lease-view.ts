import type { Lease } from "../model/lease.js";
import { isFinished } from "../model/position.js";
import { isTakenByStranger } from "../model/strangers.js";
import type { LeaseScan } from "../store/lease-reader.js";

/** The lease rows as this worker last saw them: by scans, and by every write and read of a single row in between. */
export class LeaseView {
  #leases = new Map<string, Lease>();
  /** The same as a list, until the next change: looked through in every round. */
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
    return this.#leases.get(leaseKey);
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
    this.#all ??= [...this.#leases.values()];
    return this.#all;
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
    const before = this.#leases.get(leaseKey);
    if (before !== undefined && epoch < before.epoch) return;
    this.#leases.set(leaseKey, lease);
    this.#all = undefined;
    if (before !== undefined) this.#count(before, -1);
    this.#count(lease, 1);
    if (isTakenByStranger(lease)) this.leaveToStrangers(new Set([...this.#strangers, leaseKey]));
  }

  remove(leaseKey: string): void {
    const before = this.#leases.get(leaseKey);
    if (before === undefined) return;
    this.#leases.delete(leaseKey);
    this.#all = undefined;
    this.#count(before, -1);
  }

  /** A whole scan: what it lacks is gone, unless it was made meanwhile; where a newer row is known that one stays. */
  replace(scan: LeaseScan): void {
    this.#unreadable = new Set(scan.invalid.map(({ leaseKey }) => leaseKey));
    if (this.#isAsIn(scan)) return;
    const before = this.#leases;
    this.#leases = new Map();
    this.#all = undefined;
    this.#owners = new Map();
    for (const lease of scan.leases) {
      const known = before.get(lease.leaseKey);
      const kept = known !== undefined && known.epoch > lease.epoch ? known : lease;
      this.#leases.set(lease.leaseKey, kept);
      this.#count(kept, 1);
    }
  }

  /** Whether a scan brings the very rows that are known: a store in memory does, while nothing is written. */
  #isAsIn({ leases }: LeaseScan): boolean {
    const all = this.all();
    return leases.length === all.length && leases.every((lease, i) => lease === all[i]);
  }

  #count({ owner, marked, checkpoint }: Lease, by: 1 | -1): void {
    if (marked || isFinished(checkpoint)) return;
    const count = (this.#owners.get(owner) ?? 0) + by;
    if (count === 0) this.#owners.delete(owner);
    else this.#owners.set(owner, count);
  }
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key));
}
