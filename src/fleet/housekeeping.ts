import { messageOf, StoreError } from "../model/errors.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { Collection } from "./collection.js";
import { FormatRaise } from "./format-raise.js";
import type { Member } from "./member.js";
import type { Scanning } from "./scanning.js";

/** What the planner sees to beside the plan: discovery, the clean-up of finished leases, the collection of the dead, the format. */
export class Housekeeping {
  readonly #member: Member;
  readonly #scanning: Scanning;
  readonly #collection: Collection;
  readonly #formatRaise: FormatRaise;
  readonly #onNews: () => void;
  #lastDiscoveryAt: Reading | undefined;

  /** @param onNews lease rows were made, or the format was raised: everybody is to look */
  constructor(member: Member, scanning: Scanning, collection: Collection, onNews: () => void) {
    this.#member = member;
    this.#scanning = scanning;
    this.#collection = collection;
    this.#formatRaise = new FormatRaise(member, onNews);
    this.#onNews = onNews;
  }

  /** Once a round of the planner. */
  round(): void {
    const { deps, tasks } = this.#member;
    const { discoveryIntervalMs } = deps.config;
    if (this.#lastDiscoveryAt === undefined || this.#ageMs(this.#lastDiscoveryAt) >= discoveryIntervalMs) {
      this.discoverNow();
    }
    this.#formatRaise.round();
    if (this.#collection.isDue) tasks.start("collect", () => this.#collection.collect());
  }

  /** Also called by any worker that finds no lease row. */
  discoverNow(): void {
    const { deps, tasks, workerId, leases, fleet } = this.#member;
    tasks.start("discover", async () => {
      this.#lastDiscoveryAt = deps.clock.now();
      try {
        const created = await deps.keeper.discover(workerId);
        if (created > 0) {
          this.#scanning.want();
          this.#onNews();
        }
        if (this.#scanning.isFresh) {
          await deps.keeper.cleanUp(workerId, leases.all(), (owner) => fleet.isFree(owner));
        }
      } catch (error) {
        // The source's failures are no reason to end a worker that holds leases: said, and tried again.
        if (error instanceof StoreError) tasks.failed("discover", error);
        else deps.emit({ type: "discovery-failed", workerId, error: messageOf(error) });
      }
    });
  }

  #ageMs(since: Reading): number {
    return holderElapsedMs(since, this.#member.deps.clock.now());
  }
}
