import type { Random } from "../runtime/random.js";

/** Randomness that the seed decides: the same seed, the same draws. */
export interface SeededRandom extends Random {
  readonly seed: string;
  /**
   * Another stream, decided by this one's seed and the name alone: what is drawn from one changes nothing in the other,
   * so that a scenario stays the same when a worker draws once more.
   */
  fork(name: string): SeededRandom;
  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number;
  /** A number from `from` up to but not including `to`. */
  between(from: number, to: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /**
   * One of the list.
   * @throws RangeError when it is empty
   */
  pick<T>(list: readonly T[]): T;
}

/** Four 32-bit words of a string (MurmurHash3's mixing steps): seeds that differ in one sign share nothing. */
function words(text: string): [number, number, number, number] {
  let [a, b, c, d] = [0x6c656173, 0x65686f6c, 0x64736565, 0x64726e67];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ code, 597_399_067);
    b = c ^ Math.imul(b ^ code, 2_869_860_233);
    c = d ^ Math.imul(c ^ code, 951_274_213);
    d = a ^ Math.imul(d ^ code, 2_716_044_179);
  }
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
}

/** sfc32: small, fast, period of at least 2^32, passes PractRand (C. Doty-Humphrey's "small fast counting"). */
function sfc32(text: string): () => number {
  let [a, b, c, counter] = words(text);
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  // The first words still show the seed.
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** A source of seeded randomness, fit for the `Random` port of a worker. */
export function seededRandom(seed: number | string): SeededRandom {
  const name = String(seed);
  const word = sfc32(name);
  let ids = 0;
  const next = (): number => word() / 0x1_0000_0000;
  const hex = (value: number): string => value.toString(16).padStart(8, "0");
  return {
    seed: name,
    next,
    // The count makes an identifier unique within the stream, the draws make it unique among streams.
    id: () => hex(word()) + hex(word()) + hex(ids++),
    fork: (fork) => seededRandom(`${name}/${fork}`),
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    between: (from, to) => from + next() * (to - from),
    chance: (probability) => next() < probability,
    pick: (list) => {
      const index = Math.floor(next() * list.length);
      if (index >= list.length) throw new RangeError("nothing to pick from: the list is empty");
      return list[index] as (typeof list)[number];
    },
  };
}
