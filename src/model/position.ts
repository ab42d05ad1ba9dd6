import { LeaseholdError } from "./errors.js";

/** The checkpoints that are no sequence number. Names and order are the KCL's (`SentinelCheckpoint`). */
export const sentinels = ["AT_TIMESTAMP", "TRIM_HORIZON", "LATEST", "SHARD_END"] as const;
export type Sentinel = (typeof sentinels)[number];

/**
 * A place in a partition: a sentinel or a decimal sequence number of any length, and the index of a user record inside
 * an aggregated record (0 where there is none).
 */
export interface Position {
  readonly sequenceNumber: string;
  readonly subSequenceNumber: number;
}

const decimal = /^(0|[1-9][0-9]{0,127})$/;
// AT_TIMESTAMP < TRIM_HORIZON < LATEST < every number < SHARD_END (KCL: ExtendedSequenceNumber: -3, -2, -1, infinity).
const sentinelRank: Readonly<Record<Sentinel, number>> = {
  AT_TIMESTAMP: -3,
  TRIM_HORIZON: -2,
  LATEST: -1,
  SHARD_END: 1,
};

export const trimHorizon: Position = { sequenceNumber: "TRIM_HORIZON", subSequenceNumber: 0 };
export const shardEnd: Position = { sequenceNumber: "SHARD_END", subSequenceNumber: 0 };

export function isSentinel(sequenceNumber: string): sequenceNumber is Sentinel {
  return (sentinels as readonly string[]).includes(sequenceNumber);
}

/**
 * Makes a position of what a row or a user gave.
 * @throws LeaseholdError `checkpoint-invalid` when it is neither a sentinel nor a decimal integer
 */
export function position(sequenceNumber: string, subSequenceNumber = 0): Position {
  // A number would pass for its digits, and compares with nothing: no bound would hold it.
  const isText = typeof sequenceNumber === "string";
  if (!isText || (!isSentinel(sequenceNumber) && !decimal.test(sequenceNumber))) {
    throw new LeaseholdError(
      "checkpoint-invalid",
      `checkpoint is ${isText ? JSON.stringify(sequenceNumber) : `of type ${typeof sequenceNumber}`}: it must be one of ${sentinels.join(", ")} or a decimal integer without sign or leading zeros`,
    );
  }
  if (!Number.isSafeInteger(subSequenceNumber) || subSequenceNumber < 0) {
    throw new LeaseholdError(
      "checkpoint-invalid",
      `checkpoint sub-sequence number is ${String(subSequenceNumber)}: it must be an integer from 0 up`,
    );
  }
  return { sequenceNumber, subSequenceNumber };
}

/**
 * Orders two positions: negative when `a` is before `b`. Numbers are compared as integers, never as strings: the store
 * compares decimal strings bytewise, so the order is decided here and the store only compares for equality.
 */
export function comparePositions(a: Position, b: Position): number {
  if (a.sequenceNumber === b.sequenceNumber) return a.subSequenceNumber - b.subSequenceNumber;
  const rankA = isSentinel(a.sequenceNumber) ? sentinelRank[a.sequenceNumber] : 0;
  const rankB = isSentinel(b.sequenceNumber) ? sentinelRank[b.sequenceNumber] : 0;
  if (rankA !== 0 || rankB !== 0) return rankA - rankB;
  // Both are integers without leading zeros: the longer is the greater, and equal lengths compare bytewise.
  if (a.sequenceNumber.length !== b.sequenceNumber.length)
    return a.sequenceNumber.length - b.sequenceNumber.length;
  return a.sequenceNumber < b.sequenceNumber ? -1 : 1;
}

export function samePosition(a: Position, b: Position): boolean {
  return a.sequenceNumber === b.sequenceNumber && a.subSequenceNumber === b.subSequenceNumber;
}

/** Whether the partition has been worked to its end. */
export function isFinished(checkpoint: Position): boolean {
  return checkpoint.sequenceNumber === "SHARD_END";
}

/** A position as one word, for logs: `123`, `123.4`, `TRIM_HORIZON`. */
export function formatPosition(p: Position): string {
  return p.subSequenceNumber === 0 ? p.sequenceNumber : `${p.sequenceNumber}.${String(p.subSequenceNumber)}`;
}
