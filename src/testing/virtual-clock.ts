import type { Reading } from "../model/reading.js";
import type { Cancel, Clock } from "../runtime/clock.js";

/** What a clock needs of the time it belongs to. */
export interface TrueTime {
  readonly nowMs: number;
  schedule(ms: number, fn: () => void): Cancel;
}

export interface VirtualClockOptions {
  /** How many of its own ms pass in one true ms. Default 1; the protocol bounds it by 1 ± 0.005. */
  readonly rate?: number;
  /** How far its wall clock is from the true wall time at the start, ms. Default 0. */
  readonly wallOffsetMs?: number;
}

interface ClockTimer {
  /** On this clock's monotonic time, ms. */
  readonly due: number;
  readonly fn: () => void;
  readonly sequence: number;
  /** Undefined while the machine is suspended, or the timer is overdue and waits for a thaw. */
  disarm: Cancel | undefined;
}

/** The true wall time at the start of every virtual time: 2026-01-01T00:00:00Z. */
export const startWallMs = 1_767_225_600_000;
/** A machine is up for a while before its worker starts: no reading is taken for another clock's by accident. */
const startBootMs = 5_000_000;
const startMonoMs = 1_000_000;
/** Node fires no timer earlier than this; with fractions of clock rates a shorter one could stand still for ever. */
const shortestTimerMs = 1;

/**
 * One worker's clock: it runs at its own rate, and its process can be stopped, its machine suspended, its wall clock
 * set, and it can die. Made by `VirtualTime.clock()`.
 */
export class VirtualClock implements Clock {
  readonly rate: number;
  readonly #time: TrueTime;
  readonly #startedAt: number;
  readonly #timers = new Set<ClockTimer>();
  /** What waits for a thaw, in the order of arrival. */
  readonly #held: (() => void)[] = [];
  #wallOffsetMs: number;
  #suspendedMs = 0;
  #suspendedAt: number | undefined;
  /** How many hold it still, and how many have it asleep: it goes on with the last of them. */
  #frozen = 0;
  #asleep = 0;
  #killed = false;
  #sequence = 0;

  constructor(time: TrueTime, options: VirtualClockOptions = {}) {
    const rate = options.rate ?? 1;
    if (!(rate > 0)) throw new RangeError(`rate is ${String(rate)}: it must be above 0`);
    this.rate = rate;
    this.#time = time;
    this.#startedAt = time.nowMs;
    this.#wallOffsetMs = (options.wallOffsetMs ?? 0) + this.#startedAt;
  }

  /** Timers set and neither fired nor cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Those of them that stand in no queue, because the worker is stopped. */
  get heldTimers(): number {
    let held = 0;
    for (const timer of this.#timers) if (timer.disarm === undefined) held++;
    return held;
  }

  /** Whether none of the worker's code runs at present. */
  get isStopped(): boolean {
    return this.#frozen > 0 || this.#suspendedAt !== undefined;
  }

  get isKilled(): boolean {
    return this.#killed;
  }

  now(): Reading {
    return { monoMs: this.monoMs(), bootMs: startBootMs + this.#elapsed(), wallMs: this.wallMs() };
  }

  monoMs(): number {
    return startMonoMs + this.#monoElapsed();
  }

  wallMs(): number {
    return startWallMs + this.#wallOffsetMs + this.#elapsed();
  }

  setTimer(ms: number, fn: () => void): Cancel {
    if (Number.isNaN(ms)) throw new RangeError("a timer's duration is NaN");
    if (this.#killed) return () => {};
    const timer: ClockTimer = {
      due: this.#monoElapsed() + Math.max(shortestTimerMs, ms),
      fn,
      sequence: this.#sequence++,
      disarm: undefined,
    };
    this.#timers.add(timer);
    if (this.#suspendedAt === undefined) this.#arm(timer);
    return () => {
      timer.disarm?.();
      this.#timers.delete(timer);
    };
  }

  /**
   * Runs `fn` in this worker: at once, or at its thaw when it is stopped, or never when it is dead. Answers of a
   * network come this way.
   */
  deliver(fn: () => void): void {
    if (this.#killed) return;
    if (this.isStopped) this.#held.push(fn);
    else fn();
  }

  /** Sets the wall clock forward or (negative) back. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** SIGSTOP: no code of the worker runs; all its clocks go on. */
  freeze(): void {
    this.#frozen++;
  }

  /** SIGCONT: what is overdue fires now, in the order in which it was due. */
  thaw(): void {
    this.#frozen = Math.max(0, this.#frozen - 1);
    this.#release();
  }

  /** The machine sleeps: no code runs and the monotonic clock stands still; boot and wall clock go on. */
  suspend(): void {
    if (this.#killed) return;
    this.#asleep++;
    if (this.#suspendedAt !== undefined) return;
    this.#suspendedAt = this.#time.nowMs;
    for (const timer of this.#timers) {
      timer.disarm?.();
      timer.disarm = undefined;
    }
  }

  /** The machine wakes: timers have as much before them as when it fell asleep. */
  wake(): void {
    this.#asleep = Math.max(0, this.#asleep - 1);
    if (this.#suspendedAt === undefined || this.#asleep > 0) return;
    this.#suspendedMs += this.#time.nowMs - this.#suspendedAt;
    this.#suspendedAt = undefined;
    for (const timer of this.#timers) this.#arm(timer);
    this.#release();
  }

  /** SIGKILL: its timers are dropped, what waits for a thaw is forgotten, nothing of it ever runs again. */
  kill(): void {
    this.#killed = true;
    for (const timer of this.#timers) timer.disarm?.();
    this.#timers.clear();
    this.#held.length = 0;
  }

  #elapsed(): number {
    return (this.#time.nowMs - this.#startedAt) * this.rate;
  }

  #monoElapsed(): number {
    const until = this.#suspendedAt ?? this.#time.nowMs;
    return (until - this.#startedAt - this.#suspendedMs) * this.rate;
  }

  #arm(timer: ClockTimer): void {
    timer.disarm = this.#time.schedule((timer.due - this.#monoElapsed()) / this.rate, () => {
      timer.disarm = undefined;
      // A stopped worker's timer stays in the set, overdue: the thaw finds it there.
      if (!this.isStopped) this.#fire(timer);
    });
  }

  #fire(timer: ClockTimer): void {
    this.#timers.delete(timer);
    timer.fn();
  }

  /**
   * After a stop. Each overdue timer and each held answer gets an event of its own: as in a real event loop, what one of
   * them starts runs before the next. Timers come first, then answers (Node's order: timers, then poll).
   */
  #release(): void {
    if (this.isStopped || this.#killed) return;
    const overdue = [...this.#timers].filter((timer) => timer.disarm === undefined);
    overdue.sort((a, b) => a.due - b.due || a.sequence - b.sequence);
    for (const timer of overdue) this.#arm(timer);
    for (const fn of this.#held.splice(0)) {
      this.#time.schedule(0, () => {
        this.deliver(fn);
      });
    }
  }
}
