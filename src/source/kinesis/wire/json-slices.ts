import { Base64Pieces } from "./base64.js";
import { sourceRecord, type Decoded } from "./decoded.js";
import { MadeRecords } from "./sealed-records.js";

const opening = Buffer.from('"Data":"');
const quote = 0x22;

/**
 * Takes an answer of GetRecords in JSON apart. The payloads are cut out of the bytes, and `JSON.parse` sees a number in
 * each one's place: a long string costs more to parse than its base64 to decode.
 * @param firstPlace that number of the first, one that no answer can foresee
 * @throws when it is not written as Kinesis writes it: such a one is for the SDK's own deserialiser
 */
export function decodeJson(body: Buffer, firstPlace: number): Decoded {
  const { text, spans } = cut(body, firstPlace);
  const { Records: given, ...rest } = JSON.parse(text) as { readonly Records?: unknown };
  if (!Array.isArray(given)) throw new Error("no records");
  if (given.length !== spans.length) throw new Error("not one payload for each record");
  const payloads = new Base64Pieces(Math.ceil((body.length * 3) / 4));
  const records = spans.map(({ start, end }, at) =>
    recordOf(given[at], firstPlace + at, payloads.of(body.toString("latin1", start, end))),
  );
  return { records: new MadeRecords(records), rest };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function cut(body: Buffer, firstPlace: number): { readonly text: string; readonly spans: readonly Span[] } {
  const spans: Span[] = [];
  let text = "";
  let from = 0;
  for (let found = body.indexOf(opening); found !== -1; found = body.indexOf(opening, from)) {
    const start = found + opening.length;
    const end = body.indexOf(quote, start);
    if (end === -1) throw new Error("ends early");
    text += body.toString("utf8", from, start - 1) + String(firstPlace + spans.length);
    spans.push({ start, end });
    from = end + 1;
  }
  return { text: text + body.toString("utf8", from), spans };
}

function recordOf(given: unknown, place: number, data: Uint8Array) {
  const record = given as Readonly<Partial<Record<string, unknown>>> | null;
  // The number that was put there: the payload is this record's own, and not that of something in it or beside it.
  if (record?.["Data"] !== place) throw new Error("a payload at an unexpected place");
  const { PartitionKey: key, SequenceNumber: number, ApproximateArrivalTimestamp: time } = record;
  if (typeof key !== "string" || typeof number !== "string")
    throw new Error("a record without key or number");
  if (typeof time === "number") return sourceRecord(data, key, number, Math.round(time * 1_000));
  if (time !== undefined && time !== null) throw new Error("a time that is no number");
  return sourceRecord(data, key, number, undefined);
}
