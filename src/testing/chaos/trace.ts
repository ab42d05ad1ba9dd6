import { clockRateBound, resolveProtocol } from "../../model/config.js";
import { checkTrace, type TraceCheck } from "../monitor/check-trace.js";
import type { ChaosRun } from "./journal.js";

/** An event is written down so soon after its instant, unless the process is stopped in between. */
const toldWithinMs = 5;

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

/** What the events of a run show that the protocol does not allow, by a judge that knows nothing of the code. */
export function checkRun(run: Pick<ChaosRun, "journals">, leaseDurationMs: number): TraceCheck {
  return checkTrace(traceOf(run), {
    ...resolveProtocol({ leaseDurationMs }),
    clockRateBound,
    isWhole: true,
    automaticCheckpoints: true,
    clocksJump: false,
    slackMs: toldWithinMs,
  });
}
