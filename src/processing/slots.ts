import PQueue from "p-queue";
import type { Clock } from "../runtime/clock.js";
import { Utilisation } from "./averages.js";

/** Work that waits for a slot. */
export interface SlotTicket<T> {
  /** What the work brought; undefined when it never began. */
  readonly ended: Promise<T | undefined>;
  /** Takes it back; harmless once it has begun. */
  cancel(): void;
}

/**
 * The worker's processing slots: one queue bounds the concurrency between all partitions. A slot is held for as long as
 * the work really runs; a signal or a timeout given to the queue would free it while the work still runs.
 */
export class Slots {
  readonly #clock: Clock;
  readonly #count: number;
  readonly #queue: PQueue;
  readonly #utilisation: Utilisation;
  readonly #onAllStuck: () => void;
  #inUse = 0;
  #stuck = 0;

  /** @param onAllStuck called whenever the last slot that was not stuck gets stuck */
  constructor(clock: Clock, count: number, onAllStuck: () => void) {
    this.#clock = clock;
    this.#count = count;
    this.#queue = new PQueue({ concurrency: count });
    this.#utilisation = new Utilisation(clock.monoMs());
    this.#onAllStuck = onAllStuck;
  }

  get inUse(): number {
    return this.#inUse;
  }

  get stuck(): number {
    return this.#stuck;
  }

  /** Share of the slots in use, averaged over the last while: 0 to 1. */
  utilisation(): number {
    return this.#utilisation.mean(this.#clock.monoMs());
  }

  /**
   * Runs `work` when a slot is free.
   * @param mayStart asked at that instant, first thing: a no drops the work
   */
  run<T>(mayStart: () => boolean, work: () => Promise<T>): SlotTicket<T> {
    // Cleared by a cancel, so that what still stands in the queue holds on to nothing.
    let task: (() => Promise<T | undefined>) | undefined;
    let cancel = (): void => undefined;
    const ended = new Promise<T | undefined>((resolve, reject) => {
      cancel = () => {
        if (task === undefined) return;
        task = undefined;
        resolve(undefined);
      };
      task = async () => {
        task = undefined;
        if (!mayStart()) return undefined;
        this.#use(1);
        try {
          return await work();
        } finally {
          this.#use(-1);
        }
      };
      this.#queue.add(async () => task?.()).then(resolve, reject);
    });
    return { ended, cancel };
  }

  /** A slot's work has been given up and still runs, or has returned after all. */
  markStuck(stuck: boolean): void {
    this.#stuck += stuck ? 1 : -1;
    if (stuck && this.#stuck === this.#count) this.#onAllStuck();
  }

  #use(change: 1 | -1): void {
    this.#inUse += change;
    this.#utilisation.set(this.#inUse / this.#count, this.#clock.monoMs());
  }
}
