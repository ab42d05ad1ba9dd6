import type { EndReason } from "./reasons.js";

/** Which leases exist. */
export type DiscoveryEvent =
  | {
      readonly type: "lease-created";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly checkpoint: string;
    }
  | {
      readonly type: "lease-marked";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  | { readonly type: "lease-removed"; readonly workerId: string; readonly leaseKey: string }
  | { readonly type: "discovery-failed"; readonly workerId: string; readonly error: string }
  | { readonly type: "partition-vanished"; readonly workerId: string; readonly leaseKey: string };

/** The work itself. */
export type ProcessingEvent =
  | {
      readonly type: "batch-started";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly records: number;
      readonly bytes: number;
      readonly first?: string;
      readonly last?: string;
      readonly remainingMs: number;
    }
  | {
      readonly type: "batch-finished";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly records: number;
      readonly tookMs: number;
      readonly millisBehindLatest?: number;
    }
  | {
      readonly type: "batch-dropped";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly records: number;
    }
  /** A batch's call came back after it was told to break off or its lease had ended: what it brought counts for nothing. */
  | {
      readonly type: "batch-returned";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  /** No work is under way and none begins: the lease may be handed over. */
  | {
      readonly type: "drained";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly reason: Extract<EndReason, "handoff" | "stop">;
      readonly checkpoint: string;
    }
  | {
      readonly type: "processor-failed";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly callback: string;
      readonly attempt: number;
      readonly error: string;
    }
  | {
      readonly type: "lease-lost-told";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly reason: EndReason;
    }
  | {
      readonly type: "processor-stuck";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  | { readonly type: "stuck-processor-returned"; readonly workerId: string; readonly leaseKey: string }
  | {
      readonly type: "source-failed";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      /** The error's code. */
      readonly code: string;
      readonly error: string;
    }
  /** The source's first answer about a partition after failures. */
  | {
      readonly type: "source-answered";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
    }
  | {
      readonly type: "partition-ended";
      readonly workerId: string;
      readonly leaseKey: string;
      readonly epoch: number;
      readonly children: readonly string[];
    };
