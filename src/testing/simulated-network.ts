import { StoreError } from "../model/errors.js";
import type { NetworkFault } from "./faults.js";
import type { SeededRandom } from "./seeded-random.js";
import type { VirtualClock } from "./virtual-clock.js";
import type { VirtualTime } from "./virtual-time.js";

/** How the way to a store behaves. Shares are probabilities per call; a range is drawn from evenly. */
export interface Conditions {
  /** One way, ms. */
  readonly latencyMs: readonly [number, number];
  /** Never applied. The caller hears nothing. */
  readonly lostRequests: number;
  /** Applied. The caller hears nothing. */
  readonly lostAnswers: number;
  /** Applied a second time, `delayMs` later. */
  readonly duplicates: number;
  /** Applied only after `delayMs`, perhaps long after the caller gave up. */
  readonly delayed: number;
  readonly delayMs: readonly [number, number];
  /** Refused at the store's door. */
  readonly throttledReads: number;
  readonly throttledWrites: number;
  /** Ended by an error of the store's own, after every other one was applied. */
  readonly failing: number;
  /** How old the rows may be that a read sees which need not be consistent, ms. */
  readonly staleMs: number;
  /** The same for the index of owners alone. */
  readonly indexLagMs: number;
  /** A share of the ways takes so long instead. */
  readonly slowShare: number;
  readonly slowMs: readonly [number, number];
}

/** A good day in one region. */
export const calm: Conditions = {
  latencyMs: [1, 5],
  lostRequests: 0,
  lostAnswers: 0,
  duplicates: 0,
  delayed: 0,
  delayMs: [500, 20_000],
  throttledReads: 0,
  throttledWrites: 0,
  failing: 0,
  staleMs: 0,
  indexLagMs: 0,
  slowShare: 0,
  slowMs: [100, 2_000],
};

/** One worker's way to the store. */
export interface Link {
  /** The slot of the worker, by which faults name it. */
  readonly worker: number;
  /** Answers reach the worker through its own clock: none while it is stopped, none when it is dead. */
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
}

export type Access = "read" | "write";

/** A caller that has no time-out of its own gets the network's: a broken connection shows at last. */
const brokenConnectionMs = 60_000;

/** The network between workers and a store, on virtual time. Requests under way outlive their sender. */
export class SimulatedNetwork {
  readonly #time: VirtualTime;
  readonly #base: Conditions;
  readonly #faults = new Set<NetworkFault>();
  /** By link, until a fault begins or ends: asked for with every call. */
  readonly #conditions = new Map<number, Conditions>();
  #underWay = 0;

  constructor(time: VirtualTime, base: Partial<Conditions> = {}) {
    this.#time = time;
    this.#base = { ...calm, ...base };
  }

  /** Requests that have not reached the store yet, late duplicates included. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Lets a fault begin; call what it returns to end it. The fault's own times are the caller's business. */
  begin(fault: NetworkFault): () => void {
    this.#faults.add(fault);
    this.#conditions.clear();
    return () => {
      this.#faults.delete(fault);
      this.#conditions.clear();
    };
  }

  /** The conditions of a link at present, but for outages. */
  conditions(worker: number): Conditions {
    let now = this.#conditions.get(worker);
    if (now === undefined) this.#conditions.set(worker, (now = this.#conditionsNow(worker)));
    return now;
  }

  #conditionsNow(worker: number): Conditions {
    let now = this.#base;
    for (const fault of this.#faults) {
      if (fault.worker !== undefined && fault.worker !== worker) continue;
      now = { ...now, ...worsened(now, fault) };
    }
    return now;
  }

  /**
   * Carries one call to the store and its answer back.
   * @param operation as the port names it
   * @param apply what the store does when the request arrives; not told of the caller's signal, for it cannot know
   */
  call<T>(
    link: Link,
    operation: string,
    access: Access,
    signal: AbortSignal | undefined,
    apply: (staleMs: number) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(timeout("the call was called off before it was sent", false));
        return;
      }
      const call = new Call(this.#time, link, signal, access === "write", reject);
      const { random } = link;
      const now = this.conditions(link.worker);
      // Everything is drawn at once: what happens later on the way then changes no other draw.
      const wayThereMs = wayMs(now, random);
      const wayBackMs = wayMs(now, random);
      const isLost = random.chance(now.lostRequests);
      const answerIsLost = random.chance(now.lostAnswers);
      const isDoubled = random.chance(now.duplicates);
      const isDelayed = random.chance(now.delayed);
      const delayMs = random.between(now.delayMs[0], now.delayMs[1]);
      const isThrottled = random.chance(access === "read" ? now.throttledReads : now.throttledWrites);
      const staleMs = Math.max(random.between(0, now.staleMs), this.#ageMs(link, operation, now));
      // Drawn only in such weather, so that scenarios without it draw what they always drew.
      const isFailing = now.failing > 0 && random.chance(now.failing);
      const failsApplied = isFailing && random.chance(0.5);
      if (isLost) return;
      this.#arrive(wayThereMs + (isDelayed ? delayMs : 0), () => {
        const outage = this.#outage(link.worker, access);
        if (outage === "silent") return;
        if (outage === "refusing") {
          call.answer(wayBackMs, () => reject(unavailable(access === "write")));
        } else if (this.#isDenied(link.worker, operation)) {
          call.answer(wayBackMs, () => reject(denied(operation)));
        } else if (isThrottled) {
          call.answer(wayBackMs, () => reject(throttled()));
        } else if (isFailing) {
          // What the store did before it failed, it tells nobody.
          if (failsApplied) apply(staleMs).catch(() => undefined);
          call.answer(wayBackMs, () => reject(failed(access === "write")));
        } else {
          apply(staleMs).then(
            (value) => {
              if (!answerIsLost) call.answer(wayBackMs, () => resolve(value));
            },
            (error: unknown) => {
              const thrown = error instanceof Error ? error : new Error(String(error));
              if (!answerIsLost) call.answer(wayBackMs, () => reject(thrown));
            },
          );
        }
      });
      if (!isDoubled) return;
      this.#arrive(wayThereMs + delayMs, () => {
        if (this.#outage(link.worker, access) !== undefined) return;
        // Nobody waits for what becomes of the copy.
        apply(staleMs).catch(() => undefined);
      });
    });
  }

  /** How old the rows are at least that this very read sees, beyond what befalls all that need not be consistent. */
  #ageMs({ worker, random }: Link, operation: string, now: Conditions): number {
    let ageMs = 0;
    if (operation === "leases.keysOf" && now.indexLagMs > 0) ageMs = random.between(0, now.indexLagMs);
    for (const fault of this.#faults) {
      if (fault.kind !== "stale-reads" || fault.asOfMs === undefined) continue;
      if ((fault.worker ?? worker) === worker) ageMs = Math.max(ageMs, this.#time.nowMs - fault.asOfMs);
    }
    return ageMs;
  }

  #arrive(ms: number, fn: () => void): void {
    this.#underWay++;
    this.#time.schedule(ms, () => {
      this.#underWay--;
      fn();
    });
  }

  #isDenied(worker: number, operation: string): boolean {
    for (const fault of this.#faults) {
      if (fault.kind !== "store-denied" || (fault.worker ?? worker) !== worker) continue;
      if (fault.operations.includes(operation)) return true;
    }
    return false;
  }

  #outage(worker: number, access: Access): "silent" | "refusing" | undefined {
    for (const fault of this.#faults) {
      if (fault.kind !== "store-outage" || (fault.worker ?? worker) !== worker) continue;
      if (fault.of === "all" || fault.of === `${access}s`) return fault.how;
    }
    return undefined;
  }
}

/** One call as its caller sees it: it ends once, by its answer, its signal, or a broken connection. */
class Call {
  readonly #time: VirtualTime;
  readonly #clock: VirtualClock;
  readonly #finish: () => void;
  #over = false;

  constructor(
    time: VirtualTime,
    link: Link,
    signal: AbortSignal | undefined,
    isWrite: boolean,
    reject: (error: Error) => void,
  ) {
    this.#time = time;
    this.#clock = link.clock;
    const onAbort = (): void => {
      this.#finish();
      const why: unknown = signal?.reason;
      reject(timeout(why instanceof Error ? why.message : "the call was given up", isWrite));
    };
    const cancel =
      signal === undefined
        ? time.schedule(brokenConnectionMs, () => {
            this.answer(0, () => reject(unavailable(isWrite)));
          })
        : undefined;
    this.#finish = () => {
      this.#over = true;
      cancel?.();
      signal?.removeEventListener("abort", onAbort);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  }

  answer(ms: number, fn: () => void): void {
    this.#time.schedule(ms, () => {
      this.#clock.deliver(() => {
        if (this.#over) return;
        this.#finish();
        fn();
      });
    });
  }
}

function worsened(now: Conditions, fault: NetworkFault): Partial<Conditions> {
  switch (fault.kind) {
    case "store-outage":
    case "store-denied":
      return {};
    case "store-slow":
      return { latencyMs: [now.latencyMs[0] * fault.factor, now.latencyMs[1] * fault.factor] };
    case "store-lossy":
      return {
        lostRequests: Math.max(now.lostRequests, fault.lostRequests),
        lostAnswers: Math.max(now.lostAnswers, fault.lostAnswers),
        duplicates: Math.max(now.duplicates, fault.duplicates),
        delayed: Math.max(now.delayed, fault.delayed),
      };
    case "store-throttled":
      return {
        throttledReads: Math.max(now.throttledReads, fault.of === "writes" ? 0 : fault.share),
        throttledWrites: Math.max(now.throttledWrites, fault.of === "reads" ? 0 : fault.share),
      };
    case "store-failing":
      return { failing: Math.max(now.failing, fault.share) };
    case "stale-reads":
      return { staleMs: Math.max(now.staleMs, fault.upToMs) };
    case "index-lag":
      return { indexLagMs: Math.max(now.indexLagMs, fault.upToMs) };
  }
}

/** Drawn once more only where some ways are slow, so that scenarios without them draw what they always drew. */
function wayMs({ latencyMs, slowShare, slowMs }: Conditions, random: SeededRandom): number {
  const isSlow = slowShare > 0 && random.chance(slowShare);
  const range = isSlow ? slowMs : latencyMs;
  return random.between(range[0], range[1]);
}

function timeout(message: string, ambiguous: boolean): StoreError {
  return new StoreError("store-timeout", message, { retryable: true, ambiguous });
}

function unavailable(ambiguous: boolean): StoreError {
  return new StoreError("store-unavailable", "the store is down (simulated)", { retryable: true, ambiguous });
}

function throttled(): StoreError {
  return new StoreError("store-throttled", "the store throttles (simulated)", {
    retryable: true,
    ambiguous: false,
  });
}

function failed(ambiguous: boolean): StoreError {
  return new StoreError("store-unavailable", "the store failed (simulated)", { retryable: true, ambiguous });
}

function denied(operation: string): StoreError {
  const call = `simulated:${operation}`;
  return new StoreError("store-denied", `not authorized to perform ${call}; allow ${call}`, {
    retryable: false,
    ambiguous: false,
    call,
  });
}
