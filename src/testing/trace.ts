import { createHash } from "node:crypto";

/** One line of a trace: when, who, what. */
export interface TraceEntry {
  /** True time, ms. */
  readonly t: number;
  /** `2.1` is the second process in slot 2; `store`, `stream` and `fault` are themselves. */
  readonly who: string;
  readonly [detail: string]: unknown;
}

export interface TraceOptions {
  /** `all` keeps every line and makes the digest; `last` keeps only the newest, as values, which is faster. Default `last`. */
  readonly keep?: "all" | "last";
  /** How many lines `last` keeps. Default 400. */
  readonly lines?: number;
  /** Told of each line as it comes, without its line feed. */
  readonly onLine?: (line: string) => void;
}

/** A line as it is kept: made a text only where somebody reads it. */
interface Kept {
  readonly t: number;
  readonly who: string;
  readonly what: object;
}

/** What happened in a simulation, as lines of JSON: the same seed gives the same bytes. */
export class Trace {
  readonly #keep: "all" | "last";
  readonly #limit: number;
  readonly #onLine: TraceOptions["onLine"];
  #entries: Kept[] = [];
  #count = 0;

  constructor(options: TraceOptions = {}) {
    this.#keep = options.keep ?? "last";
    this.#limit = options.lines ?? 400;
    this.#onLine = options.onLine;
  }

  /** Lines so far, whether kept or not. */
  get count(): number {
    return this.#count;
  }

  add(entry: TraceEntry): void {
    this.event(entry.t, entry.who, entry);
  }

  /** The same of an event as it is: there are thousands, and copies of them would cost more than all else here. */
  event(t: number, who: string, what: object): void {
    this.#count++;
    const kept = { t, who, what };
    this.#onLine?.(asLine(kept));
    this.#entries.push(kept);
    // Let it grow to twice the limit, then halve it: a shift at every line would cost more than the line.
    if (this.#keep === "last" && this.#entries.length > 2 * this.#limit) {
      this.#entries = this.#entries.slice(-this.#limit);
    }
  }

  /** The newest lines, oldest first. */
  last(lines = this.#limit): readonly string[] {
    return this.#entries.slice(-lines).map(asLine);
  }

  /** Every line kept, each ended by a line feed. */
  text(): string {
    return this.#entries.map((entry) => `${asLine(entry)}\n`).join("");
  }

  /** SHA-256 of `text()`, hexadecimal. */
  digest(): string {
    return createHash("sha256").update(this.text()).digest("hex");
  }
}

/** Times are cut to the microsecond: below it they are the grid's business. */
function asLine({ t, who, what }: Kept): string {
  const line = Object.assign({ t, who }, what, { t: Math.round(t * 1_000) / 1_000 });
  return JSON.stringify(line, (_key, value: unknown) =>
    value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value,
  );
}
