import type { Logger } from "../index.js";
import type { Cancel, Clock } from "../runtime/clock.js";

const everyMs = 10_000;

/** Says every ten seconds what a start waits for: one that hangs in silence looks like one that works. */
export class SlowStart {
  readonly #clock: Clock;
  readonly #logger: Pick<Logger, "warn">;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, logger: Pick<Logger, "warn">) {
    this.#clock = clock;
    this.#logger = logger;
  }

  waitsFor(what: string): void {
    this.over();
    this.#cancel = this.#clock.setTimer(everyMs, () => {
      this.#logger.warn({}, `the worker has not joined the fleet yet: it waits for ${what}`);
      this.waitsFor(what);
    });
  }

  over(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
