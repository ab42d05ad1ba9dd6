import type { Checkpoints } from "./checkpoints.js";
import type { HistoryStore } from "./history-store.js";
import type { LeaseReader } from "./lease-reader.js";
import type { Membership } from "./membership.js";
import type { Ownership } from "./ownership.js";
import type { PlannerDesk } from "./planner-desk.js";
import type { Tables } from "./tables.js";

/**
 * Where the leases of one application live: every port of one adapter. Each method is ONE attempt; it throws a
 * `StoreError` when there was no outcome, and `table-missing` when the table is gone.
 */
export interface Store {
  readonly tables: Tables;
  readonly leases: LeaseReader;
  readonly ownership: Ownership;
  readonly checkpoints: Checkpoints;
  readonly membership: Membership;
  readonly plannerDesk: PlannerDesk;
  readonly history: HistoryStore;
  /** Lets go of connections. */
  close(): void;
}
