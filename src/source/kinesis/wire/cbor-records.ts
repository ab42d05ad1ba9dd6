import type { SourceRecord } from "../../partition-source.js";
import { fromBase64 } from "./base64.js";
import { CborReader } from "./cbor-reader.js";
import { sourceRecord, type Decoded } from "./decoded.js";
import type { Payloads } from "./payloads.js";

/**
 * Takes an answer of GetRecords in CBOR apart.
 * @param payloads of that body
 * @throws when it is not an answer with records: none may be taken for an empty one
 */
export function decodeCbor(body: Buffer, payloads: Payloads): Decoded {
  const reader = new CborReader(body);
  const rest: [string, unknown][] = [];
  let records: SourceRecord[] | undefined;
  let bytes = 0;
  for (let left = reader.openMap(); reader.hasMore(left); left--) {
    const name = reader.text();
    if (name !== "Records") {
      rest.push([name, reader.value()]);
      continue;
    }
    if (records !== undefined) throw new Error("the answer's CBOR has records twice");
    records = [];
    for (let more = reader.openArray(); reader.hasMore(more); more--) {
      const record = readRecord(reader, payloads);
      bytes += record.data.length;
      records.push(record);
    }
  }
  reader.end();
  if (records === undefined) throw new Error("the answer's CBOR has no records");
  return { records, bytes, rest: Object.fromEntries(rest) };
}

const members = ["Data", "PartitionKey", "SequenceNumber", "ApproximateArrivalTimestamp"] as const;
const memberNames = members.map((name) => Buffer.from(name));

function readRecord(reader: CborReader, payloads: Payloads): SourceRecord {
  let data: Uint8Array | undefined;
  let partitionKey: string | undefined;
  let sequenceNumber: string | undefined;
  let arrivalMs: number | undefined;
  for (let left = reader.openMap(); reader.hasMore(left); left--) {
    const member = members[reader.nameAmong(memberNames)];
    if (reader.skipNull()) continue;
    switch (member) {
      case "Data":
        data = payload(reader, payloads);
        break;
      case "PartitionKey":
        partitionKey = reader.text();
        break;
      case "SequenceNumber":
        sequenceNumber = reader.ascii();
        break;
      case "ApproximateArrivalTimestamp":
        arrivalMs = milliseconds(reader.value());
        break;
      case undefined:
        // The encryption's type, and members of tomorrow.
        reader.value();
    }
  }
  return sourceRecord(data, partitionKey ?? "", sequenceNumber, arrivalMs);
}

function payload(reader: CborReader, payloads: Payloads): Uint8Array {
  // kinesis-local writes the base64 that its JSON has, as text.
  if (reader.nextIsText()) return fromBase64(reader.ascii());
  return reader.payload(payloads);
}

/** In this protocol times are milliseconds, whatever the tag says. Seconds, as JSON has them, are told by their size. */
function milliseconds(time: unknown): number {
  if (typeof time !== "number" || !Number.isFinite(time)) {
    throw new Error("the answer's CBOR has a record whose time is no number");
  }
  return Math.round(time > 1e11 ? time : time * 1_000);
}
