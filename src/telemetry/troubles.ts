import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { Clock } from "../runtime/clock.js";

export type TroubleLevel = "warn" | "error";

/** Something that is wrong, said in one sentence. */
export interface Trouble {
  /** What is the same trouble has the same key. */
  readonly key: string;
  readonly level: TroubleLevel;
  readonly message: string;
  /** What to say when it is over; undefined for what happens and does not last. */
  readonly over?: string;
  /** Of a trouble that lasts: the operation whose answer may end it. */
  readonly operation?: string;
}

/** One line to write. */
export interface TroubleLine {
  readonly level: TroubleLevel | "info" | "debug";
  readonly message: string;
  readonly since: string;
  readonly times: number;
}

interface Known extends Trouble {
  readonly openedAt: Reading;
  lastAt: Reading;
  toldAt: Reading;
  times: number;
  untold: number;
  /** One of its operations was answered since it was last seen. */
  answered: boolean;
  readonly operations: Set<string>;
}

/** A trouble that goes on is told again this often, ms. */
const repeatMs = 60_000;
/** It is over when an answer has come and nothing more of it was seen for so long, ms: half of the calls may go through. */
const quietMs = 10_000;

/**
 * Keeps a log readable in bad weather: a trouble is told at once, then once a minute with its count while it goes on, and
 * once more when it is over. It has no timer: whatever happens in the worker is an occasion to look, and something always
 * does.
 */
export class Troubles {
  readonly #clock: Pick<Clock, "now">;
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** It was seen. @returns its line, at `debug` where it was told a short while ago */
  seen(trouble: Trouble): TroubleLine {
    const at = this.#clock.now();
    let known = this.#known.get(trouble.key);
    if (known === undefined) {
      known = { ...trouble, ...first(at) };
      this.#known.set(trouble.key, known);
    }
    known.lastAt = at;
    known.times += 1;
    known.answered = false;
    if (trouble.operation !== undefined) known.operations.add(trouble.operation);
    if (known.times === 1) return lineOf(known, trouble.level, trouble.message);
    known.untold += 1;
    if (holderElapsedMs(known.toldAt, at) < repeatMs) return lineOf(known, "debug", trouble.message);
    return this.#again(known, at, trouble.message);
  }

  /** An operation that had failed was answered. */
  answered(operation: string): void {
    for (const known of this.#known.values()) known.answered ||= known.operations.has(operation);
  }

  /** What has to be said because time has passed: what is over, and what was counted and not yet told. */
  due(): readonly TroubleLine[] {
    if (this.#known.size === 0) return [];
    const at = this.#clock.now();
    const lines: TroubleLine[] = [];
    for (const known of this.#known.values()) {
      if (known.over !== undefined) {
        if (!known.answered || holderElapsedMs(known.lastAt, at) < quietMs) continue;
        this.#known.delete(known.key);
        const lasted = seconds(holderElapsedMs(known.openedAt, known.lastAt));
        lines.push(lineOf(known, "info", `${known.over} after ${lasted}, ${timesOf(known.times)} in all`));
      } else if (holderElapsedMs(known.toldAt, at) >= repeatMs) {
        if (known.untold > 0) lines.push(this.#again(known, at, known.message));
        else this.#known.delete(known.key);
      }
    }
    return lines;
  }

  #again(known: Known, at: Reading, message: string): TroubleLine {
    const inMs = holderElapsedMs(known.toldAt, at);
    const line = lineOf(
      known,
      known.level,
      `${message} (${timesOf(known.untold)} more in the last ${seconds(inMs)})`,
    );
    known.toldAt = at;
    known.untold = 0;
    return line;
  }
}

function first(at: Reading): Omit<Known, keyof Trouble> {
  return {
    openedAt: at,
    lastAt: at,
    toldAt: at,
    times: 0,
    untold: 0,
    answered: false,
    operations: new Set(),
  };
}

function lineOf(known: Known, level: TroubleLine["level"], message: string): TroubleLine {
  return { level, message, since: new Date(known.openedAt.wallMs).toISOString(), times: known.times };
}

function timesOf(times: number): string {
  return times === 1 ? "once" : `${String(times)} times`;
}

function seconds(ms: number): string {
  return `${String(Math.round(ms / 1_000))} s`;
}
