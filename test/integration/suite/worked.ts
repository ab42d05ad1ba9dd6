import type { Seen } from "../../../src/testing/index.js";

/** What the suite's handler says of a lease's begin, and of each batch that it was handed. */
interface Told {
  readonly leaseKey: string;
  readonly texts: readonly string[];
  /** The last record's sequence number, where there is a record. */
  readonly to?: string;
  /** The checkpoint that the tenure begins after; a sentinel where there is none. */
  readonly from: string;
}

function told(message: "begin" | "working" | "done", events: readonly Seen[]): readonly Told[] {
  return events.flatMap((event) =>
    event.type === "logged" && event.message === message ? [event.fields as unknown as Told] : [],
  );
}

/**
 * The texts that nobody is to be handed any more: their checkpoint got through, or had landed although nobody said so,
 * because its answer was lost and the tenure ended before it was known, or because the process was killed between the
 * answer and its word. Then the next tenure begins after it. A text that nobody was handed is never among them.
 */
export function workedIn(events: readonly Seen[]): ReadonlySet<string> {
  const begins = new Map<string, bigint>();
  for (const { leaseKey, from } of told("begin", events)) {
    const at = /^\d+$/.test(from) ? BigInt(from) : 0n;
    if (at > (begins.get(leaseKey) ?? -1n)) begins.set(leaseKey, at);
  }
  const landed = told("working", events).filter(
    ({ leaseKey, to }) => to !== undefined && BigInt(to) <= (begins.get(leaseKey) ?? -1n),
  );
  return new Set([...told("done", events), ...landed].flatMap(({ texts }) => texts));
}
