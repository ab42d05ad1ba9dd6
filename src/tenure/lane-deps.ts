import type { ProtocolConfig } from "../model/config.js";
import type { Emit } from "../model/events.js";
import type { Lease } from "../model/lease.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { Checkpoints } from "../store/checkpoints.js";
import type { HistoryStore } from "../store/history-store.js";
import type { LeaseReader } from "../store/lease-reader.js";
import type { Ownership } from "../store/ownership.js";
import type { Belief } from "./belief.js";
import type { PartitionHost } from "./partition-host.js";

/** `open`: takes and accepts; `draining`: gives away only; `closed`: `left` was sent, or the worker is fenced. */
export type WorkerMode = "open" | "draining" | "closed";

/** `fenced`: draining because an operator's fence was read; what was sent before and is answered after is not begun any more. */
export type TenuresMode = WorkerMode | "fenced";

/** What a lane needs of its worker. */
export interface LaneDeps {
  readonly workerId: string;
  readonly ownership: Ownership;
  readonly checkpoints: Checkpoints;
  readonly leases: LeaseReader;
  readonly history: HistoryStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ProtocolConfig;
  readonly belief: Belief;
  readonly host: PartitionHost;
  readonly emit: Emit;
  readonly mode: () => TenuresMode;
  /** Told of every lease row that a write or a consistent read returned. */
  readonly onRow: (row: Lease) => void;
  /** A row that was expected does not exist. */
  readonly onGone: (leaseKey: string) => void;
  /** A write stayed without outcome, or left a row that may name this worker without a tenure: look at it soon. */
  readonly onDoubt: (leaseKey: string) => void;
  readonly onStoreError: (operation: string) => (error: unknown) => void;
}
