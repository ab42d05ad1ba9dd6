import type { LeaseholdEvent } from "../model/events.js";
import type { Trouble, TroubleLevel } from "./troubles.js";

type CallFailed = Extract<LeaseholdEvent, { type: "store-call-failed" }>;
type SourceFailed = Extract<LeaseholdEvent, { type: "source-failed" }>;

/** A source has no operations that a worker could tell apart: an answer of any partition may end its trouble. */
export const sourceOperation = "source";

/**
 * The trouble that an event at `warn` or `error` belongs to. What has one cause is one trouble: an outage is told once,
 * whichever calls it fails, and a denial once for each action on each resource.
 */
export function troubleOf(event: LeaseholdEvent, level: TroubleLevel, message: string): Trouble {
  switch (event.type) {
    case "store-call-failed":
      return storeTrouble(event);
    case "source-failed":
      return sourceTrouble(event);
    case "capability-missing":
      return {
        key: `${event.type} ${event.capability}`,
        level,
        message: `the store has no ${event.capability}, which can be done without: ${event.reason}`,
      };
    case "source-fallback":
      return { key: event.type, level, message: `${message}: ${event.reason}` };
    case "discovery-failed":
      return { key: event.type, level, message: `${message}, it is tried again: ${event.error}` };
    default:
      return { key: keyOf(event), level, message };
  }
}

function storeTrouble({ code, error, operation, call = operation }: CallFailed): Trouble {
  switch (code) {
    case "store-denied":
      return {
        key: `denied ${call}`,
        level: "error",
        message: `the store denies ${call}: ${error}`,
        over: `the store allows ${call} again`,
        operation,
      };
    case "store-throttled":
      return {
        key: `throttled ${resourceOf(call)}`,
        level: "warn",
        message: `the store throttles ${call}, and it is tried again: ${error}`,
        over: "the store throttles no more",
        operation,
      };
    case "store-timeout":
    case "store-unavailable":
      // One outage, whichever calls it fails.
      return {
        key: "down",
        level: "warn",
        message: `the store does not answer ${call}, and it is tried again: ${error}`,
        over: "the store answers again",
        operation,
      };
    default:
      return {
        key: `${code} ${call}`,
        level: "error",
        message: `the store failed at ${call}: ${error}`,
        over: `the store does ${call} again`,
        operation,
      };
  }
}

function sourceTrouble({ code, error }: SourceFailed): Trouble {
  return {
    key: `source ${code}`,
    level: code === "source-denied" ? "error" : "warn",
    message: `the source cannot be read, and it is tried again: ${error}`,
    over: "the source can be read again",
    operation: sourceOperation,
  };
}

function resourceOf(call: string): string {
  return call.split(" on ").at(-1) ?? call;
}

/** Work that fails in one partition is another trouble than work that fails in another; a lapse is one for all leases. */
const perLease: ReadonlySet<LeaseholdEvent["type"]> = new Set<LeaseholdEvent["type"]>([
  "processor-failed",
  "processor-stuck",
  "stuck-processor-returned",
  "lease-invalid",
  "overflow",
  "partition-vanished",
]);

const telling = ["reason", "callback", "victim", "operation"] as const;

function keyOf(event: LeaseholdEvent): string {
  const names: readonly string[] = perLease.has(event.type) ? [...telling, "leaseKey"] : telling;
  const told = Object.entries(event).filter(([name]) => names.includes(name));
  return JSON.stringify([event.type, ...told]);
}
