import { canRunContinuations, inHostTurn, runContinuations, yieldToHost } from "../runtime/host-turn.js";
import type { Cancel } from "../runtime/clock.js";
import { TimerHeap, type HeapTimer } from "./timer-heap.js";
import { startWallMs, VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";

interface Scheduled extends HeapTimer {
  fn: (() => void) | undefined;
}

/** Timers are kept on a grid of 1/1024 ms, exact in binary: sums of durations never drift apart by a rounding. */
const grid = 1_024;
const farTooManyAtOneInstant = 1_000_000;
/** Where the host gets no turn after each timer, it gets one after so many. */
const timersATurn = 500;

export interface VirtualTimeOptions {
  /**
   * Whether the host's event loop gets a turn after each timer. Default true. A program that waits for nothing of the
   * host's (no I/O, no `setImmediate`) runs the same without, and faster.
   */
  readonly hostTurns?: boolean;
}

/**
 * Time in a test's hands. It stands still until told to go on; then due timers fire one by one in the order of (time,
 * order of setting), and between two of them all promise continuations settle. Nothing here looks at a real clock, so
 * the same program run twice does the same things in the same order.
 *
 * ```ts
 * const time = new VirtualTime();
 * const clock = time.clock();
 * const slept = sleep(clock, 5_000);
 * await time.advance(5_000);
 * await slept;
 * ```
 */
export class VirtualTime {
  readonly #timersATurn: number;
  readonly #heap = new TimerHeap<Scheduled>();
  readonly #clocks = new Set<VirtualClock>();
  #nowMs = 0;
  #sequence = 0;
  #pending = 0;
  #firedTimers = 0;
  #atThisInstant = 0;
  #running = false;

  constructor(options: VirtualTimeOptions = {}) {
    this.#timersATurn = (options.hostTurns ?? true) || !canRunContinuations() ? 1 : timersATurn;
  }

  /** True time since the start, in ms. No worker sees it: each has a clock of its own. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The true wall time, ms since 1970: what a stream stamps its records with. */
  get wallMs(): number {
    return startWallMs + this.#nowMs;
  }

  /** Timers not yet fired nor cancelled, those of all clocks included: 0 when nothing leaks. */
  get pendingTimers(): number {
    let pending = this.#pending;
    for (const clock of this.#clocks) pending += clock.heldTimers;
    return pending;
  }

  /** Timers fired so far: the events of a simulation. */
  get firedTimers(): number {
    return this.#firedTimers;
  }

  /** A worker's clock, at its own rate. */
  clock(options: VirtualClockOptions = {}): VirtualClock {
    const clock = new VirtualClock(this, options);
    this.#clocks.add(clock);
    return clock;
  }

  /** Runs `fn` after `ms` of true time: for networks, producers and faults, which belong to no worker. */
  schedule(ms: number, fn: () => void): Cancel {
    if (Number.isNaN(ms)) throw new RangeError("a timer's duration is NaN");
    const due = this.#nowMs + Math.ceil(Math.max(0, ms) * grid) / grid;
    const timer: Scheduled = { due, sequence: this.#sequence++, fn };
    this.#pending++;
    this.#heap.push(timer);
    return () => {
      if (timer.fn === undefined) return;
      timer.fn = undefined;
      this.#pending--;
    };
  }

  /** Lets everything that waits for no timer run to its end. */
  settle(): Promise<void> {
    return yieldToHost();
  }

  /**
   * Goes on by `ms` of true time.
   * @param afterEach called after each fired timer and all that followed from it; what it throws ends the run
   */
  advance(ms: number, afterEach?: () => void): Promise<void> {
    return this.runUntil(this.#nowMs + ms, afterEach);
  }

  /**
   * Goes on until the true time is `ms`; timers due at that very instant have fired.
   * @param afterEach called after each fired timer and all that followed from it; what it throws ends the run
   */
  async runUntil(ms: number, afterEach?: () => void): Promise<void> {
    await this.#run(ms, afterEach, () => false);
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  /**
   * Goes on until the promise settles, and returns what it brings.
   * @throws Error when it has not settled after `withinMs` of true time
   */
  async runUntilSettled<T>(promise: Promise<T>, withinMs = 3_600_000, afterEach?: () => void): Promise<T> {
    const outcome = { settled: false };
    const note = (): void => {
      outcome.settled = true;
    };
    promise.then(note, note);
    await this.#run(this.#nowMs + withinMs, afterEach, () => outcome.settled);
    if (outcome.settled) return promise;
    throw new Error(`the promise did not settle within ${String(withinMs)} ms of virtual time`);
  }

  async #run(untilMs: number, afterEach: (() => void) | undefined, isDone: () => boolean): Promise<void> {
    if (this.#running)
      throw new Error("virtual time is already running: await the first run before the next");
    this.#running = true;
    try {
      this.#atThisInstant = 0;
      await this.settle();
      if (this.#timersATurn === 1) {
        while (!isDone() && this.#fireNext(untilMs)) {
          await this.settle();
          afterEach?.();
        }
      } else {
        while (await inHostTurn(() => this.#fireSome(untilMs, afterEach, isDone)));
      }
    } finally {
      this.#running = false;
    }
  }

  /** @returns whether there may be more to fire */
  #fireSome(untilMs: number, afterEach: (() => void) | undefined, isDone: () => boolean): boolean {
    for (let fired = 0; fired < this.#timersATurn; fired++) {
      if (isDone() || !this.#fireNext(untilMs)) return false;
      runContinuations();
      afterEach?.();
    }
    return true;
  }

  /** @returns false where no timer is due until then */
  #fireNext(untilMs: number): boolean {
    for (;;) {
      const timer = this.#heap.peek();
      if (timer === undefined || timer.due > untilMs) return false;
      this.#heap.pop();
      const fn = timer.fn;
      if (fn === undefined) continue;
      timer.fn = undefined;
      this.#pending--;
      this.#firedTimers++;
      this.#atThisInstant = timer.due > this.#nowMs ? 0 : this.#atThisInstant + 1;
      if (this.#atThisInstant > farTooManyAtOneInstant) {
        throw new Error(`time stands still at ${String(this.#nowMs)} ms: timers of 0 ms set each other`);
      }
      this.#nowMs = timer.due;
      fn();
      return true;
    }
  }
}
