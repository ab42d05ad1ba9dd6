import type { InvalidRow, Lease } from "../model/lease.js";
import type { KclRow } from "../model/strangers.js";
import type { Call } from "./call.js";

export interface LeaseScan {
  /** Every lease row, marked ones included (`marked` says so). Rows of other entity types are left out. */
  readonly leases: readonly Lease[];
  readonly invalid: readonly InvalidRow[];
  /** Rows of a Java KCL's that move while its fleet lives. They cost no more: a scan reads them anyway. */
  readonly kclRows: readonly KclRow[];
}

/** Reads lease rows. */
export interface LeaseReader {
  /** All rows, every page. Costs capacity by the table's size: 0.5 read units per 4 KB, twice that when consistent. */
  scan(call: Call & { readonly consistent: boolean }): Promise<LeaseScan>;
  /**
   * One row, or undefined when it is missing or is no lease.
   * @throws StoreError `invalid-row` when it says it is a lease and cannot be read as one
   */
  get(leaseKey: string, call: Call & { readonly consistent: boolean }): Promise<Lease | undefined>;
  /** Keys of the rows that name the owner, by the owner index: quick, cheap, and behind the table. */
  keysOf(owner: string, call?: Call): Promise<readonly string[]>;
}
