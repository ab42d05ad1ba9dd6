import type { Reading } from "../model/reading.js";
import type { FleetRows } from "../model/worker-row.js";

/** One good read of the fleet, of all its rows or of some. */
export interface FleetRead {
  readonly rows: FleetRows;
  /** Whose rows were asked for; undefined where all were. Of other rows the read says nothing. */
  readonly asked: ReadonlySet<string> | undefined;
  readonly consistent: boolean;
  /** Before it was asked for. */
  readonly sentAt: Reading;
  /** When the answer was here. */
  readonly receivedAt: Reading;
}

/** What a round reads: the whole fleet, the same consistently, or the rows of these workers beside `planner`. */
export type Share = "all" | "all-consistent" | readonly string[];
