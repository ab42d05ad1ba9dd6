import type { EndReason } from "../model/reasons.js";
import { forEachLimited } from "../runtime/pool.js";
import { Lane } from "./lane.js";
import type { LaneDeps } from "./lane-deps.js";
import type { Tenure } from "./tenure.js";

/** Resumes and other writes for many leases at once go out this many at a time, so that a beat finds room beside them. */
const writesAtOnce = 8;

/** Every lease that one worker holds or held: a lane for each. */
export class Tenures {
  readonly #deps: LaneDeps;
  readonly #lanes = new Map<string, Lane>();
  #lapsed = new Set<string>();

  constructor(deps: LaneDeps) {
    this.#deps = deps;
  }

  lane(leaseKey: string): Lane {
    let lane = this.#lanes.get(leaseKey);
    if (lane === undefined) {
      lane = new Lane(leaseKey, this.#deps);
      this.#lanes.set(leaseKey, lane);
    }
    return lane;
  }

  get(leaseKey: string): Tenure | undefined {
    return this.#lanes.get(leaseKey)?.tenure;
  }

  /** The tenures that run, in the order of their lease keys. */
  held(): readonly Tenure[] {
    const tenures: Tenure[] = [];
    for (const lane of this.#lanes.values()) if (lane.tenure !== undefined) tenures.push(lane.tenure);
    return tenures.sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1));
  }

  get count(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) if (lane.tenure !== undefined) count += 1;
    return count;
  }

  /** Whether leases lapsed with the belief and have not been begun anew. */
  get hasLapsed(): boolean {
    return this.#lapsed.size > 0;
  }

  /** Whether a tenure runs or a write is under way: nobody else in this worker may touch the lease. */
  busy(leaseKey: string): boolean {
    const lane = this.#lanes.get(leaseKey);
    return lane !== undefined && (lane.tenure !== undefined || lane.busy);
  }

  /** Resolves when no lane has a write under way any more that was when this was asked: what those begin has begun. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.settled));
  }

  /** The worker's belief ran out: every tenure is over, and to be begun anew if beats pass again. */
  lapse(): void {
    for (const tenure of this.held()) {
      this.#lapsed.add(tenure.leaseKey);
      tenure.end("lease-lost");
    }
  }

  /** Beats pass again: raises and begins anew what lapsed. */
  async resume(): Promise<void> {
    const lapsed = this.#lapsed;
    this.#lapsed = new Set();
    await forEachLimited([...lapsed].sort(), writesAtOnce, (leaseKey) => this.lane(leaseKey).resume());
  }

  /** Ends every tenure at once, writing nothing. */
  endAll(reason: EndReason): void {
    for (const tenure of this.held()) tenure.end(reason);
    this.#lapsed = new Set();
  }
}
