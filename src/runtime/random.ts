/** Randomness as a port, so that a simulation can seed it. */
export interface Random {
  /** A number from 0 up to but not including 1. */
  next(): number;
  /** A fresh identifier: 16 lower-case hexadecimal digits or more, never the same twice. */
  id(): string;
}

/** A duration scattered evenly over [from, to] times itself, so that a fleet does not beat in step. */
export function jitter(random: Random, ms: number, from: number, to: number): number {
  return ms * (from + (to - from) * random.next());
}
