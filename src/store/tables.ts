import type { MetaRow } from "../model/worker-row.js";
import type { Call } from "./call.js";

/** The tables of an application. */
export interface Tables {
  /**
   * Makes the tables that are missing and waits for them; checks the shape of those that exist.
   * @throws LeaseholdError `table-mismatch` naming what differs; StoreError when the store fails
   */
  prepare(call?: Call): Promise<void>;
  /**
   * Checks without making anything.
   * @throws LeaseholdError `table-missing`, `table-mismatch`
   */
  verify(call?: Call): Promise<void>;
  /** The meta row, or undefined where none was written yet. */
  meta(call?: Call): Promise<MetaRow | undefined>;
}
