import type { Lease, NewLease, TenureRecord } from "../model/lease.js";
import type { Call, PlainOutcome, WriteOutcome } from "./call.js";

/**
 * A change of tenure: take, handoff, release, resume, raise, deletion mark, re-creation. All are one conditional write,
 * `SET … leaseCounter = epoch + 1 IF leaseCounter = epoch AND leaseOwner = owner (or no owner) AND marked or not`.
 */
export interface TenureChange {
  readonly leaseKey: string;
  /** What the row must show. `owner: undefined` means that it must have none. */
  readonly expect: { readonly epoch: number; readonly owner: string | undefined; readonly marked: boolean };
  /** The row's tenure from now on; its epoch is `expect.epoch + 1`, its worker the new owner (or none). */
  readonly tenure: TenureRecord;
  /** What the row showed as its tenure, rotated to previous. Absent where the row had none. */
  readonly previousTenure: TenureRecord | undefined;
  /** Fresh for every write, the same for its repeats. */
  readonly writeId: string;
  /** Adds 1 to `ownersWornOut`. */
  readonly wornOut: boolean;
  /** Adds 1 to the KCL's `ownerSwitchesSinceCheckpoint`. */
  readonly switchesOwner: boolean;
  /** For a deletion mark: true. For a re-creation: the new row's contents. */
  readonly mark?: boolean;
  readonly recreate?: NewLease;
}

/** The writes that change who owns a lease. Updates only: attributes that this version does not know survive. */
export interface Ownership {
  /** `IF attribute_not_exists(leaseKey)`. The row starts at `epoch`, owned by nobody. */
  create(
    lease: NewLease,
    epoch: number,
    tenure: TenureRecord,
    writeId: string,
    call?: Call,
  ): Promise<WriteOutcome<Lease>>;
  change(change: TenureChange, call?: Call): Promise<WriteOutcome<Lease>>;
  /** Removes a row marked deleted: `DELETE IF leaseCounter = epoch AND entityType = DELETED_LEASE`. */
  remove(leaseKey: string, epoch: number, call?: Call): Promise<PlainOutcome>;
}
