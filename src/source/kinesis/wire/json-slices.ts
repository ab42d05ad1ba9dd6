import { plainBytes, sourceRecord, type Decoded } from "./decoded.js";

const opening = Buffer.from('"Data":"');
const quote = 0x22;
const equalsSign = 0x3d;
const dash = 0x2d;
const underscore = 0x5f;

/**
 * Takes an answer of GetRecords in JSON apart. The payloads are cut out of the bytes, and `JSON.parse` sees a number in
 * each one's place: a long string costs more to parse than its base64 to decode.
 * @throws when it is not written as Kinesis writes it: such a one is for the SDK's own deserialiser
 */
export function decodeJson(body: Buffer): Decoded {
  const { text, spans } = cut(body);
  const { Records: given, ...rest } = JSON.parse(text) as { readonly Records?: unknown };
  if (!Array.isArray(given)) throw new Error("no records");
  if (given.length !== spans.length) throw new Error("not one payload for each record");
  const hasDash = finder(body, dash);
  const hasUnderscore = finder(body, underscore);
  let bytes = 0;
  const records = spans.map(({ start, end }, at) => {
    // Node takes the base64 of URLs for base64, and the SDK does not.
    if (hasDash(start, end) || hasUnderscore(start, end)) throw new Error("not base64");
    const data = payload(body, start, end);
    bytes += data.length;
    return recordOf(given[at], at, data);
  });
  return { records, bytes, rest };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function cut(body: Buffer): { readonly text: string; readonly spans: readonly Span[] } {
  const spans: Span[] = [];
  let text = "";
  let from = 0;
  for (let found = body.indexOf(opening); found !== -1; found = body.indexOf(opening, from)) {
    const start = found + opening.length;
    const end = body.indexOf(quote, start);
    if (end === -1) throw new Error("ends early");
    text += body.toString("utf8", from, start - 1) + String(spans.length);
    spans.push({ start, end });
    from = end + 1;
  }
  return { text: text + body.toString("utf8", from), spans };
}

function recordOf(given: unknown, at: number, data: Uint8Array) {
  const record = given as Readonly<Partial<Record<string, unknown>>> | null;
  // The number that was put there: the payload is this record's own, and not that of something in it or beside it.
  if (record?.["Data"] !== at) throw new Error("a payload at an unexpected place");
  const { PartitionKey: key, SequenceNumber: number, ApproximateArrivalTimestamp: time } = record;
  if (typeof key !== "string" || typeof number !== "string")
    throw new Error("a record without key or number");
  if (typeof time === "number") return sourceRecord(data, key, number, Math.round(time * 1_000));
  if (time !== undefined && time !== null) throw new Error("a time that is no number");
  return sourceRecord(data, key, number, undefined);
}

function payload(body: Buffer, start: number, end: number): Uint8Array {
  const data = Buffer.from(body.toString("latin1", start, end), "base64");
  // Node leaves out what is no base64, an escape of JSON too, without a word: the length tells.
  const padding = start === end || body[end - 1] !== equalsSign ? 0 : body[end - 2] === equalsSign ? 2 : 1;
  if (data.length !== ((end - start) / 4) * 3 - padding) throw new Error("not base64");
  return plainBytes(data);
}

/** Whether a byte is in a stretch. Each stretch asked about lies behind the one before, so nothing is searched twice. */
function finder(body: Buffer, byte: number): (start: number, end: number) => boolean {
  let found = -1;
  return (start, end) => {
    if (found < start) found = body.indexOf(byte, start);
    if (found === -1) found = body.length;
    return found < end;
  };
}
