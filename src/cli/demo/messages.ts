import type { LeaseholdEvent } from "../../index.js";

/** A record as a worker writes it to the sink: its number in the input, and what is aggregated. */
export type SinkRecord = readonly [number: number, origin: string, delay: number, distance: number];

/** What a demo worker sends to the demo. */
export type FromWorker =
  | { readonly demo: "event"; readonly event: LeaseholdEvent }
  /** It has a batch in its hands and has not written it yet. */
  | { readonly demo: "working"; readonly leaseKey: string; readonly token: number }
  | {
      readonly demo: "write";
      readonly id: number;
      readonly workerId: string;
      readonly leaseKey: string;
      readonly token: number;
      readonly records: readonly SinkRecord[];
    }
  | { readonly demo: "log"; readonly line: string };

/** The sink's answer to a write. */
export interface ToWorker {
  readonly demo: "written";
  readonly id: number;
  /** False: a later owner of the lease has written before. */
  readonly ok: boolean;
}

export interface DemoWorkerSettings {
  readonly application: string;
  readonly streamName: string;
  readonly label: string;
  readonly leaseDurationMs: number;
}

/** Events that the demo shows or counts; the others stay in the worker. */
export const reportedEvents: ReadonlySet<LeaseholdEvent["type"]> = new Set([
  "worker-created",
  "worker-ended",
  "tenure-began",
  "tenure-ended",
  "belief-lapsed",
  "fenced",
  "checkpoint-refused",
  "partition-ended",
]);

export function fromWorker(value: unknown): FromWorker | undefined {
  return isDemo(value) ? (value as FromWorker) : undefined;
}

export function toWorker(value: unknown): ToWorker | undefined {
  return isDemo(value) ? (value as ToWorker) : undefined;
}

// Both ends are this package's, started by each other: the mark tells its messages from Node's own.
function isDemo(value: unknown): boolean {
  return typeof value === "object" && value !== null && "demo" in value;
}
