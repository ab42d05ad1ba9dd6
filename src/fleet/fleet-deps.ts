import type { ProtocolConfig } from "../model/config.js";
import type { Emit } from "../model/events.js";
import type { Lease } from "../model/lease.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { Store } from "../store/store.js";
import type { PartitionHost } from "../tenure/partition-host.js";

/** Which leases should exist is not the fleet's to know: the composition root joins it to discovery. */
export interface LeaseKeeper {
  /** Creates the lease rows that are missing. Resolves with how many it created; throws when the source or store failed. */
  discover(workerId: string): Promise<number>;
  /** Marks finished leases by the clean-up rule, removes old marks. */
  cleanUp(workerId: string, leases: readonly Lease[], isFree: (owner: string) => boolean): Promise<void>;
}

/** What every part of the fleet room is made of. */
export interface FleetDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ProtocolConfig;
  readonly host: PartitionHost;
  readonly keeper: LeaseKeeper;
  readonly emit: Emit;
  /** For people: where the worker runs. */
  readonly machine: { readonly host: string; readonly pid: number };
  /** The stable part of worker ids. */
  readonly label: string;
  /** The label of what was deployed; undefined counts as one common label. */
  readonly deployment: string | undefined;
  /** Awaited before each worker row is created: a supervised process tells its parent. */
  readonly announce: (workerId: string) => Promise<void>;
}
