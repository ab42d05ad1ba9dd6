import type { SourceRecord } from "../../partition-source.js";
import type { SealedRecords } from "./sealed-records.js";

/** An answer of GetRecords, taken apart next to the wire. */
export interface Decoded {
  readonly records: SealedRecords;
  /** Every other member of the answer, as JSON has it: the SDK's own deserialiser reads them. */
  readonly rest: object;
}

/**
 * A record, whatever brought it: always made here, of the same members in the same order, so that code which reads records
 * sees objects of one shape.
 * @throws for one without payload or number: neither an empty payload nor a place of no meaning may stand for it
 */
export function sourceRecord(
  data: Uint8Array | undefined,
  partitionKey: string,
  sequenceNumber: string | undefined,
  arrivalMs: number | undefined,
): SourceRecord {
  if (sequenceNumber === undefined || sequenceNumber === "") throw unnumbered();
  if (data === undefined) throw withoutPayload(sequenceNumber);
  return { data, partitionKey, sequenceNumber, subSequenceNumber: 0, arrivalMs };
}

export function unnumbered(): Error {
  return new Error("Kinesis answered with a record without a sequence number (SequenceNumber)");
}

/** @param which for people */
export function withoutPayload(which: string): Error {
  return new Error(`Kinesis answered with a record without a payload (Data): ${which}`);
}

/** A buffer's bytes as the plain `Uint8Array` that the SDK hands out: a `Buffer` slices, prints and compares otherwise. */
export function plainBytes({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
