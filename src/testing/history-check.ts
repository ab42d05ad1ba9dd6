import type { HistoryEntry } from "../model/history.js";
import type { Lease } from "../model/lease.js";
import type { MemoryTables } from "../store/memory/index.js";
import type { Report } from "./violation.js";

export interface HistoryCheckOptions {
  /** Leases whose rows people deleted: the last two tenures stood in the row alone. */
  readonly except: ReadonlySet<string>;
  /** The tables were deleted and made again: what had been sent to the old ones may have landed in the new ones. */
  readonly madeAgain?: boolean;
}

/**
 * At the end: every lease's history has every epoch from its creation to the row's, each once, each ended by how the
 * next one began.
 */
export function checkHistory(
  tables: MemoryTables,
  report: Report,
  { except, madeAgain = false }: HistoryCheckOptions,
): void {
  for (const lease of tables.view().scan().leases) {
    const { leaseKey, tenure, previousTenure } = lease;
    if (except.has(leaseKey)) continue;
    const all = [...tables.historyOf(leaseKey).values()].sort((a, b) => a.epoch - b.epoch);
    const entries = madeAgain ? ofThisLife(all, lease) : all;
    // The row's previous tenure is archived with the next change: until then the row alone has it.
    const inRow = [previousTenure, tenure].filter((one) => one !== undefined);
    const epochs = [...new Set([...entries.map((entry) => entry.epoch), ...inRow.map((one) => one.epoch)])];
    const [first = lease.epoch] = epochs;
    // Compared one by one: between two lives of a lease lie more epochs than an array holds.
    const whole =
      epochs.length === lease.epoch - first + 1 && epochs.every((epoch, i) => epoch === first + i);
    if (!whole) {
      report(
        "history-is-whole",
        `${leaseKey} has epochs ${epochs.map((epoch) => epoch - first).join(" ")} (from ${String(first)}) and stands at ${String(lease.epoch - first)}`,
      );
    }
    const beginning = entries[0]?.reason ?? inRow[0]?.reason;
    if (beginning !== "created") {
      report("history-is-whole", `${leaseKey} begins with ${String(beginning)}, not with its creation`);
    }
    for (const [i, entry] of entries.entries()) {
      const next = entries[i + 1] ?? inRow.find((one) => one.epoch === entry.epoch + 1);
      // Of a mark whose row was to go, and was made again instead, no end is told; of all else it is.
      const isOpenMark = entry.endedBy === undefined && entry.reason === "deleted";
      if (next !== undefined && !isOpenMark && entry.endedBy !== next.reason) {
        report(
          "history-is-whole",
          `${leaseKey}: epoch ${String(entry.epoch - first)} ended by ${String(entry.endedBy)}, the next began as ${next.reason}`,
        );
      }
    }
  }
}

/**
 * From the present row's creation on, which may stand in the row alone, to its epoch, and what follows that without a gap:
 * it tells of what has not happened. What landed late of a former life is below or, where its creator's clock was ahead, above,
 * and never next to this one.
 */
function ofThisLife(
  all: readonly HistoryEntry[],
  { tenure, previousTenure, epoch }: Lease,
): readonly HistoryEntry[] {
  const happened = all.filter((entry) => entry.epoch <= epoch);
  const next = all.slice(happened.length).filter((entry, i) => entry.epoch === epoch + 1 + i);
  const inRow = [previousTenure, tenure].find((one) => one?.reason === "created");
  const first = inRow?.epoch ?? happened.findLast(({ reason }) => reason === "created")?.epoch ?? -Infinity;
  return [...happened.filter((entry) => entry.epoch >= first), ...next];
}
