import { hasCode, messageOf } from "../model/errors.js";
import { attempts } from "../runtime/attempts.js";
import { sleep, type Clock } from "../runtime/clock.js";
import { jitter, type Random } from "../runtime/random.js";
import type { Membership } from "../store/membership.js";
import type { SupervisorEvent } from "./events.js";

export interface ExitFencerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly membership: Pick<Membership, "fenceExited">;
  /** Who fences, as the rows show it. */
  readonly by: string;
  /** Time for one try, in ms. */
  readonly attemptTimeoutMs: number;
  readonly onEvent: (event: SupervisorEvent) => void;
}

const firstBackOffMs = 100;
const longestBackOffMs = 5_000;

/**
 * Fences the workers of processes that have exited. The operating system has confirmed the death, so no silence has to
 * be waited for (protocol, "Supervised process"). A fence is tried until it has an outcome: given up half-way, the worker's
 * leases would wait for the observers after all.
 */
export class ExitFencer {
  readonly #options: ExitFencerOptions;
  readonly #running = new Map<string, Promise<void>>();
  readonly #abort = new AbortController();

  constructor(options: ExitFencerOptions) {
    this.#options = options;
  }

  /** Workers whose fence has no outcome yet. */
  get pending(): number {
    return this.#running.size;
  }

  /** Starts a worker's fence; returns at once. */
  fence(workerId: string): void {
    if (this.#running.has(workerId) || this.#abort.signal.aborted) return;
    const done = this.#untilOutcome(workerId).finally(() => {
      this.#running.delete(workerId);
    });
    this.#running.set(workerId, done);
  }

  /** Waits until every fence has an outcome, or the time is over and the rest is left to the observers. */
  async settle(withinMs: number): Promise<void> {
    // A store that cannot be reached must not keep a supervisor whose children are all gone from ending.
    const cancel = this.#options.clock.setTimer(withinMs, () => {
      this.#abort.abort();
    });
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    cancel();
  }

  async #untilOutcome(workerId: string): Promise<void> {
    const { clock, random, onEvent } = this.#options;
    const { signal } = this.#abort;
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const outcome = await this.#once(workerId);
        onEvent({ type: "worker-fenced", workerId, outcome });
        return;
      } catch (error) {
        if (hasCode(error, "table-missing")) {
          // No table, no row and no lease: there is nothing that the dead worker could hold.
          onEvent({ type: "worker-fenced", workerId, outcome: "no-table" });
          return;
        }
        const backOffMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1));
        const retryInMs = Math.round(jitter(random, backOffMs, 0.5, 1));
        onEvent({ type: "fence-failed", workerId, error: messageOf(error), retryInMs });
        await sleep(clock, retryInMs, signal);
      }
    }
  }

  async #once(workerId: string): Promise<"fenced" | "refused"> {
    const { clock, random, membership, by, attemptTimeoutMs } = this.#options;
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs, withinMs: 0, signal: this.#abort.signal },
      ({ signal }) => membership.fenceExited(workerId, by, { signal }),
    );
    if (!result.ok) throw result.error;
    return result.value.ok ? "fenced" : "refused";
  }
}
