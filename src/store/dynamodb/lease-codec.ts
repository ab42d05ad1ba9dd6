import { StoreError } from "../../model/errors.js";
import type { Lease } from "../../model/lease.js";
import { invalidRowMessage, readLeaseItem, type ReadLeaseItem } from "../lease-item.js";
import type { Item, Key } from "./connection.js";
import { newlyNamed } from "./row-names.js";

export function leaseKeyOf(leaseKey: string): Key {
  return { leaseKey: { S: leaseKey } };
}

/** What a row of the lease table is, in this format or the one before it. */
export function readStoredLease(item: Item): ReadLeaseItem {
  return readLeaseItem(newlyNamed("lease", item));
}

/**
 * The lease in a row that was asked for by its key; undefined when the row is no lease.
 * @throws StoreError `invalid-row`
 */
export function leaseIn(table: string, item: Item): Lease | undefined {
  const read = readStoredLease(item);
  if (read.kind === "lease") return read.lease;
  if (read.kind !== "invalid") return undefined;
  throw new StoreError("invalid-row", invalidRowMessage(table, read.leaseKey, read.problem), {
    retryable: false,
    ambiguous: false,
  });
}
