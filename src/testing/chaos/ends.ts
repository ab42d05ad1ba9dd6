import type { ErrorCode } from "../../model/errors.js";
import type { Journal } from "./journal.js";

/** A process ended, and nobody had asked it to. */
export interface OwnEnd {
  readonly label: string;
  readonly pid: number | undefined;
  /** On the clock of the journals. */
  readonly at: number;
  /** `status 1`, or the signal that ended it. */
  readonly how: string;
  /** What it said of it, where it said anything. */
  readonly code: string | undefined;
}

/** A stretch of bad weather before the services of whoever has this label, or of the children of whoever has it. */
export interface WeatherStretch {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

/** A stretch in which a process stood still: it asked before, and heard nothing until the time for it was over. */
export interface PauseStretch {
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

/** What a supervisor wrote down of its children, as far as nobody had asked for it. */
export interface ChildEnds {
  readonly ends: readonly OwnEnd[];
  /** Children that a stop did not end: their supervisor had to kill them. */
  readonly hanging: readonly string[];
}

/** What a start ends with when its store gave it no answer that it could use, however often it asked. */
const unanswered: ReadonlySet<string> = new Set<ErrorCode>([
  "store-timeout",
  "store-unavailable",
  "store-throttled",
  "source-unavailable",
  "source-throttled",
]);

/**
 * The ends that must not be. One is known: a start ends with status 1 where its services did not answer, for whoever
 * started it to try again; so it is excused in bad weather and in a pause of the run's own making, and only before it is a
 * worker.
 * @returns a sentence about each of the others
 */
export function unexcusedEnds(
  ends: readonly OwnEnd[],
  journals: readonly Journal[],
  hindrances: readonly (WeatherStretch | PauseStretch)[],
): readonly string[] {
  return ends
    .filter((end) => !isUnansweredStart(end, journals, hindrances))
    .map(({ label, pid, how, code }) => {
      const said = code === undefined ? "it said nothing of it" : `it said ${code}`;
      return `${label} (pid ${String(pid)}) ended by itself: ${how}; ${said}`;
    });
}

function isUnansweredStart(
  end: OwnEnd,
  journals: readonly Journal[],
  hindrances: readonly (WeatherStretch | PauseStretch)[],
): boolean {
  const { label, pid, at, how, code } = end;
  if (how !== "status 1" || code === undefined || !unanswered.has(code)) return false;
  // Its journal begins when its handler is loaded; the services are asked after that. Pids come round again.
  const lives = journals.flatMap(({ lines }) =>
    lines.flatMap((line) =>
      line.what === "began" && line.pid === pid && line.label === label && line.at <= at
        ? [{ from: line.at, lines }]
        : [],
    ),
  );
  const life = lives.toSorted((a, b) => a.from - b.from).at(-1);
  if (life === undefined) return false;
  const hasJoined = life.lines.some((line) => line.what === "event" && line.event.type === "worker-created");
  return !hasJoined && hindrances.some((one) => meets(one, end) && one.from <= at && one.to >= life.from);
}

function meets(hindrance: WeatherStretch | PauseStretch, { label, pid }: OwnEnd): boolean {
  if ("pid" in hindrance) return hindrance.pid === pid;
  return label === hindrance.label || label.startsWith(`${hindrance.label}-`);
}

/**
 * What became of children, by the log of the supervisors that had them, one after the other.
 * @param killed whether SIGKILL was sent to this pid by the run itself
 * @param toRunMs from the wall clock of the log to the clock of the journals
 */
export function childEnds(
  log: string,
  killed: (pid: number) => boolean,
  toRunMs: (wallMs: number) => number,
): ChildEnds {
  const ends: OwnEnd[] = [];
  const hanging: string[] = [];
  const codes = new Map<string, string>();
  let isStopping = false;
  for (const text of log.split("\n")) {
    // A child's own last words stand before what its supervisor says of its end.
    const [, who, said] = /^\[([^\]]+)\] ended: .*\(([a-z-]+)\)$/.exec(text) ?? [];
    if (who !== undefined && said !== undefined) codes.set(who, said);
    const line = supervisorLine(text);
    if (line === undefined) continue;
    const { msg, child = "", pid } = line;
    switch (msg) {
      case "child-started":
        // After a stop it is the next supervisor's.
        isStopping = false;
        codes.delete(child);
        break;
      case "stopping":
        isStopping = true;
        break;
      case "child-killed":
        hanging.push(child);
        break;
      case "child-exited": {
        const isAsked = isStopping || (pid !== undefined && killed(pid));
        const { code, signal, error } = line.exit ?? { code: null, signal: null };
        const how = error ?? signal ?? `status ${String(code)}`;
        if (!isAsked)
          ends.push({ label: child, pid, at: toRunMs(Date.parse(line.time)), how, code: codes.get(child) });
        break;
      }
      default:
    }
  }
  return { ends, hanging };
}

interface SupervisorLine {
  readonly label: "supervisor";
  readonly time: string;
  readonly msg: string;
  readonly child?: string;
  readonly pid?: number;
  readonly exit?: { readonly code: number | null; readonly signal: string | null; readonly error?: string };
}

/** @returns undefined for what somebody else has written, and for what a SIGKILL cut short */
function supervisorLine(text: string): SupervisorLine | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const line = JSON.parse(text) as { readonly label?: unknown };
    return line.label === "supervisor" ? (line as SupervisorLine) : undefined;
  } catch {
    return undefined;
  }
}
