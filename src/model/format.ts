import { LeaseholdError } from "./errors.js";
import { formatNumber, livenessModes, oldestFormatRead, type MetaRow, type WorkerRow } from "./worker-row.js";

/**
 * Whether this version may work on tables that say so of themselves: one liveness mode a table, and a format that it
 * reads (protocol, "Format").
 * @throws LeaseholdError `table-mismatch` naming both modes or both formats, and what to do
 */
export function checkMeta(meta: MetaRow, mode: string = livenessModes[0]): void {
  if (meta.liveness !== mode) {
    throw new LeaseholdError(
      "table-mismatch",
      `the tables are in liveness mode ${JSON.stringify(meta.liveness)}, and this worker runs in mode ${JSON.stringify(mode)}: ` +
        "two modes on one table would take each other's leases; use another application name, or the version that made the tables",
    );
  }
  if (!Number.isSafeInteger(meta.format) || meta.format > formatNumber) {
    throw new LeaseholdError(
      "table-mismatch",
      `the tables are in format ${String(meta.format)}, written by a newer version, and this one reads formats up to ${String(formatNumber)}: ` +
        "update this worker's leasehold",
    );
  }
  if (meta.format < oldestFormatRead) {
    throw new LeaseholdError(
      "table-mismatch",
      `the tables are in format ${String(meta.format)}, and this version reads formats from ${String(oldestFormatRead)} up: ` +
        "start the version between first, which raises the format",
    );
  }
}

/**
 * Whether the rows allow the format to be raised by one: this version writes a newer one, and every unfenced row says
 * that it reads the next. A tombstone says nothing, so it must be fenced first.
 */
export function mayRaise(meta: MetaRow, workers: readonly WorkerRow[]): boolean {
  return (
    meta.format < formatNumber &&
    workers.every(({ fencedBy, readsFormat }) => fencedBy !== undefined || readsFormat > meta.format)
  );
}
