import type { MemoryTables } from "../store/memory/index.js";
import type { Report } from "./violation.js";

/**
 * At the end: every lease's history has every epoch from its creation to the row's, each once, each ended by how the
 * next one began.
 * @param except leases whose rows people deleted: the last two tenures stood in the row alone
 */
export function checkHistory(tables: MemoryTables, report: Report, except: ReadonlySet<string>): void {
  for (const lease of tables.view().scan().leases) {
    const { leaseKey, tenure, previousTenure } = lease;
    if (except.has(leaseKey)) continue;
    const entries = [...tables.historyOf(leaseKey).values()].sort((a, b) => a.epoch - b.epoch);
    // The row's previous tenure is archived with the next change: until then the row alone has it.
    const inRow = [previousTenure, tenure].filter((one) => one !== undefined);
    const epochs = [...new Set([...entries.map((entry) => entry.epoch), ...inRow.map((one) => one.epoch)])];
    const [first = lease.epoch] = epochs;
    const expected = Array.from({ length: lease.epoch - first + 1 }, (_, i) => first + i);
    if (JSON.stringify(epochs) !== JSON.stringify(expected)) {
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
      // Of a mark whose row was to go, and was made again instead, no end is told.
      if (next !== undefined && entry.endedBy !== undefined && entry.endedBy !== next.reason) {
        report(
          "history-is-whole",
          `${leaseKey}: epoch ${String(entry.epoch - first)} ended by ${entry.endedBy}, the next began as ${next.reason}`,
        );
      }
    }
  }
}
