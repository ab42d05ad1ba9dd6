/** Worker slots are numbered from 0; a slot's worker may be dead, and the fault then does nothing. */
export interface AtWorker {
  readonly atMs: number;
  readonly worker: number;
}

export interface Lasting {
  readonly atMs: number;
  readonly forMs: number;
}

/** What can befall a process and its machine. */
export type WorkerFault =
  /** SIGKILL. What it has sent is on its way all the same. */
  | ({ readonly kind: "crash" } & AtWorker)
  /** SIGSTOP and SIGCONT: no code runs, the clocks go on. */
  | ({ readonly kind: "pause" } & AtWorker & Lasting)
  /** The machine sleeps: its monotonic clock stands still as well. */
  | ({ readonly kind: "suspend" } & AtWorker & Lasting)
  /** Its wall clock is set forward or (negative) back. */
  | ({ readonly kind: "wall-jump"; readonly byMs: number } & AtWorker)
  /** A clean stop, as on SIGTERM. */
  | ({ readonly kind: "stop" } & AtWorker)
  /** An operator fences its worker, which goes on knowing nothing of it until it reads its row. */
  | ({ readonly kind: "forced-fence" } & AtWorker)
  /** A new process in the slot, where none runs. */
  | ({ readonly kind: "start" } & AtWorker)
  /** Its processor returns from nothing that it begins meanwhile before this is over. */
  | ({ readonly kind: "stuck-processor" } & AtWorker & Lasting)
  /** Its processor throws at this share of the batches. */
  | ({ readonly kind: "failing-processor"; readonly share: number } & AtWorker & Lasting);

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
  /** Reads that need not be consistent see the rows of up to so long ago. */
  | ({ readonly kind: "stale-reads"; readonly upToMs: number; readonly worker?: number } & Lasting);

/** What can befall the tables themselves. */
export type TableFault = {
  readonly kind: "tables-deleted";
  readonly atMs: number;
};

/** What can befall the stream. */
export type StreamFault =
  | ({ readonly kind: "stream-outage" } & Lasting)
  /** This share of the reads of shards is throttled. */
  | ({ readonly kind: "stream-throttled"; readonly share: number } & Lasting)
  /** Shards may be listed and not read. */
  | ({ readonly kind: "stream-denied" } & Lasting)
  /** `pick` from 0 up to 1 says which of the open shards (or neighbouring pairs) of that moment. */
  | { readonly kind: "split"; readonly atMs: number; readonly pick: number }
  | { readonly kind: "merge"; readonly atMs: number; readonly pick: number }
  /** Shards whose leases are finished are trimmed away: the stream does not list them any more. */
  | { readonly kind: "trim"; readonly atMs: number };

/** Everything that can go wrong in a simulation, each a value: a scenario is a list of them. */
export type Fault = WorkerFault | NetworkFault | TableFault | StreamFault;
export type FaultKind = Fault["kind"];

/** When a fault is over: healing is after the last of these. */
export function faultEndMs(fault: Fault): number {
  return "forMs" in fault ? fault.atMs + fault.forMs : fault.atMs;
}
