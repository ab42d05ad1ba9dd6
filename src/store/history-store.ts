import type { HistoryEntry } from "../model/history.js";
import type { OperatorAction } from "../model/operator-action.js";
import type { Call, WriteOutcome } from "./call.js";

/** A part of all histories, as a scan of the fleet table comes to them. */
export interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  /** Where the next page begins; absent after the last. The adapter's own, to be given back as it is. */
  readonly next?: string;
}

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
  /**
   * The entries of all leases, those without a row too, a page a call, read consistently. It reads the whole fleet table and
   * is there for people's questions: no worker asks it.
   * @param from where the page before said that this one begins
   */
  page(from: string | undefined, call?: Call): Promise<HistoryPage>;
  /** The highest epoch in the lease's history, read consistently. */
  highestEpoch(leaseKey: string, call?: Call): Promise<number | undefined>;
  /**
   * Sets an epoch aside for a first creation of the lease, `IF attribute_not_exists(epoch) OR epoch < :epoch`: the store, and not two
   * creators' clocks, says which is higher. It is no entry of the history. Done or refused, the answer holds what is set aside.
   * @param expiresAt unix seconds after which the store may drop the row
   */
  setAside(leaseKey: string, epoch: number, expiresAt: number, call?: Call): Promise<WriteOutcome<number>>;
}
