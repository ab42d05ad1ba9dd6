import type { LeaseholdEvent } from "../index.js";

export type LogLevelOfHandler = "debug" | "info" | "warn" | "error";

/** What a worker process of a fleet under test says to the test. `atMs` is the wall time at which it was said. */
export type FromFleetWorker =
  | { readonly fleet: "event"; readonly atMs: number; readonly event: LeaseholdEvent }
  /** The handler has logged something. */
  | {
      readonly fleet: "log";
      readonly atMs: number;
      readonly level: LogLevelOfHandler;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /** It beats. */
  | { readonly fleet: "started"; readonly workerId: string }
  | { readonly fleet: "failed"; readonly code: string; readonly message: string };

/** A message as it came over the channel; undefined when it is somebody else's. */
export function fromFleetWorker(value: unknown): FromFleetWorker | undefined {
  return typeof value === "object" && value !== null && "fleet" in value
    ? (value as FromFleetWorker)
    : undefined;
}
