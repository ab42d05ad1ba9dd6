import type { ChaosRun } from "./journal.js";

/**
 * The events and deaths of a run as lines of a trace for the monitor (`src/testing/monitor/`): each process a source, in its
 * own order. Who was killed died with its last word, if that came after the signal was sent.
 */
export function traceOf({ journals }: Pick<ChaosRun, "journals">): readonly string[] {
  return journals.flatMap(({ name: source, lines, killedAt }) => {
    const events = lines.filter((line) => line.what === "event");
    const told = events.map(({ at, event }) => JSON.stringify({ at, source, event }));
    if (killedAt === undefined) return told;
    const at = Math.max(killedAt, events.at(-1)?.at ?? killedAt);
    return [...told, JSON.stringify({ at, source, died: true })];
  });
}
