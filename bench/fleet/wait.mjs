import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../../scripts/host-clock.mjs";

/** Asks until the answer is neither undefined nor false, and returns it. */
export async function until(what, seconds, condition, everyMs = 25) {
  const deadline = nowMs() + seconds * 1_000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (nowMs() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(everyMs);
  }
}
