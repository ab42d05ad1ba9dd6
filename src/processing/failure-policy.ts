import { jitter, type Random } from "../runtime/random.js";
import {
  failureDecisions,
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

  /** @throws what the user's `onError` throws */
  decide(error: unknown, context: FailureContext): FailureDecision {
    const decision: unknown = this.#config.onError?.(error, context);
    // Anything else, a promise say, is no decision: the batch is kept.
    return failureDecisions.find((known) => known === decision) ?? "retry";
  }

  /** How long to wait after so many failures in a row; jittered, so that partitions that failed together part. */
  backOffMs(failures: number): number {
    const doubled = this.#config.firstMs * 2 ** Math.min(failures - 1, 40);
    return jitter(this.#random, Math.min(this.#config.longestMs, doubled), 0.5, 1);
  }
}
