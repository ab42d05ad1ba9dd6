import type { Lease } from "../model/lease.js";
import { isTakenByStranger } from "../model/strangers.js";
import type { LeaseScan } from "../store/lease-reader.js";

/** The lease rows as this worker last saw them: by scans, and by every write and read of a single row in between. */
export class LeaseView {
  #leases = new Map<string, Lease>();
  /** The same as a list, until the next change: looked through in every round. */
  #all: readonly Lease[] | undefined;
  #unreadable: ReadonlySet<string> = new Set();
  #strangers = new Set<string>();
  #scans = 0;

  /** How many whole scans there were. */
  get scans(): number {
    return this.#scans;
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
    this.#strangers = new Set(keys);
  }

  all(): readonly Lease[] {
    this.#all ??= [...this.#leases.values()];
    return this.#all;
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
    if (isTakenByStranger(lease)) this.#strangers.add(leaseKey);
  }

  remove(leaseKey: string): void {
    this.#leases.delete(leaseKey);
    this.#all = undefined;
  }

  /** A whole scan: what it lacks is gone, unless it was made meanwhile; where a newer row is known that one stays. */
  replace(scan: LeaseScan): void {
    const leases = new Map<string, Lease>();
    for (const lease of scan.leases) {
      const before = this.#leases.get(lease.leaseKey);
      leases.set(lease.leaseKey, before !== undefined && before.epoch > lease.epoch ? before : lease);
    }
    this.#leases = leases;
    this.#all = undefined;
    this.#unreadable = new Set(scan.invalid.map(({ leaseKey }) => leaseKey));
    this.#scans += 1;
  }
}
