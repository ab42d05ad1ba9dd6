import { hasCode } from "../model/errors.js";

/** What every call to a store takes: one attempt, ended by the signal. Retries are the caller's (`runtime/attempts.ts`). */
export interface Call {
  readonly signal?: AbortSignal;
}

/**
 * The outcome of a conditional write. A refused condition is a value, not an error: `current` is the row as it stood when
 * (or just after) the condition was refused, read consistently where the store does not return it; undefined when there
 * is none.
 */
export type WriteOutcome<Row> =
  { readonly ok: true; readonly row: Row } | { readonly ok: false; readonly current: Row | undefined };

/** The outcome of a conditional write whose refusal needs no row. */
export type PlainOutcome = { readonly ok: boolean };

/** Whether nobody wants the call's outcome any more: that it has none says nothing about the store. */
export function isCalledOff(call: Call | undefined): boolean {
  return call?.signal?.aborted === true && hasCode(call.signal.reason, "worker-stopped");
}
