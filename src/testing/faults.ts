import type {
  Lasting,
  MachineFault,
  OperatorFault,
  PlannerFault,
  ProcessorFault,
  StopFault,
} from "./worker-faults.js";

/** Which calls an outage hits. */
export type OutageOf = "reads" | "writes" | "all";

/** What can befall the store and the way to it; for one worker, or for all where none is named. */
export type NetworkFault =
  /** `silent`: no answer at all; `refusing`: an error at once. Nothing that arrives meanwhile is applied. */
  | ({
      readonly kind: "store-outage";
      readonly of: OutageOf;
      readonly how: "silent" | "refusing";
      readonly worker?: number;
    } & Lasting)
  /** Every way takes so many times as long. */
  | ({ readonly kind: "store-slow"; readonly factor: number; readonly worker?: number } & Lasting)
  /** Shares of the calls that are lost before they are applied, after it, applied twice, applied much later. */
  | ({
      readonly kind: "store-lossy";
      readonly lostRequests: number;
      readonly lostAnswers: number;
      readonly duplicates: number;
      readonly delayed: number;
      readonly worker?: number;
    } & Lasting)
  /** This share of the calls is throttled; of reads or writes alone, where it says so. */
  | ({
      readonly kind: "store-throttled";
      readonly share: number;
      readonly of?: OutageOf;
      readonly worker?: number;
    } & Lasting)
  /** This share of the calls ends in an error of the store's own; every other one of them was applied all the same. */
  | ({ readonly kind: "store-failing"; readonly share: number; readonly worker?: number } & Lasting)
  /** These operations, as the ports name them (`membership.beat`), are denied. */
  | ({
      readonly kind: "store-denied";
      readonly operations: readonly string[];
      readonly worker?: number;
    } & Lasting)
  /** Reads that need not be consistent see the rows of up to so long ago, and none newer than of `asOfMs`, if it is given. */
  | ({
      readonly kind: "stale-reads";
      readonly upToMs: number;
      readonly asOfMs?: number;
      readonly worker?: number;
    } & Lasting)
  /** The index of owners alone shows the rows of up to so long ago. */
  | ({ readonly kind: "index-lag"; readonly upToMs: number; readonly worker?: number } & Lasting);

/** What can befall the stream. */
export type StreamFault =
  | ({ readonly kind: "stream-outage" } & Lasting)
  /** This share of the reads of shards is throttled. */
  | ({ readonly kind: "stream-throttled"; readonly share: number } & Lasting)
  /** Shards may be listed and not read. */
  | ({ readonly kind: "stream-denied" } & Lasting)
  /** Reads of one shard get no answer; `pick` from 0 up to 1 says which of the open ones. */
  | ({ readonly kind: "shard-silent"; readonly pick: number } & Lasting)
  /** `pick` from 0 up to 1 says which of the open shards (or neighbouring pairs) of that moment. */
  | { readonly kind: "split"; readonly atMs: number; readonly pick: number }
  | { readonly kind: "merge"; readonly atMs: number; readonly pick: number }
  /** Shards whose leases are finished are trimmed away: the stream does not list them any more. */
  | { readonly kind: "trim"; readonly atMs: number };

/** Everything that can go wrong in a simulation, each a value: a scenario is a list of them. */
export type Fault =
  MachineFault | StopFault | ProcessorFault | OperatorFault | PlannerFault | NetworkFault | StreamFault;
export type FaultKind = Fault["kind"];

/** Keyed, so that a kind left out does not compile. */
const kinds: Readonly<Record<FaultKind, true>> = {
  crash: true,
  restart: true,
  exit: true,
  start: true,
  pause: true,
  suspend: true,
  "event-loop-stall": true,
  "wall-jump": true,
  "cold-start": true,
  "death-with-observers": true,
  stop: true,
  "second-stop": true,
  "stop-called-off": true,
  replace: true,
  "stuck-processor": true,
  "failing-processor": true,
  "slow-processor": true,
  "forced-fence": true,
  "worker-row-deleted": true,
  "lease-row-deleted": true,
  "tables-deleted": true,
  "idle-planner": true,
  "two-planners": true,
  "store-outage": true,
  "store-slow": true,
  "store-lossy": true,
  "store-throttled": true,
  "store-failing": true,
  "store-denied": true,
  "stale-reads": true,
  "index-lag": true,
  "stream-outage": true,
  "stream-throttled": true,
  "stream-denied": true,
  "shard-silent": true,
  split: true,
  merge: true,
  trim: true,
};
/** Every kind, so that what was never tried can be told. */
export const faultKinds = Object.keys(kinds) as readonly FaultKind[];

/** When a fault is over: healing is after the last of these. */
export function faultEndMs(fault: Fault): number {
  return "forMs" in fault ? fault.atMs + fault.forMs : fault.atMs;
}
