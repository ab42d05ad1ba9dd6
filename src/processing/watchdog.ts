import type { Cancel, Clock } from "../runtime/clock.js";

/**
 * What a runner waits for. `predecessor`: the call of an earlier tenure to return. `slot`. `call`: a callback that has to
 * return or report progress. `grace`: one that was told to stop. `fetch`: the source's answer. `idle`: nothing that has
 * a limit here.
 */
export type Phase = "idle" | "predecessor" | "slot" | "call" | "grace" | "fetch";

export interface WatchdogLimits {
  readonly limitMs: Readonly<Record<Exclude<Phase, "idle">, number>>;
  /** A sign of life later than the phase's begin, if there was one. */
  readonly lifeAtMs: (phase: Phase) => number | undefined;
  /** The phase has lasted for its limit. Returns after how many ms to look again if it still lasts; undefined: never. */
  readonly onExpired: (phase: Exclude<Phase, "idle">) => number | undefined;
}

/**
 * One runner's look-out for what takes too long. It has one timer at most, which is not moved with every batch: when it
 * fires it computes how much is left by then. It counts monotonic time: a suspended machine did not let anybody work.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #limits: WatchdogLimits;
  #phase: Phase = "idle";
  #sinceMs: number;
  /** When the runner first waited for its predecessor: drains interrupt that wait and begin no new one. */
  #predecessorSinceMs: number | undefined;
  #cancel: Cancel | undefined;
  #dueMs = 0;
  #closed = false;

  constructor(clock: Clock, limits: WatchdogLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#sinceMs = clock.monoMs();
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Monotonic time since when nothing happened. */
  get sinceMs(): number {
    return Math.max(this.#sinceMs, this.#limits.lifeAtMs(this.#phase) ?? -Infinity);
  }

  enter(phase: Phase): void {
    this.#phase = this.#closed && phase !== "grace" ? "idle" : phase;
    const nowMs = this.#clock.monoMs();
    this.#sinceMs = phase === "predecessor" ? (this.#predecessorSinceMs ??= nowMs) : nowMs;
    if (this.#phase === "idle") return;
    this.#arm(Math.max(0, this.#sinceMs + this.#limits.limitMs[this.#phase] - nowMs));
  }

  /** The tenure is over: from now on only the grace of what still runs is watched. */
  close(): void {
    this.#closed = true;
    if (this.#phase !== "grace") this.stop();
  }

  /** Nothing is watched any more and no timer is left. */
  stop(): void {
    this.#phase = "idle";
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    const dueMs = this.#clock.monoMs() + ms;
    // One that fires earlier will find out what is left.
    if (this.#cancel !== undefined && this.#dueMs <= dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = this.#clock.setTimer(ms, () => {
      this.#cancel = undefined;
      this.#look();
    });
  }

  #look(): void {
    const phase = this.#phase;
    if (phase === "idle") return;
    const leftMs = this.sinceMs + this.#limits.limitMs[phase] - this.#clock.monoMs();
    if (leftMs > 0) {
      this.#arm(leftMs);
      return;
    }
    const againMs = this.#limits.onExpired(phase);
    if (againMs !== undefined && this.#phase === phase) this.#arm(againMs);
  }
}
