import { LeaseholdError } from "../model/errors.js";
import type { IncarnationEnd } from "../model/reasons.js";
import { waitAtMost } from "../runtime/clock.js";
import type { Member } from "./member.js";

export interface IncarnationOutcome {
  readonly reason: IncarnationEnd;
  readonly error?: unknown;
}

/** The end of one worker: what still runs is waited for, and whoever waits for the end is told once. */
export class WorkerEnd {
  /** Resolves when the worker has ended and nothing of it runs any more. */
  readonly reached: Promise<IncarnationOutcome>;
  readonly #member: Member;
  #finish: (outcome: IncarnationOutcome) => void = () => undefined;

  constructor(member: Member) {
    this.#member = member;
    this.reached = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /**
   * @param loops the worker's own, which have been told to stop
   * @param by who fenced it
   */
  async reach(outcome: IncarnationOutcome, loops: Promise<unknown>, by?: string): Promise<void> {
    const { deps, tasks, workerId } = this.#member;
    // Every task has a limit of its own; one that breaks it must not keep the process from its next worker.
    await waitAtMost(deps.clock, Promise.all([loops, tasks.settle()]), deps.config.leaseDurationMs);
    deps.emit({
      type: "worker-ended",
      workerId,
      reason: outcome.reason,
      ...(by === undefined ? {} : { by }),
    });
    this.#finish(outcome);
  }
}

/** The loops handle their own errors; one that escapes is a mistake in the code and ends the worker loudly. */
export async function guarded(loop: Promise<void>, fail: (error: unknown) => void): Promise<void> {
  try {
    await loop;
  } catch (error) {
    fail(
      error instanceof LeaseholdError ? error : new Error("the worker's own loop failed", { cause: error }),
    );
  }
}
