import type { HistoryEntry } from "../model/history.js";
import type { OperatorAction } from "../model/operator-action.js";
import type { Call } from "./call.js";

/** Finished tenures, one row each, kept for 30 days by the table's time to live. */
export interface HistoryStore {
  /**
   * Keyed by lease and epoch, `IF attribute_not_exists(pk)`: never overwrites; a repeat is harmless and counts as done.
   * @param expiresAt unix seconds after which the store may drop the row
   */
  archive(entry: HistoryEntry, expiresAt: number, call?: Call): Promise<void>;
  /** An operator's action, keyed by what was acted on, `IF attribute_not_exists(pk)`: a repeat is harmless, too. */
  record(action: OperatorAction, expiresAt: number, call?: Call): Promise<void>;
  /** What operators did, in the order of their keys, read consistently. */
  actions(call?: Call): Promise<readonly OperatorAction[]>;
  /** The entries of a lease in the order of their epochs, read consistently. */
  list(leaseKey: string, call?: Call): Promise<readonly HistoryEntry[]>;
  /** The highest epoch in the lease's history, read consistently. */
  highestEpoch(leaseKey: string, call?: Call): Promise<number | undefined>;
}
