import type { LeaseholdEvent } from "../../model/events.js";
import type { ProcessLife } from "./process-life.js";
import type { Bounds, Refuse } from "./rules.js";

type Of<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;

/** One worker's part in the planner lease. */
interface Candidate {
  elected: number | undefined;
  highest: number;
  /** Each that it was elected for, with how long its process had run when that was over, ms. */
  readonly epochs: Map<number, number>;
  tick: number;
  deposedAt: number;
  /** Somebody has sent that the lease is to be this worker's. */
  claimed: boolean;
}

/** The planner lease: advice only, but under its epoch, from one worker at a time. */
export class PlannerLife {
  readonly #refuse: Refuse;
  readonly #expiryMs: number;
  readonly #attemptMs: number;
  readonly #candidates = new Map<string, Candidate>();
  readonly #owners = new Map<number, string>();

  /** @param clocksJump who waits counts on all of its clocks, and none of them need show how long an attempt takes */
  constructor({ expiryMs, attemptMs }: Bounds, clocksJump: boolean, refuse: Refuse) {
    this.#expiryMs = clocksJump ? 0 : expiryMs;
    this.#attemptMs = clocksJump ? Infinity : attemptMs;
    this.#refuse = refuse;
  }

  claimed({ workerId, owner }: Of<"planner-claimed">, at: number): void {
    const own = this.#of(workerId);
    if (owner === workerId && at - own.deposedAt < this.#expiryMs) {
      this.#refuse("deposed-stands-not", `T since it was deposed, not ${at - own.deposedAt} ms`);
    }
    this.named(owner);
  }

  /** Somebody has sent that the lease is to be this worker's. */
  named(workerId: string): void {
    this.#of(workerId).claimed = true;
  }

  /** The planner row is gone: the next one counts anew. */
  forget(): void {
    this.#owners.clear();
  }

  /** @param isWhole whether a claim by anybody would have been seen */
  elected({ workerId, epoch }: Of<"planner-elected">, { ranMs }: ProcessLife, isWhole: boolean): void {
    const own = this.#of(workerId);
    if (isWhole && !own.claimed) this.#refuse("elected-by-claim", "a claim that names it");
    if (epoch <= own.highest) this.#refuse("planner-epochs-increase", `an epoch above ${own.highest}`);
    const owner = this.#owners.get(epoch);
    if (owner !== undefined && owner !== workerId) {
      this.#refuse("planner-epoch-of-one", `another epoch than ${owner}'s`);
    }
    this.#owners.set(epoch, workerId);
    if (own.elected !== undefined) own.epochs.set(own.elected, ranMs);
    own.elected = epoch;
    own.epochs.set(epoch, Infinity);
    own.highest = Math.max(own.highest, epoch);
    own.tick = 0;
  }

  deposed({ workerId, epoch }: Of<"planner-deposed">, { ranMs }: ProcessLife, at: number): void {
    const own = this.#of(workerId);
    if (epoch > own.highest) this.#refuse("planner-epochs-increase", "an epoch that it was elected for");
    if (own.elected !== undefined) own.epochs.set(own.elected, ranMs);
    own.elected = undefined;
    own.deposedAt = at;
  }

  planned({ workerId, epoch, tick }: Of<"planned">): void {
    const own = this.#of(workerId);
    if (own.elected !== epoch)
      this.#refuse("directive-under-epoch", "a round under the epoch that it is elected for");
    if (tick !== own.tick + 1) this.#refuse("tick-after-round", `tick ${own.tick + 1}`);
    own.tick = tick;
  }

  beatSays(workerId: string, { epoch, tick }: { readonly epoch: number; readonly tick: number }): void {
    const own = this.#of(workerId);
    if (own.elected !== epoch || tick > own.tick) {
      this.#refuse("tick-after-round", `no tick above ${own.tick}, the last whole round`);
    }
  }

  /**
   * What is posted is told when it is answered: its planner may have been deposed meanwhile, and elected again. No attempt
   * begins after that, so only one under way may be told of.
   */
  directs(
    { workerId, plannerEpoch }: Of<"directive-posted" | "observer-assigned">,
    { ranMs }: ProcessLife,
  ): void {
    const over = this.#of(workerId).epochs.get(plannerEpoch);
    if (over === undefined) {
      this.#refuse("directive-under-epoch", "a planner epoch that it was elected for");
    } else if (ranMs - over > this.#attemptMs) {
      this.#refuse(
        "directive-under-epoch",
        `no epoch from which it was deposed ${(ranMs - over).toFixed(0)} ms ago`,
      );
    }
  }

  #of(workerId: string): Candidate {
    let candidate = this.#candidates.get(workerId);
    if (candidate === undefined) {
      candidate = {
        elected: undefined,
        highest: -1,
        epochs: new Map(),
        tick: 0,
        deposedAt: -Infinity,
        claimed: false,
      };
      this.#candidates.set(workerId, candidate);
    }
    return candidate;
  }
}
