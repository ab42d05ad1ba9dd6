import type { PlannerRow } from "../model/worker-row.js";
import type { Call, WriteOutcome } from "./call.js";

/** The planner lease, and the count of deaths beside it. */
export interface PlannerDesk {
  /**
   * Makes `owner` the planner at `epoch + 1`: `IF epoch = :epoch`, or `attribute_not_exists(epoch)` where `epoch` is
   * undefined. An update, never a put: `deaths` stays.
   */
  claim(owner: string, epoch: number | undefined, call?: Call): Promise<WriteOutcome<PlannerRow>>;
  /** `ADD deaths 1`. */
  countDeath(call?: Call): Promise<void>;
}
