import type { LeaseholdEvent } from "../../model/events.js";
import { Monitor, type MonitorOptions, type Violation } from "./monitor.js";

/**
 * One line of a trace: an event at its instant, or a death. Times are ms on one clock for all sources; a source is one
 * process.
 */
export type TraceLine =
  | { readonly at: number; readonly source: string; readonly event: LeaseholdEvent }
  | { readonly at: number; readonly source: string; readonly died: true };

/** What a trace showed. */
export interface TraceCheck {
  readonly events: number;
  readonly sources: number;
  readonly violations: readonly Violation[];
}

/**
 * Checks a whole trace, in the order of its times: lines of JSON (see `TraceLine`), of one process or of many, each
 * process's own in their order. A violation's index counts the events so ordered.
 * @throws Error naming the line that is none
 */
export function checkTrace(lines: Iterable<string>, options: MonitorOptions): TraceCheck {
  const trace: TraceLine[] = [];
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line.trim() !== "") trace.push(parse(line, number));
  }
  // Stable: what one process did in one instant stays as it was written.
  trace.sort((a, b) => a.at - b.at);
  const violations: Violation[] = [];
  const monitor = new Monitor(options, (violation) => violations.push(violation));
  for (const line of trace) {
    if ("died" in line) monitor.died(line.source);
    else monitor.take(line.at, line.source, line.event);
  }
  return { events: monitor.events, sources: new Set(trace.map(({ source }) => source)).size, violations };
}

function parse(line: string, number: number): TraceLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Error(`line ${number} of the trace is no JSON: ${line.slice(0, 80)}`, { cause: error });
  }
  if (!isTraceLine(value)) {
    throw new Error(
      `line ${number} of the trace is ${line.slice(0, 80)}: it must have at (ms), source, and event or died`,
    );
  }
  return value;
}

function isTraceLine(value: unknown): value is TraceLine {
  if (typeof value !== "object" || value === null) return false;
  const { at, source, event, died } = value as Partial<Record<"at" | "source" | "event" | "died", unknown>>;
  if (typeof at !== "number" || !Number.isFinite(at) || typeof source !== "string") return false;
  if (died === true) return true;
  const type = (event as { readonly type?: unknown } | null | undefined)?.type;
  const workerId = (event as { readonly workerId?: unknown } | null | undefined)?.workerId;
  return typeof type === "string" && typeof workerId === "string";
}
