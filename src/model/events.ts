import type { EndReason, FenceKind, IncarnationEnd, TenureReason } from "./reasons.js";
import type { DiscoveryEvent, ProcessingEvent } from "./work-events.js";

export type { DiscoveryEvent, ProcessingEvent } from "./work-events.js";

/**
 * Everything that happens in a worker, as one sealed union: logs, metrics, status and the simulator's checks are all fed
 * from it. Each event is emitted by the worker that `workerId` names, at the instant it happens there.
 */
export type LeaseholdEvent = WorkerEvent | TenureEvent | FleetEvent | DiscoveryEvent | ProcessingEvent;

/** A worker's own life. */
export type WorkerEvent =
  | { readonly type: "worker-created"; readonly workerId: string }
  | {
      readonly type: "worker-ended";
      readonly workerId: string;
      readonly reason: IncarnationEnd;
      readonly by?: string;
    }
  | {
      readonly type: "beat-sent";
      readonly workerId: string;
      readonly beat: number;
      readonly attempt: number;
      /** What it says as the planner. */
      readonly planner?: { readonly epoch: number; readonly tick: number };
    }
  | {
      readonly type: "beat-acknowledged";
      readonly workerId: string;
      readonly beat: number;
      readonly ageMs: number;
    }
  /** The control loop makes no rounds: no beat is sent. */
  | { readonly type: "beat-withheld"; readonly workerId: string }
  | { readonly type: "belief-lapsed"; readonly workerId: string; readonly leases: number }
  | { readonly type: "draining"; readonly workerId: string }
  /** An operator has fenced this worker: it drains and hands over what it believes in, for as long as it does. */
  | {
      readonly type: "force-fenced";
      readonly workerId: string;
      readonly by: string;
      readonly remainingMs: number;
    }
  | { readonly type: "leave-sent"; readonly workerId: string }
  /** The store cannot do something that is wanted and can be done without. */
  | {
      readonly type: "capability-missing";
      readonly workerId: string;
      readonly capability: string;
      readonly reason: string;
    }
  /** The source goes on for good in a way that costs more: records come as JSON, say, where CBOR was not taken. */
  | { readonly type: "source-fallback"; readonly workerId: string; readonly reason: string }
  /** A table that stood before is not what an option asks for: it is not changed, whoever owns it decides. */
  | {
      readonly type: "table-differs";
      readonly workerId: string;
      readonly table: string;
      readonly option: string;
      readonly difference: string;
    }
  /** Something that the worker wanted to do failed at the store: what the single calls brought is in their own events. */
  | {
      readonly type: "store-failed";
      readonly workerId: string;
      readonly operation: string;
      readonly error: string;
    }
  /** One call brought no outcome, whether or not it is tried again. */
  | {
      readonly type: "store-call-failed";
      readonly workerId: string;
      /** As the store's port names it: `membership.beat`. */
      readonly operation: string;
      /** The error's code. */
      readonly code: string;
      readonly error: string;
      readonly retryable: boolean;
      /** As a policy names action and resource, where the store has such names: `dynamodb:UpdateItem on table/orders`. */
      readonly call?: string;
    }
  /** The first answer of an operation after calls of it that had failed. */
  | { readonly type: "store-call-answered"; readonly workerId: string; readonly operation: string };

/** A tenure's life. */
export type TenureEvent =
  | {
      readonly type: "tenure-began";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly how: TenureReason;
      readonly from: string | undefined;
      readonly checkpoint: string;
      /** Partitions that must be finished first; left out where there are none. */
      readonly parents?: readonly string[];
    }
  | {
      readonly type: "tenure-ended";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly reason: EndReason;
    }
  /** The tenure goes on under a higher epoch, after a checkpoint of unknown outcome. */
  | {
      readonly type: "tenure-raised";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly to: number;
    }
  /** The row's previous tenure stands in the history: the epoch may be raised now. */
  | {
      readonly type: "history-archived";
      readonly workerId: string;
      readonly leaseKey: string;
      /** Of the tenure archived. */
      readonly epoch: number;
      /** Its owner; left out where there was none. */
      readonly owner?: string;
      /** How it began. */
      readonly how: TenureReason;
      /** How the tenure after it began. */
      readonly endedBy?: TenureReason;
    }
  /** A write that changes who owns the lease was refused or stayed unknown. */
  | {
      readonly type: "change-failed";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly change: TenureReason;
      readonly outcome: "refused" | "unknown";
      readonly owner: string | undefined;
    }
  | {
      readonly type: "handed-off";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly target: string;
      readonly reason: EndReason;
    }
  | {
      readonly type: "released";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly reason: EndReason;
    }
  | {
      readonly type: "checkpointed";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly checkpoint: string;
    }
  | {
      readonly type: "checkpoint-refused";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly checkpoint: string;
      readonly reason: "deposed" | "moved-by-hand" | "unknown" | "ended";
    };

/** What the worker does about the others. */
export type FleetEvent =
  | {
      readonly type: "fence-sent";
      readonly workerId: string;
      readonly victim: string;
      readonly beat: number;
      /** For how long no other beat was seen, by the observer's own clocks and without blind time. */
      readonly silentMs: number;
    }
  | { readonly type: "fenced"; readonly workerId: string; readonly victim: string; readonly beat: number }
  | { readonly type: "fence-refused"; readonly workerId: string; readonly victim: string }
  /** The first sight of a fence, whoever wrote it. `kind` is left out where this version knows none such. */
  | {
      readonly type: "fence-seen";
      readonly workerId: string;
      readonly victim: string;
      readonly by: string;
      readonly kind?: FenceKind;
    }
  | { readonly type: "tombstone-created"; readonly workerId: string; readonly victim: string }
  | { readonly type: "worker-collected"; readonly workerId: string; readonly victim: string }
  /** A new worker named so many observers in their rows. */
  | { readonly type: "observers-named"; readonly workerId: string; readonly observers: readonly string[] }
  /** The planner changed how many workers an observer observes, or which. */
  | {
      readonly type: "observer-assigned";
      readonly workerId: string;
      readonly observer: string;
      readonly observes: number;
      readonly plannerEpoch: number;
    }
  | { readonly type: "orphans-seen"; readonly workerId: string; readonly orphans: number }
  /** Sent: the planner lease is to be `owner`'s, its own or at a clean stop a successor's. */
  | { readonly type: "planner-claimed"; readonly workerId: string; readonly owner: string }
  | { readonly type: "planner-elected"; readonly workerId: string; readonly epoch: number }
  /** A whole round of the planner: read, scanned, planned, posted. Its next beat says the tick. */
  | {
      readonly type: "planned";
      readonly workerId: string;
      readonly epoch: number;
      readonly tick: number;
      readonly moves: number;
    }
  | { readonly type: "planner-deposed"; readonly workerId: string; readonly epoch: number }
  /** Rows are written in a newer format from now on; versions that do not read it are refused. */
  | {
      readonly type: "format-raised";
      readonly workerId: string;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly type: "directive-posted";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly from: string;
      readonly target: string;
      readonly why: string;
      readonly plannerEpoch: number;
    }
  | {
      readonly type: "directive-answered";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly answer: "handed-off" | "refused" | "void";
    }
  | {
      readonly type: "note-answered";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  | {
      readonly type: "reconciled";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  | {
      readonly type: "lease-invalid";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly problem: string;
    }
  /** Rows that a Java KCL fleet left, or may be using: nothing is taken before they have stood still for `forMs`. */
  | {
      readonly type: "kcl-watched";
      readonly workerId: string;
      readonly rows: number;
      readonly which: string;
      readonly forMs: number;
    }
  | {
      readonly type: "kcl-stood-still";
      readonly workerId: string;
      readonly rows: number;
      readonly forMs: number;
    }
  /** Somebody who is no worker of this fleet writes rows of the lease table: a Java KCL fleet lives. */
  | { readonly type: "kcl-seen"; readonly workerId: string; readonly rows: number; readonly which: string }
  /** Such a one changed the row of a lease that this worker held at `epoch`: its tenure is over. */
  | {
      readonly type: "lease-usurped";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly owner: string | undefined;
      readonly to: number;
    }
  /** Leases were taken above `maxLeases`, because nobody else took them. */
  | { readonly type: "overflow"; readonly workerId: string; readonly leaseKey: string };

/** Takes events. Must not throw and must not wait. */
export type Emit = (event: LeaseholdEvent) => void;
