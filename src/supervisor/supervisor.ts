import { LeaseholdError } from "../model/errors.js";
import type { Cancel, Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { Membership } from "../store/membership.js";
import type { ChildHost } from "./child-host.js";
import type { SupervisorEvent } from "./events.js";
import { ExitFencer } from "./exit-fencer.js";
import { Slot, type Fatal } from "./slot.js";

export interface SupervisorOptions {
  /** A child is kept running under each of these labels. */
  readonly labels: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly host: ChildHost;
  /** Where the workers of a child that died are fenced. */
  readonly membership: Pick<Membership, "fenceExited">;
  /** Who fences, as the rows show it. */
  readonly by: string;
  readonly onEvent?: (event: SupervisorEvent) => void;
  /** Time for one try of a fence, ms. Default 2,000. */
  readonly attemptTimeoutMs?: number;
  /** Wait before the first restart, ms; it doubles with each failure. Default 1,000. */
  readonly firstBackOffMs?: number;
  /** Default 30,000 ms. */
  readonly longestBackOffMs?: number;
  /** A child that lived so long starts the back-off anew. Default 60,000 ms. */
  readonly stableMs?: number;
  /** A child that has not ended so long after the stop is killed. Default 45,000 ms. */
  readonly killAfterMs?: number;
  /** How long fences without an outcome may hold up the end. Default 10,000 ms. */
  readonly fenceGraceMs?: number;
}

export interface SupervisorResult {
  /** How often a child was started again. */
  readonly restarts: number;
  /** Set when a child could not start and no restart would have helped: the others were stopped. */
  readonly fatal: Fatal | undefined;
}

/**
 * Keeps worker processes running: starts them, fences a dead one's workers at once, starts it again with back-off,
 * passes a stop on and waits. It installs no signal handlers; whoever runs it calls `stop`.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #fencer: ExitFencer;
  readonly #slots: readonly Slot[];
  #isProven = false;
  #fatal: Fatal | undefined;
  #stops = 0;
  #cancelKill: Cancel | undefined;
  #allDone: (() => void) | undefined;
  #run: Promise<SupervisorResult> | undefined;

  /** @throws LeaseholdError `invalid-option` without a label, or with one twice */
  constructor(options: SupervisorOptions) {
    const { labels, clock, random, host, membership, by } = options;
    if (labels.length === 0 || new Set(labels).size !== labels.length) {
      throw new LeaseholdError(
        "invalid-option",
        `labels is ${JSON.stringify(labels)}: it must name at least one child, each once`,
      );
    }
    this.#options = options;
    const onEvent = (event: SupervisorEvent): void => options.onEvent?.(event);
    this.#fencer = new ExitFencer({
      clock,
      random,
      membership,
      by,
      attemptTimeoutMs: options.attemptTimeoutMs ?? 2_000,
      onEvent,
    });
    this.#slots = labels.map(
      (label) =>
        new Slot({
          label,
          clock,
          random,
          host,
          fencer: this.#fencer,
          firstBackOffMs: options.firstBackOffMs ?? 1_000,
          longestBackOffMs: options.longestBackOffMs ?? 30_000,
          stableMs: options.stableMs ?? 60_000,
          onEvent,
          onAnnounced: () => {
            this.#isProven = true;
          },
          isProven: () => this.#isProven,
          onFatal: (fatal) => {
            this.#fatal ??= fatal;
            // The same program with the same settings runs in every child: the others can only fail alike.
            if (this.#stops === 0) this.stop();
          },
          onDone: () => {
            if (this.#slots.every((slot) => slot.isDone)) this.#allDone?.();
          },
        }),
    );
  }

  /** Starts the children and resolves when they have all ended after a stop. Called again it returns the same promise. */
  run(): Promise<SupervisorResult> {
    this.#run ??= this.#runOnce();
    return this.#run;
  }

  /** The first call asks every child to stop, the second to stop without its last checkpoint. */
  stop(): void {
    this.#stops++;
    this.#options.onEvent?.({ type: "stopping", force: this.#stops > 1 });
    if (this.#stops === 1) {
      // A child whose thread is blocked hears no signal: it would keep the supervisor waiting for ever.
      this.#cancelKill = this.#options.clock.setTimer(this.#options.killAfterMs ?? 45_000, () => {
        for (const slot of this.#slots) slot.kill();
      });
    }
    for (const slot of this.#slots) slot.stop();
  }

  async #runOnce(): Promise<SupervisorResult> {
    const done = new Promise<void>((resolve) => {
      this.#allDone = resolve;
    });
    if (this.#slots.every((slot) => slot.isDone)) this.#allDone?.();
    for (const slot of this.#slots) slot.start();
    await done;
    this.#cancelKill?.();
    await this.#fencer.settle(this.#options.fenceGraceMs ?? 10_000);
    return {
      restarts: this.#slots.reduce((sum, slot) => sum + slot.restarts, 0),
      fatal: this.#fatal,
    };
  }
}
