import { observerElapsedMs, type Reading } from "../model/reading.js";
import { isForced, type WorkerRow } from "../model/worker-row.js";
import type { Clock } from "../runtime/clock.js";

/**
 * Fences by an operator's word, as this worker first read them. They prove no silence: the fenced may believe for as long
 * as its last beat before the fence allows, so that its leases are free only T after each worker's own first read.
 *
 * Unlike a death, it needs no counting of blind time: nothing that the fenced could have done meanwhile would have saved
 * it, and no belief of it can have grown.
 */
export class ForcedFences {
  readonly #clock: Clock;
  readonly #expiryMs: number;
  readonly #firstReadAt = new Map<string, Reading>();
  readonly #over = new Set<string>();

  constructor(clock: Clock, expiryMs: number) {
    this.#clock = clock;
    this.#expiryMs = expiryMs;
  }

  /** Whether a fenced worker's leases may be taken: at once, unless it was an operator's word. */
  frees(row: WorkerRow): boolean {
    return row.fencedBy !== undefined && (!isForced(row) || this.#over.has(row.workerId));
  }

  /** A row as a read or a write returned it just now. */
  saw(row: WorkerRow): void {
    if (!isForced(row) || this.#firstReadAt.has(row.workerId)) return;
    this.#firstReadAt.set(row.workerId, this.#clock.now());
  }

  /**
   * After each whole read.
   * @param workers the rows that there are
   * @returns whether T has passed since another one was first read
   */
  look(workers: ReadonlyMap<string, WorkerRow>): boolean {
    const now = this.#clock.now();
    let news = false;
    for (const [workerId, since] of this.#firstReadAt) {
      if (!workers.has(workerId)) {
        this.#firstReadAt.delete(workerId);
        this.#over.delete(workerId);
        continue;
      }
      const elapsedMs = observerElapsedMs(since, now);
      // A clock that went back counts from here: else an hour back would keep the leases for an hour.
      if (elapsedMs < 0) this.#firstReadAt.set(workerId, now);
      if (elapsedMs < this.#expiryMs || this.#over.has(workerId)) continue;
      this.#over.add(workerId);
      news = true;
    }
    return news;
  }
}
