import { retentionMs } from "./config.js";
import { inRow, tenuresOf, type LeaseRecord, type PastTenure } from "./history-series.js";

/**
 * What can be wrong with a lease's history.
 *
 * - `missing`: epochs of which neither row nor history knows, or whose entry cannot be read.
 * - `begins-late`: the first epoch known is no creation; what was before is missing.
 * - `not-deleted`: the row went without a deletion mark, and its last epochs with it.
 * - `after-deleted`: an epoch follows a deletion mark that is no re-creation.
 * - `duplicate`: an epoch stands there twice. `conflict`: row and history say different things of it.
 * - `overlap`, `time-gap`: an epoch ends after the next began, or before.
 * - `mismatch`: an epoch did not end by what the next began with.
 * - `stranger`: the row shows an epoch or an owner that its tenure does not: somebody else wrote it.
 */
export const historyProblemKinds = [
  "missing",
  "begins-late",
  "not-deleted",
  "after-deleted",
  "duplicate",
  "conflict",
  "overlap",
  "time-gap",
  "mismatch",
  "stranger",
] as const;
export type HistoryProblemKind = (typeof historyProblemKinds)[number];

export interface HistoryProblem {
  readonly leaseKey: string;
  readonly kind: HistoryProblemKind;
  /** The first and last epoch that it is about. */
  readonly epochs: readonly [from: number, to: number];
  /** A sentence for people. */
  readonly text: string;
}

/** A store drops what has expired some time later, and clocks differ: an hour more or less says nothing. */
const slackMs = 3_600_000;

/**
 * Holds a lease's history against the rule: contiguous epochs from a creation to the deletion mark or the row's present
 * one, each ended by what the next began with. A series may begin over a row that showed no tenure, and behind what has
 * been kept for its time.
 * @param nowMs wall time of the reader; used to excuse what has expired, nothing else
 * @returns what is wrong, in the order of the epochs; nothing where all is there
 */
export function verifyHistory(record: LeaseRecord, nowMs: number): readonly HistoryProblem[] {
  const tenures = tenuresOf(record);
  const problems = [...clashes(record), ...beginning(tenures, nowMs)];
  for (const [i, after] of tenures.entries()) {
    const before = tenures[i - 1];
    if (before !== undefined) problems.push(...step(before, after, nowMs));
  }
  problems.push(...ending(record, tenures.at(-1)));
  return problems.sort((a, b) => a.epochs[0] - b.epochs[0]);
}

function problem(
  { leaseKey }: { readonly leaseKey: string },
  kind: HistoryProblemKind,
  from: number,
  to: number,
  text: string,
): HistoryProblem {
  return { leaseKey, kind, epochs: [from, to], text };
}

/** An epoch known from two places. */
function clashes({ leaseKey, row, entries }: LeaseRecord): readonly HistoryProblem[] {
  const problems: HistoryProblem[] = [];
  const byEpoch = new Map<number, PastTenure>();
  for (const entry of entries) {
    const { epoch } = entry;
    if (byEpoch.has(epoch))
      problems.push(
        problem(entry, "duplicate", epoch, epoch, `epoch ${String(epoch)} stands in the history twice`),
      );
    byEpoch.set(epoch, entry);
  }
  for (const tenure of inRow(leaseKey, row)) {
    const entry = byEpoch.get(tenure.epoch);
    if (entry === undefined || begun(entry) === begun(tenure)) continue;
    const text = `epoch ${String(tenure.epoch)} is ${begun(tenure)} in the row and ${begun(entry)} in the history`;
    problems.push(problem(tenure, "conflict", tenure.epoch, tenure.epoch, text));
  }
  return problems;
}

function begun({ worker, reason, cause, since }: PastTenure): string {
  return `${reason}${cause === undefined ? "" : ` (${cause})`} by ${worker ?? "nobody"} at ${since}`;
}

function beginning([first]: readonly PastTenure[], nowMs: number): readonly HistoryProblem[] {
  if (first === undefined || first.reason === "created" || first.first === true) return [];
  if (isExpiredBefore(first, nowMs)) return [];
  const { epoch, reason } = first;
  const text = `it begins with epoch ${String(epoch)} (${reason}): what was before is missing`;
  return [problem(first, "begins-late", epoch, epoch, text)];
}

/** Whether what was before this epoch has been dropped after its time: it was archived when this one's next began. */
function isExpiredBefore({ until }: PastTenure, nowMs: number): boolean {
  return until !== undefined && nowMs - Date.parse(until) >= retentionMs - slackMs;
}

function step(before: PastTenure, after: PastTenure, nowMs: number): readonly HistoryProblem[] {
  if (after.epoch === before.epoch + 1) return succession(before, after);
  // The row was removed and made again: the new series starts far above the old one.
  if (after.reason === "created") return before.reason === "deleted" ? [] : [unmarked(before)];
  if (isExpiredBefore(after, nowMs)) return [];
  const [from, to] = [before.epoch + 1, after.epoch - 1];
  return [problem(after, "missing", from, to, `${epochs(from, to)} missing`)];
}

function succession(before: PastTenure, after: PastTenure): readonly HistoryProblem[] {
  const pair = (kind: HistoryProblemKind, text: string) =>
    problem(after, kind, before.epoch, after.epoch, text);
  const [a, b] = [String(before.epoch), String(after.epoch)];
  if (before.reason === "deleted" && after.reason !== "recreated")
    return [pair("after-deleted", `epoch ${b} (${after.reason}) follows the deletion mark of epoch ${a}`)];
  const problems: HistoryProblem[] = [];
  if (before.reason !== "deleted" && (after.reason === "recreated" || after.reason === "created"))
    problems.push(pair("mismatch", `epoch ${b} is ${after.reason} although epoch ${a} was no deletion mark`));
  // Of a mark whose row was to go, and was made again instead, the history says how it began and no more.
  if (before.until === undefined || (before.reason === "deleted" && before.endedBy === undefined))
    return problems;
  if (before.endedBy !== after.reason || before.endCause !== after.cause) {
    const [ended, began] = [
      why(before.endedBy ?? "nothing", before.endCause),
      why(after.reason, after.cause),
    ];
    problems.push(pair("mismatch", `epoch ${a} ended by ${ended}, and epoch ${b} began as ${began}`));
  }
  if (before.until === after.since) return problems;
  const isOverlap = Date.parse(before.until) > Date.parse(after.since);
  const text = `epoch ${a} lasted until ${before.until}, and epoch ${b} began at ${after.since}`;
  return [...problems, pair(isOverlap ? "overlap" : "time-gap", text)];
}

function why(reason: string, cause: string | undefined): string {
  return cause === undefined ? reason : `${reason} (${cause})`;
}

function unmarked(last: PastTenure): HistoryProblem {
  const text = `the row went after epoch ${String(last.epoch)} (${last.reason}) without a deletion mark: its last epochs are missing`;
  return problem(last, "not-deleted", last.epoch, last.epoch, text);
}

function ending({ leaseKey, row }: LeaseRecord, last: PastTenure | undefined): readonly HistoryProblem[] {
  if (row === undefined) return last === undefined || last.reason === "deleted" ? [] : [unmarked(last)];
  // Nothing of ours was ever in this row: it was made by somebody else, and its history has not begun.
  if (last === undefined) return [];
  if (last.epoch < row.epoch) {
    const from = last.epoch + 1;
    const text = `the row stands at epoch ${String(row.epoch)}, its tenure says ${String(last.epoch)}: ${epochs(from, row.epoch)} somebody else's`;
    return [problem({ leaseKey }, "stranger", from, row.epoch, text)];
  }
  const { tenure, epoch, owner } = row;
  if (tenure?.epoch === epoch && tenure.worker !== owner) {
    const text = `the row is owned by ${owner ?? "nobody"}, its tenure of epoch ${String(epoch)} says ${tenure.worker ?? "nobody"}`;
    return [problem({ leaseKey }, "stranger", epoch, epoch, text)];
  }
  return [];
}

function epochs(from: number, to: number): string {
  return from === to ? `epoch ${String(from)} is` : `epochs ${String(from)} to ${String(to)} are`;
}
