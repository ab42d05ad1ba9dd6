import type { SourcePartition } from "../source/partition-source.js";
import type { Tenure } from "../tenure/tenure.js";

/** What follows a partition's end outside the processing room: rows for its children, and who works them. */
export interface PartitionEnd {
  /**
   * Creates the children's lease rows, at TRIM_HORIZON and only where there are none. Called before `partitionEnded`,
   * and again after a failure or by the next owner: it must change nothing the second time.
   */
  createChildren(tenure: Tenure, children: readonly SourcePartition[]): Promise<void>;
  /** The parent is finished and released: takes its children at once, if no other parent of theirs is open. */
  finished(tenure: Tenure): Promise<void>;
}
