import { hasCode } from "../model/errors.js";
import type { Clock } from "../runtime/clock.js";
import type { CallResult } from "./calls.js";
import type { FailurePolicy } from "./failure-policy.js";
import type { Journal } from "./journal.js";
import type { FailureDecision } from "./options.js";

/** What stands in the way of one tenure's work after failures: a back-off, or a stop for good. */
export class Recovery {
  readonly #leaseKey: string;
  readonly #clock: Clock;
  readonly #policy: FailurePolicy;
  readonly #journal: Journal;
  readonly #giveUp: () => void;
  #untilMs = -Infinity;
  #sourceFailures = 0;
  #standsStill = false;

  /** @param giveUp releases the lease with the reason `failed` */
  constructor(leaseKey: string, clock: Clock, policy: FailurePolicy, journal: Journal, giveUp: () => void) {
    this.#leaseKey = leaseKey;
    this.#clock = clock;
    this.#policy = policy;
    this.#journal = journal;
    this.#giveUp = giveUp;
  }

  /** Nothing more is handed over in this tenure. */
  get standsStill(): boolean {
    return this.#standsStill;
  }

  /** How much of the back-off is left, in ms; not above 0 when there is none. */
  get leftMs(): number {
    return this.#untilMs - this.#clock.monoMs();
  }

  /** After a callback: its failure is never skipped, it is retried, moved elsewhere, or stops the partition. */
  called(result: CallResult, callback: string): void {
    if (result.ok) {
      this.#journal.failures = 0;
      return;
    }
    // Told to break off at the end of a stop's time: no failure, and nothing follows it here.
    if (hasCode(result.error, "worker-stopped")) {
      if (callback === "process") this.#journal.batchReturned();
      return;
    }
    this.#journal.failures += 1;
    this.#journal.processorFailed(callback, result.error);
    const { failures } = this.#journal;
    let decision: FailureDecision = "retry";
    try {
      decision = this.#policy.decide(result.error, { leaseKey: this.#leaseKey, callback, failures });
    } catch (error) {
      this.#journal.processorFailed("onError", error);
    }
    switch (decision) {
      case "retry":
        this.#backOff(failures);
        break;
      case "give-up":
        this.#giveUp();
        break;
      case "stop":
        this.#standsStill = true;
    }
  }

  /** The children's rows could not be made. */
  childrenFailed(error: unknown): void {
    this.#journal.failures += 1;
    this.#journal.childrenFailed(error);
    this.#backOff(this.#journal.failures);
  }

  /**
   * The reader sees no point in going on. No reason to give the lease up: another worker would fare no better. It is
   * opened again later, unless what it met stays where it is: then the partition stands still and `status` says why.
   */
  readerFailed(error: unknown): void {
    this.#sourceFailures += 1;
    this.#journal.sourceFailed(error);
    if (hasCode(error, "aggregated-record", "checkpoint-invalid")) this.#standsStill = true;
    else this.#backOff(this.#sourceFailures);
  }

  fetched(): void {
    this.#sourceFailures = 0;
  }

  #backOff(failures: number): void {
    this.#untilMs = this.#clock.monoMs() + this.#policy.backOffMs(failures);
  }
}
