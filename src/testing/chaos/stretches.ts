import type { Journal } from "./journal.js";

/** A stretch of time in which a worker may have acted on a lease, under one epoch. */
export interface Stretch {
  readonly process: string;
  readonly worker: string;
  readonly lease: string;
  readonly epoch: number;
  readonly from: number;
  /** The end, by what the worker said: the last deadline, or earlier, when it was told that it is over. */
  readonly until: number;
  /** The end in truth: a dead process acts no more. */
  readonly to: number;
}

interface Open {
  readonly worker: string;
  readonly lease: string;
  readonly epoch: number;
  readonly from: number;
  until: number;
  overAt: number | undefined;
}

/** One process's stretches of belief. Of one tenure they are one: a belief that came back would be a new tenure. */
export function stretchesOf({ name, lines, killedAt }: Journal): readonly Stretch[] {
  const tenures = new Map<string, Open>();
  for (const line of lines) {
    if (line.what !== "belief" && line.what !== "belief-over") continue;
    const key = stretchKey(line);
    const open = tenures.get(key);
    if (line.what === "belief-over") {
      if (open !== undefined) open.overAt ??= line.at;
    } else if (open === undefined) {
      const { worker, lease, epoch, at, until } = line;
      tenures.set(key, { worker, lease, epoch, from: at, until, overAt: undefined });
    } else {
      open.until = Math.max(open.until, line.until);
      // What is said after the end was not the end: it must not be hidden by what was told before.
      open.overAt = undefined;
    }
  }
  const diedAt = killedAt === undefined ? Infinity : Math.max(killedAt, lastAt(lines));
  return [...tenures.values()].map(({ worker, lease, epoch, from, until: deadline, overAt }) => {
    const until = Math.max(from, Math.min(deadline, overAt ?? Infinity));
    return { process: name, worker, lease, epoch, from, until, to: Math.min(until, diedAt) };
  });
}

/** Names a tenure within a process. */
export function stretchKey(of: Pick<Stretch, "worker" | "lease" | "epoch">): string {
  return `${of.worker} ${of.lease} ${String(of.epoch)}`;
}

function lastAt(lines: Journal["lines"]): number {
  return lines.reduce((last, { at }) => Math.max(last, at), -Infinity);
}
