import { holderElapsedMs, observerElapsedMs, type Reading } from "./reading.js";
import { tombstoneBeat } from "./worker-row.js";

/** What an observer's own acknowledged beats say: only time in which it could also beat counts. */
export interface OwnBeats {
  /** Raised each time a gap in the acknowledgements ends; 0 before the first. */
  readonly streak: number;
  /** How many there were. */
  readonly count: number;
  readonly lastAt: Reading | undefined;
}

/** What an observer knows of one worker row. */
export interface Observation {
  readonly beat: number;
  readonly lastReadAt: Reading;
  /** From when the silence counts; undefined until reads and own beats have come again after a gap. */
  readonly countFrom: Reading | undefined;
  /** The streak of own beats that the count belongs to. */
  readonly streak: number;
  /** After a gap in the reads: the count starts with the first read after more own beats than these. */
  readonly afterCount: number;
}

export type Verdict =
  /** Silent for T: it may be fenced, under exactly this beat. */
  | { readonly kind: "silent"; readonly beat: number }
  /** To be looked at again after this time. */
  | { readonly kind: "counting"; readonly leftMs: number }
  /** The time does not count: no reads or no beats of our own for too long, or a clock went back. */
  | { readonly kind: "not-counting" };

export const noBeats: OwnBeats = { streak: 0, count: 0, lastAt: undefined };

/** An own beat was acknowledged at `at` (when the answer was seen). */
export function beatAcknowledged(own: OwnBeats, at: Reading, blindGapMs: number): OwnBeats {
  const gap = own.lastAt === undefined || isGap(own.lastAt, at, blindGapMs);
  return { streak: gap ? own.streak + 1 : own.streak, count: own.count + 1, lastAt: at };
}

/**
 * A read showed the row with this beat; `at` is when the answer was received, which is after the beat was applied, so
 * that counting from it can never start before the beat was sent.
 */
export function observe(
  previous: Observation | undefined,
  beat: number,
  at: Reading,
  own: OwnBeats,
  blindGapMs: number,
): Observation {
  // A tombstone stands where a row was deleted: it is no older row but another one, to be watched from here on.
  const isBuried = beat === tombstoneBeat && previous?.beat !== tombstoneBeat;
  if (previous === undefined || beat > previous.beat || isBuried) {
    return {
      beat,
      lastReadAt: at,
      countFrom: own.streak === 0 ? undefined : at,
      streak: own.streak,
      afterCount: 0,
    };
  }
  // An eventually consistent read may show an older row: it says nothing new, and it is a read all the same.
  if (isGap(previous.lastReadAt, at, blindGapMs)) {
    const { count, streak } = own;
    return { beat: previous.beat, lastReadAt: at, countFrom: undefined, streak, afterCount: count };
  }
  const restart = previous.streak !== own.streak || wentBack(previous.countFrom, at);
  const countFrom = restart ? undefined : previous.countFrom;
  const mayCount = own.streak > 0 && own.count > previous.afterCount;
  return {
    beat: previous.beat,
    lastReadAt: at,
    countFrom: countFrom ?? (mayCount ? at : undefined),
    streak: own.streak,
    afterCount: previous.afterCount,
  };
}

/**
 * What may be done about the row now. Asked before every single attempt of a fence: a gap that is still open shows here.
 * @param expiryMs T
 */
export function verdict(
  observation: Observation,
  own: OwnBeats,
  now: Reading,
  limits: { readonly expiryMs: number; readonly blindGapMs: number },
): Verdict {
  const { countFrom, lastReadAt, streak, beat } = observation;
  if (
    countFrom === undefined ||
    own.lastAt === undefined ||
    streak !== own.streak ||
    isGap(own.lastAt, now, limits.blindGapMs) ||
    isGap(lastReadAt, now, limits.blindGapMs) ||
    wentBack(countFrom, now)
  ) {
    return { kind: "not-counting" };
  }
  const leftMs = limits.expiryMs - observerElapsedMs(countFrom, now);
  return leftMs <= 0 ? { kind: "silent", beat } : { kind: "counting", leftMs };
}

// A gap on any clock is a gap: a suspend, which the monotonic clock does not see, is blind time too.
function isGap(from: Reading, to: Reading, blindGapMs: number): boolean {
  return holderElapsedMs(from, to) > blindGapMs;
}

function wentBack(from: Reading | undefined, to: Reading): boolean {
  return from !== undefined && observerElapsedMs(from, to) < 0;
}
