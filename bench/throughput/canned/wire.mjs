// The two formats in which Kinesis is spoken: JSON 1.1, as the SDK for JavaScript sends it, and CBOR 1.1, as the one for
// Java does. Off the hot path: batches of records are laid out by tape.mjs.

/** CBOR's head: the major type and a length or a number. */
export function cborHead(major, value) {
  const type = major << 5;
  if (value < 24) return Buffer.from([type | value]);
  if (value < 2 ** 8) return Buffer.from([type | 24, value]);
  const bytes = value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8;
  const head = Buffer.alloc(1 + bytes);
  head[0] = type | { 2: 25, 4: 26, 8: 27 }[bytes];
  if (bytes === 8) head.writeBigUInt64BE(BigInt(value), 1);
  else head.writeUIntBE(value, 1, bytes);
  return head;
}

export function cborText(text) {
  return Buffer.concat([cborHead(3, Buffer.byteLength(text)), Buffer.from(text)]);
}

/** A moment: seconds with three digits in JSON, tagged milliseconds in CBOR. */
export class Moment {
  constructor(ms) {
    this.ms = ms;
  }

  toJSON() {
    return this.ms / 1_000;
  }
}

function cbor(value) {
  if (typeof value === "string") return cborText(value);
  if (typeof value === "number") return cborHead(0, value);
  if (typeof value === "boolean") return Buffer.from([value ? 0xf5 : 0xf4]);
  if (value instanceof Moment) return Buffer.concat([cborHead(6, 1), cborHead(0, value.ms)]);
  if (Array.isArray(value)) return Buffer.concat([cborHead(4, value.length), ...value.map(cbor)]);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Buffer.concat([
    cborHead(5, members.length),
    ...members.flatMap(([name, member]) => [cborText(name), cbor(member)]),
  ]);
}

/** Reads a request: maps, arrays, texts, bytes, whole numbers and moments, with lengths or without. */
class CborReader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  value() {
    const head = this.#byte();
    const [major, info] = [head >> 5, head & 31];
    if (major === 7) return this.#simple(info);
    const length = this.#length(info);
    switch (major) {
      case 0:
        return length;
      case 1:
        return -1 - length;
      case 2:
        return this.#chunks(length);
      case 3:
        return this.#chunks(length).toString();
      case 4:
        return this.#items(length, () => this.value());
      case 5:
        return Object.fromEntries(this.#items(length, () => [this.value(), this.value()]));
      default:
        // A tag says how to read what follows; here all are read as they are.
        return this.value();
    }
  }

  #byte() {
    if (this.#at >= this.#bytes.length) throw new RangeError("the request ends too early");
    return this.#bytes[this.#at++];
  }

  #slice(length) {
    if (this.#at + length > this.#bytes.length) throw new RangeError("the request ends too early");
    return this.#bytes.subarray(this.#at, (this.#at += length));
  }

  /** Undefined where only the end will tell. */
  #length(info) {
    if (info < 24) return info;
    if (info === 31) return undefined;
    if (info > 27) throw new RangeError(`no such length: ${info}`);
    const bytes = this.#slice(2 ** (info - 24));
    return bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, bytes.length);
  }

  #isOver() {
    if (this.#bytes[this.#at] !== 0xff) return false;
    this.#at++;
    return true;
  }

  #items(length, read) {
    const items = [];
    while (length === undefined ? !this.#isOver() : items.length < length) items.push(read());
    return items;
  }

  #chunks(length) {
    if (length !== undefined) return this.#slice(length);
    return Buffer.concat(this.#items(undefined, () => this.#slice(this.#length(this.#byte() & 31))));
  }

  #simple(info) {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22 || info === 23) return undefined;
    if (info === 26) return this.#slice(4).readFloatBE();
    if (info === 27) return this.#slice(8).readDoubleBE();
    throw new RangeError(`no such value: ${info}`);
  }
}

export const json = {
  name: "json",
  contentType: "application/x-amz-json-1.1",
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(bytes.toString()),
};

export const cbor11 = {
  name: "cbor",
  contentType: "application/x-amz-cbor-1.1",
  encode: cbor,
  decode: (bytes) => new CborReader(bytes).value(),
};
