import { randomBytes } from "node:crypto";
import { uptime } from "node:os";
import type { Reading } from "../model/reading.js";
import type { Cancel, Clock } from "./clock.js";
import type { Random } from "./random.js";

/** The host's clocks. */
export const systemClock: Clock = {
  now(): Reading {
    return { monoMs: performance.now(), bootMs: uptime() * 1000, wallMs: Date.now() };
  },
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(ms: number, fn: () => void): Cancel {
    // What is left of a time that has just run out is below 0, of which newer Nodes warn.
    const timer = setTimeout(fn, Math.max(0, ms));
    return () => {
      clearTimeout(timer);
    };
  },
};

/** The host's randomness. */
export const systemRandom: Random = {
  next: () => Math.random(),
  id: () => randomBytes(12).toString("hex"),
};
