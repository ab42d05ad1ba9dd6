import type { Position } from "../../../model/position.js";
import type { SourceRecord } from "../../partition-source.js";
import { fromBase64 } from "./base64.js";
import type { BodyMemory } from "./body-memory.js";
import type { Body } from "./body.js";
import { CborReader, Name } from "./cbor-reader.js";
import { sourceRecord, unnumbered, withoutPayload, type Decoded } from "./decoded.js";
import { PayloadCopies, PayloadViews } from "./payloads.js";
import { partitionKey, payload, RecordTable, sequenceNumber } from "./record-table.js";
import { opened, type SealedRecords } from "./sealed-records.js";

/**
 * Takes an answer of GetRecords in CBOR apart. Whatever can be wrong with it is found here; its records are made of it later.
 * @param body kept until then
 * @param copy whether their payloads are copied; else they are views that keep the whole body
 * @throws when it is not an answer with records: none may be taken for an empty one
 */
export function decodeCbor(body: Body, memories: BodyMemory, copy: boolean): Decoded {
  const reader = new CborReader(body.bytes);
  const table = new RecordTable(memories);
  const places = new Places(body.bytes.length);
  const rest: [string, unknown][] = [];
  let bytes: number | undefined;
  for (let left = reader.openMap(); reader.hasMore(left); left--) {
    const name = reader.text();
    if (name !== "Records") {
      rest.push([name, reader.value()]);
      continue;
    }
    if (bytes !== undefined) throw new Error("the answer's CBOR has records twice");
    bytes = 0;
    let more = reader.openArray();
    // A count of more than there can be is found out when they end early.
    if (more > 0) table.expect(Math.min(more, Math.ceil(body.bytes.length / leastBytes)));
    for (; reader.hasMore(more); more--) bytes += enter(reader, table, places);
  }
  reader.end();
  if (bytes === undefined) throw new Error("the answer's CBOR has no records");
  // Not before all is read: it may move the body.
  for (const part of places.beside) body.add(part);
  return { records: new RecordsInBody(body, table, bytes, copy), rest: Object.fromEntries(rest) };
}

/** No record is written in less: the names of a payload and a number are longer. */
const leastBytes = 20;

const members = ["Data", "PartitionKey", "SequenceNumber", "ApproximateArrivalTimestamp"] as const;
const memberNames = members.map((name) => new Name(name));

/** Where what was read last begins and ends. What does not lie in the body in one is put behind it. */
class Places {
  readonly beside: Uint8Array[] = [];
  #behind: number;
  start = 0;
  end = 0;

  constructor(bodyBytes: number) {
    this.#behind = bodyBytes;
  }

  /** @param pieces undefined: the reader has just read it in one */
  note(reader: CborReader, pieces: Uint8Array | undefined): void {
    if (pieces === undefined) {
      this.start = reader.stringStart;
      this.end = reader.stringEnd;
      return;
    }
    this.beside.push(pieces);
    this.start = this.#behind;
    this.#behind += pieces.length;
    this.end = this.#behind;
  }
}

/** Enters one record. @returns the bytes of its payload */
function enter(reader: CborReader, table: RecordTable, places: Places): number {
  let payloadStart = -1;
  let payloadEnd = -1;
  let keyStart = 0;
  let keyEnd = 0;
  let numberStart = 0;
  let numberEnd = 0;
  let arrivalMs = NaN;
  for (let left = reader.openMap(); reader.hasMore(left); left--) {
    const member = members[reader.nameAmong(memberNames)];
    if (reader.skipNull()) continue;
    switch (member) {
      case "Data":
        // kinesis-local writes the base64 that its JSON has, as text.
        places.note(reader, reader.nextIsText() ? fromBase64(reader.ascii()) : reader.skipBytes());
        ({ start: payloadStart, end: payloadEnd } = places);
        break;
      case "PartitionKey":
        places.note(reader, reader.skipText());
        ({ start: keyStart, end: keyEnd } = places);
        break;
      case "SequenceNumber":
        places.note(reader, reader.skipText());
        ({ start: numberStart, end: numberEnd } = places);
        break;
      case "ApproximateArrivalTimestamp":
        arrivalMs = milliseconds(reader.value());
        break;
      case undefined:
        // The encryption's type, and members of tomorrow.
        reader.skip();
    }
  }
  if (numberStart === numberEnd) throw unnumbered();
  if (payloadStart < 0) throw withoutPayload(`record ${String(table.count + 1)} of its answer`);
  table.add(payloadStart, payloadEnd, keyStart, keyEnd, numberStart, numberEnd, arrivalMs);
  return payloadEnd - payloadStart;
}

/** In this protocol times are milliseconds, whatever the tag says. Seconds, as JSON has them, are told by their size. */
function milliseconds(time: unknown): number {
  if (typeof time !== "number" || !Number.isFinite(time)) {
    throw new Error("the answer's CBOR has a record whose time is no number");
  }
  return Math.round(time > 1e11 ? time : time * 1_000);
}

/** Records that lie in the body of their answer as they came. */
class RecordsInBody implements SealedRecords {
  readonly count: number;
  readonly bytes: number;
  readonly #copy: boolean;
  readonly #table: RecordTable;
  #body: Body | undefined;

  constructor(body: Body, table: RecordTable, bytes: number, copy: boolean) {
    this.count = table.count;
    this.bytes = bytes;
    this.#body = body;
    this.#table = table;
    this.#copy = copy;
  }

  get heldBytes(): number {
    return this.#present().heldBytes + this.#table.heldBytes;
  }

  position(at: number): Position | undefined {
    const record = at < 0 ? this.count + at : at;
    if (record < 0 || record >= this.count) return undefined;
    return { sequenceNumber: this.#number(this.#present().bytes, record), subSequenceNumber: 0 };
  }

  findPayload(is: (memory: Uint8Array, start: number, end: number) => boolean): number {
    const { bytes } = this.#present();
    for (let record = 0; record < this.count; record++) {
      if (is(bytes, this.#table.start(record, payload), this.#table.end(record, payload))) return record;
    }
    return -1;
  }

  open(): readonly SourceRecord[] {
    const body = this.#present();
    const { bytes } = body;
    const payloads = this.#copy ? new PayloadCopies(bytes) : new PayloadViews(bytes);
    const table = this.#table;
    const records: SourceRecord[] = [];
    for (let record = 0; record < this.count; record++) {
      const start = table.start(record, payload);
      const arrivalMs = table.arrivalMs(record);
      records.push(
        sourceRecord(
          payloads.of(start, table.end(record, payload) - start),
          bytes.toString("utf8", table.start(record, partitionKey), table.end(record, partitionKey)),
          this.#number(bytes, record),
          // The answer did not say.
          Number.isNaN(arrivalMs) ? undefined : arrivalMs,
        ),
      );
    }
    // Only now: where memory for a copy was wanting, they are made at the next attempt. What lies there is the next answer's.
    this.#body = undefined;
    body.letGo();
    table.letGo();
    return records;
  }

  /** ASCII, so read faster. */
  #number(bytes: Buffer, record: number): string {
    const table = this.#table;
    return bytes.toString("latin1", table.start(record, sequenceNumber), table.end(record, sequenceNumber));
  }

  #present(): Body {
    if (this.#body === undefined) throw opened();
    return this.#body;
  }
}
