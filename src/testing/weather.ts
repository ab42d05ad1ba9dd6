import type { Fault } from "./faults.js";

/**
 * What a fault troubles. `outage`: the store for everybody, and nothing but its being there; `store`: the way to it in any
 * other manner; `store 2`, `process 2`, `work 2`: of one slot alone; `deaths`: who is gone without having left; `rows`: what people did to them by hand.
 */
export type Trouble =
  | "outage"
  | "store"
  | "stream"
  | "planner"
  | "deaths"
  | "rows"
  | `store ${number}`
  | `process ${number}`
  | `work ${number}`;

/** What faults do, and since when each thing is free of them: promises are made for fair weather only. */
export class Weather {
  readonly #nowMs: () => number;
  readonly #acting = new Map<Trouble, number>();
  readonly #overAtMs = new Map<Trouble, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  begins(fault: Fault): void {
    for (const trouble of troublesOf(fault)) {
      this.#overAtMs.set(trouble, this.#nowMs());
      if ("forMs" in fault) this.#acting.set(trouble, (this.#acting.get(trouble) ?? 0) + 1);
    }
  }

  ends(fault: Fault): void {
    for (const trouble of troublesOf(fault)) {
      this.#overAtMs.set(trouble, this.#nowMs());
      this.#acting.set(trouble, (this.#acting.get(trouble) ?? 1) - 1);
    }
  }

  /** Since when none of this has been troubled, true ms; now, where it is. */
  clearSinceMs(...troubles: readonly Trouble[]): number {
    let sinceMs = 0;
    for (const trouble of troubles) {
      if ((this.#acting.get(trouble) ?? 0) > 0) return this.#nowMs();
      sinceMs = Math.max(sinceMs, this.#overAtMs.get(trouble) ?? 0);
    }
    return sinceMs;
  }
}

/** What a fault troubles while it acts. */
export function troublesOf(fault: Fault): readonly Trouble[] {
  switch (fault.kind) {
    case "store-outage":
      return [fault.worker === undefined ? "outage" : `store ${fault.worker}`];
    case "store-slow":
    case "store-lossy":
    case "store-throttled":
    case "store-failing":
    case "store-denied":
    case "stale-reads":
    case "index-lag":
      return [fault.worker === undefined ? "store" : `store ${fault.worker}`];
    case "stream-outage":
    case "stream-throttled":
    case "stream-denied":
    case "shard-silent":
      return ["stream"];
    case "split":
    case "merge":
    case "trim":
      return [];
    case "pause":
    case "suspend":
    case "event-loop-stall":
    case "wall-jump":
      return [`process ${fault.worker}`];
    case "stuck-processor":
    case "failing-processor":
    case "slow-processor":
      return [`work ${fault.worker}`];
    case "crash":
    case "restart":
    case "exit":
    case "cold-start":
    case "death-with-observers":
    case "forced-fence":
    case "worker-row-deleted":
      return ["deaths"];
    case "start":
    case "stop":
    case "second-stop":
    case "stop-called-off":
    case "replace":
      return [];
    case "lease-row-deleted":
    case "tables-deleted":
      return ["rows"];
    case "idle-planner":
    case "two-planners":
      return ["planner"];
  }
}
