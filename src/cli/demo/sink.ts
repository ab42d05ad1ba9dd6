import type { FromWorker, SinkRecord } from "./messages.js";

/** What is aggregated of the flights from one airport. */
export interface Total {
  flights: number;
  delay: number;
  distance: number;
}

export type Totals = ReadonlyMap<string, Readonly<Total>>;

export type SinkWrite = Extract<FromWorker, { demo: "write" }>;

/** Adds one record up. */
export function addTo(totals: Map<string, Total>, [, origin, delay, distance]: SinkRecord): void {
  const total = totals.get(origin) ?? { flights: 0, delay: 0, distance: 0 };
  total.flights++;
  total.delay += delay;
  total.distance += distance;
  totals.set(origin, total);
}

export function sameTotals(a: Totals, b: Totals): boolean {
  return (
    a.size === b.size &&
    [...a].every(([origin, total]) => {
      const other = b.get(origin);
      return (
        other?.flights === total.flights && other.delay === total.delay && other.distance === total.distance
      );
    })
  );
}

/**
 * Where the workers write, fenced the way `lease.fencingToken` is meant: a write under a smaller token than the lease's
 * last is refused. Records are told apart by their number in the input, so that one written twice counts once.
 */
export class Sink {
  readonly totals = new Map<string, Total>();
  readonly #seen = new Set<number>();
  readonly #tokens = new Map<string, number>();
  readonly #processed = new Map<string, number>();
  #duplicates = 0;
  #refused = 0;

  /** Records written, each once. */
  get records(): number {
    return this.#seen.size;
  }

  /** Records that came again, from an owner that could not know that the last one had written them. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** Writes that came too late. */
  get refusedWrites(): number {
    return this.#refused;
  }

  /** The highest token that wrote for the lease; 0 before the first. */
  tokenOf(leaseKey: string): number {
    return this.#tokens.get(leaseKey) ?? 0;
  }

  recordsOf(leaseKey: string): number {
    return this.#processed.get(leaseKey) ?? 0;
  }

  /** @returns whether the write was accepted */
  write({ leaseKey, token, records }: Pick<SinkWrite, "leaseKey" | "token" | "records">): boolean {
    if (token < this.tokenOf(leaseKey)) {
      this.#refused++;
      return false;
    }
    this.#tokens.set(leaseKey, token);
    this.#processed.set(leaseKey, this.recordsOf(leaseKey) + records.length);
    for (const record of records) {
      if (this.#seen.has(record[0])) {
        this.#duplicates++;
        continue;
      }
      this.#seen.add(record[0]);
      addTo(this.totals, record);
    }
    return true;
  }
}
