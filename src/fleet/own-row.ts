import type { IncarnationEnd } from "../model/reasons.js";
import { isForced, tombstoneBeat, type FleetRows, type WorkerRow } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { Member } from "./member.js";

/** Whether a worker's own row, as read consistently, says that it has ended, and how. */
export function endOf(row: WorkerRow | undefined): IncarnationEnd | undefined {
  if (row === undefined) return "row-missing";
  if (row.fencedBy !== undefined) return "fenced";
  return row.beat === tombstoneBeat ? "tombstone" : undefined;
}

/** Whether the row's fence leaves the worker what it believes: an operator's does, it proves no silence. */
export function mayGoOn(row: WorkerRow | undefined): row is WorkerRow & { readonly fencedBy: string } {
  return row !== undefined && isForced(row) && row.beat !== tombstoneBeat;
}

/** The worker's own row in the reads of the fleet: they tell it of its end sooner than its next beat does. */
export class OwnRow {
  readonly #member: Member;
  readonly #onEnded: (row: WorkerRow | undefined) => void;

  constructor(member: Member, onEnded: (row: WorkerRow | undefined) => void) {
    this.#member = member;
    this.#onEnded = onEnded;
  }

  /** @returns the row, or undefined where the read lacks it or shows the worker's end */
  find({ workers }: FleetRows): WorkerRow | undefined {
    const own = workers.find(({ workerId }) => workerId === this.#member.workerId);
    if (own === undefined) {
      // The read may be older than the row: only a consistent one may say that it is gone.
      this.#member.tasks.start("own-row", () => this.#look());
      return undefined;
    }
    if (endOf(own) === undefined) return own;
    this.#onEnded(own);
    return undefined;
  }

  async #look(): Promise<void> {
    const { deps, workerId } = this.#member;
    const { clock, random, config, store } = deps;
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.attemptTimeoutMs },
      ({ signal }) => store.membership.readWorker(workerId, { consistent: true, signal }),
    );
    if (result.ok && endOf(result.value) !== undefined) this.#onEnded(result.value);
  }
}
