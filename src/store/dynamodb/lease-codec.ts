import { StoreError } from "../../model/errors.js";
import type { Lease } from "../../model/lease.js";
import { invalidRowMessage, readLeaseItem } from "../lease-item.js";
import type { Item, Key } from "./connection.js";

export function leaseKeyOf(leaseKey: string): Key {
  return { leaseKey: { S: leaseKey } };
}

/**
 * The lease in a row that was asked for by its key; undefined when the row is no lease.
 * @throws StoreError `invalid-row`
 */
export function leaseIn(table: string, item: Item): Lease | undefined {
  const read = readLeaseItem(item);
  if (read.kind === "lease") return read.lease;
  if (read.kind === "other") return undefined;
  throw new StoreError("invalid-row", invalidRowMessage(table, read.leaseKey, read.problem), {
    retryable: false,
    ambiguous: false,
  });
}
