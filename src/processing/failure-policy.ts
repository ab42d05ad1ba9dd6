import { LeaseholdError } from "../model/errors.js";
import { jitter, type Random } from "../runtime/random.js";
import {
  failureDecisions,
  show,
  type FailureContext,
  type FailureDecision,
  type ProcessingConfig,
} from "./options.js";

/** What follows failures in a row. A failed batch is never skipped: it is redelivered, here or elsewhere, or work stops. */
export class FailurePolicy {
  readonly #config: ProcessingConfig;
  readonly #random: Random;

  constructor(config: ProcessingConfig, random: Random) {
    this.#config = config;
    this.#random = random;
  }

  /** @throws what the user's `onError` throws; LeaseholdError `invalid-option` where it answers what is no decision */
  decide(error: unknown, context: FailureContext): FailureDecision {
    if (this.#config.onError === undefined) return "retry";
    const decision: unknown = this.#config.onError(error, context);
    const known = failureDecisions.find((one) => one === decision);
    if (known !== undefined) return known;
    // One that rejects later has been told of by now.
    if (decision instanceof Promise) decision.catch(() => undefined);
    const shown = decision instanceof Promise ? "a promise" : show(decision);
    throw new LeaseholdError(
      "invalid-option",
      `onError answered ${shown}: it must answer ${failureDecisions.map(show).join(", ")}, at once; the batch is kept and retried`,
    );
  }

  /** How long to wait after so many failures in a row; jittered, so that partitions that failed together part. */
  backOffMs(failures: number): number {
    const doubled = this.#config.firstMs * 2 ** Math.min(failures - 1, 40);
    return jitter(this.#random, Math.min(this.#config.longestMs, doubled), 0.5, 1);
  }
}
