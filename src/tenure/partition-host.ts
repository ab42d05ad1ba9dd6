import type { EndReason } from "../model/reasons.js";
import type { Tenure } from "./tenure.js";

/** How a drain ended. */
export type DrainResult =
  /** Nothing is in flight, the last checkpoint is written, and nothing more will be handed over. */
  | "drained"
  /** Not within its time, or the last checkpoint failed; for a `handoff` the work goes on as before. */
  | "not-drained";

/** How much work a worker does, and can do. */
export interface HostLoad {
  /** Share of the processing slots in use, averaged over the last while: 0 to 1. */
  readonly utilisation: number;
  /** Partitions whose work fails at present. */
  readonly failing: readonly string[];
}

/** Who does the work on a partition while its lease is held. The processing room fulfils it. */
export interface PartitionHost {
  /** Starts work on a tenure that has just begun. Returns at once; the tenure's signal ends the work. */
  begin(tenure: Tenure): void;
  /**
   * Stops fetching, lets work in flight finish, writes the last checkpoint. With `stop` the processor hears
   * `stopRequested`, with `handoff` too. A partition that it does not work is drained.
   */
  drain(
    leaseKey: string,
    reason: Extract<EndReason, "handoff" | "stop">,
    withinMs: number,
  ): Promise<DrainResult>;
  /** Leases that may not be processed here, because their old, stuck processor has not returned. */
  unfit(): readonly string[];
  load(): HostLoad;
}
