import { LeaseholdError, StoreError } from "../model/errors.js";
import { observerElapsedMs, type Reading } from "../model/reading.js";
import { sleep, type Clock } from "./clock.js";
import { jitter, type Random } from "./random.js";
import { whyUnsent } from "./unsent.js";

/** One try of a call. */
export interface Attempt {
  /** From 1 up. */
  readonly number: number;
  /** When the FIRST attempt was sent: what an acknowledgement counts from. */
  readonly firstSentAt: Reading;
  /** Whether an earlier attempt may have been applied. */
  readonly ambiguous: boolean;
  /** Aborts when the attempt's time is over. */
  readonly signal: AbortSignal;
}

export interface AttemptOptions {
  /** Time for one attempt, in ms. */
  readonly attemptTimeoutMs: number;
  /** Time for all of them, in ms: no attempt begins later. */
  readonly withinMs: number;
  /** The longest rest between two attempts, in ms; default 1,000. */
  readonly longestBackOffMs?: number;
  /** Asked before every attempt: false ends the call. */
  readonly mayTry?: () => boolean;
  /** Ends the call; an attempt under way is given up. */
  readonly signal?: AbortSignal;
  /** Told of every failed attempt. */
  readonly onError?: (error: unknown) => void;
  /** What the error of an attempt without an answer says, where users see it and not the log tells of it. */
  readonly unanswered?: Unanswered;
}

/** Phrases, for a sentence. */
export interface Unanswered {
  /** Such as `join the fleet`. */
  readonly call: string;
  /** What to do, such as `check the endpoint and the network`. */
  readonly remedy: string;
}

/** The remedies of calls without an answer: the times of an operator's commands are not theirs to set. */
export const remedies = {
  worker: "check the endpoint and the network, and raise leaseDurationMs where the store is only slow",
  operator: "check the endpoint and the network, and ask again",
} as const;

export type AttemptsResult<T> =
  | { readonly ok: true; readonly value: T; readonly firstSentAt: Reading; readonly ambiguous: boolean }
  /** No outcome. `ambiguous`: one of the attempts may have been applied, or may be yet. */
  | { readonly ok: false; readonly error: unknown; readonly ambiguous: boolean };

const firstBackOffMs = 50;
const defaultLongestBackOffMs = 1_000;

/**
 * Makes one bounded call of many attempts. The SDK's own retries are off for lease calls: only here is it known when the
 * first attempt was sent and whether one of them may have been applied. An attempt that does not answer in its time is
 * given up even if the call below it ignores its signal.
 */
export async function attempts<T>(
  clock: Clock,
  random: Random,
  options: AttemptOptions,
  call: (attempt: Attempt) => Promise<T>,
): Promise<AttemptsResult<T>> {
  const { longestBackOffMs = defaultLongestBackOffMs } = options;
  const firstSentAt = clock.now();
  let ambiguous = false;
  let error: unknown;
  for (let number = 1; ; number++) {
    if (options.signal?.aborted === true || options.mayTry?.() === false)
      return { ok: false, error: number === 1 ? neverTried() : error, ambiguous };
    try {
      const value = await oneAttempt(clock, options, (signal) =>
        call({ number, firstSentAt, ambiguous, signal }),
      );
      return { ok: true, value, firstSentAt, ambiguous };
    } catch (thrown) {
      error = thrown;
      options.onError?.(thrown);
      if (!(thrown instanceof StoreError)) throw thrown;
      ambiguous ||= thrown.ambiguous;
      if (!thrown.retryable) return { ok: false, error, ambiguous };
    }
    const backOffMs = jitter(random, Math.min(longestBackOffMs, firstBackOffMs * 2 ** (number - 1)), 0.5, 1);
    // A clock that went back says nothing about how long it has taken: then only the count of attempts bounds it.
    if (observerElapsedMs(firstSentAt, clock.now()) + backOffMs >= options.withinMs || number >= 1_000) {
      return { ok: false, error, ambiguous };
    }
    await sleep(clock, backOffMs, options.signal);
  }
}

function neverTried(): StoreError {
  return new StoreError("store-timeout", "the call was given up before its first attempt", {
    retryable: true,
    ambiguous: false,
  });
}

/** The same for whoever can do nothing without an answer. @throws the error of the last attempt */
export async function answerOf<T>(
  clock: Clock,
  random: Random,
  options: AttemptOptions,
  call: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const result = await attempts(clock, random, options, call);
  if (result.ok) return result.value;
  throw result.error;
}

function withoutAnswer({ attemptTimeoutMs, unanswered }: AttemptOptions): string {
  const said = `no answer within ${String(attemptTimeoutMs)} ms`;
  return unanswered === undefined ? said : `${unanswered.call}: ${said}; ${unanswered.remedy}`;
}

function oneAttempt<T>(
  clock: Clock,
  options: AttemptOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (message: string, reason: LeaseholdError | undefined): void => {
      finish();
      const error = new StoreError("store-timeout", message, { retryable: true, ambiguous: true });
      // Whoever made the call sees why it was given up: for want of an answer, or because nobody wants one any more.
      controller.abort(reason ?? error);
      // What still waited for its turn below is in no doubt: a raise of the epoch for it would only add to the load.
      reject(whyUnsent(controller.signal) ?? error);
    };
    const cancel = clock.setTimer(options.attemptTimeoutMs, () => {
      giveUp(withoutAnswer(options), undefined);
    });
    const onAbort = (): void => {
      giveUp("the call was called off", new LeaseholdError("worker-stopped", "the call was called off"));
    };
    const finish = (): void => {
      cancel();
      options.signal?.removeEventListener("abort", onAbort);
    };
    options.signal?.addEventListener("abort", onAbort, { once: true });
    // Asynchronous even if it throws at once, so that the timer is cancelled however the call ends.
    const calling = async (): Promise<T> => call(controller.signal);
    calling().then(
      (value) => {
        finish();
        resolve(value);
      },
      (error: unknown) => {
        finish();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
