import type { ProtocolConfig } from "../model/config.js";
import { messageOf } from "../model/errors.js";
import type { Emit } from "../model/events.js";
import type { HistoryEntry } from "../model/history.js";
import { archivedEvent } from "../history/archive.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { PartitionSource } from "../source/partition-source.js";
import type { Store } from "../store/store.js";

export interface DiscoveryDeps {
  readonly source: PartitionSource;
  readonly store: Pick<Store, "leases" | "ownership" | "history">;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ProtocolConfig;
  /** The worker's present id, for events: it changes with each incarnation. */
  readonly workerId: () => string;
  readonly emit: Emit;
}

export function emitFailure(deps: DiscoveryDeps, error: unknown): void {
  deps.emit({ type: "discovery-failed", workerId: deps.workerId(), error: messageOf(error) });
}

/** For `changeTenure`: tells that a lease's previous tenure stands in the history. */
export function tellsArchived(deps: DiscoveryDeps): (entry: HistoryEntry) => void {
  return (entry) => {
    deps.emit(archivedEvent(deps.workerId(), entry));
  };
}
