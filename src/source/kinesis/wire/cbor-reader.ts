import { plainBytes } from "./decoded.js";

const unsigned = 0;
const negative = 1;
const byteString = 2;
const textString = 3;
const array = 4;
const map = 5;
const tag = 6;

/** The length of an item that goes on until its break. Below zero it stays, however often it is counted down. */
const untilBreak = -1;
const breakCode = 0xff;
const nullCode = 0xf6;

/** A name to compare with: four bytes at a time, for names are most of what a small record is written in. */
export class Name {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** As the bytes lie, four of them each; what is left is in `bytes` alone. */
  readonly words: readonly number[];

  constructor(name: string) {
    const bytes = Buffer.from(name);
    this.bytes = bytes;
    this.length = bytes.length;
    this.words = Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readUInt32BE(4 * at));
  }
}

/**
 * Reads CBOR (RFC 8949) item by item, so that records are made without an object in between. What is not well-formed or
 * ends early throws. Entries of maps and arrays are read by `for (let left = r.openMap(); r.hasMore(left); left--)`.
 */
export class CborReader {
  readonly #bytes: Buffer;
  /** The same: its numbers are read where they lie, where a buffer's methods put them together byte by byte. */
  readonly #view: DataView;
  #at = 0;
  #stringStart = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  openMap(): number {
    return this.#open(map);
  }

  openArray(): number {
    return this.#open(array);
  }

  hasMore(left: number): boolean {
    if (left >= 0) return left > 0;
    if (this.#peek() !== breakCode) return true;
    this.#at++;
    return false;
  }

  /** Steps over a null, if that comes next. */
  skipNull(): boolean {
    if (this.#peek() !== nullCode) return false;
    this.#at++;
    return true;
  }

  nextIsText(): boolean {
    return this.#peek() >> 5 === textString;
  }

  text(): string {
    const length = this.#open(textString);
    if (length < 0) return this.#chunks(textString).toString("utf8");
    const start = this.#skip(length);
    return this.#bytes.toString("utf8", start, this.#at);
  }

  /** Text that is ASCII, as names and numbers are: read faster. */
  ascii(): string {
    const length = this.#open(textString);
    if (length < 0) return this.#chunks(textString).toString("latin1");
    const start = this.#skip(length);
    return this.#bytes.toString("latin1", start, this.#at);
  }

  /**
   * Reads a name: its place among these, or -1. It is compared where it lies, because a string of each name of each record
   * would be the most of all that is made here.
   */
  nameAmong(names: readonly Name[]): number {
    const length = this.#open(textString);
    if (length < 0) {
      const name = this.#chunks(textString);
      return names.findIndex(({ bytes }) => name.equals(bytes));
    }
    const start = this.#skip(length);
    for (let place = 0; place < names.length; place++) {
      const known = names[place];
      if (known?.length === length && this.#isAt(start, known)) return place;
    }
    return -1;
  }

  /** Steps over a byte string: undefined where it lies in one, from `stringStart` to `stringEnd`; else it, put together. */
  skipBytes(): Uint8Array | undefined {
    return this.#skipString(byteString);
  }

  /** The same for text. */
  skipText(): Uint8Array | undefined {
    return this.#skipString(textString);
  }

  /** What was stepped over last in one began here. */
  get stringStart(): number {
    return this.#stringStart;
  }

  get stringEnd(): number {
    return this.#at;
  }

  /** A byte string where it lies: a view of what is read. */
  byteView(): Uint8Array {
    const length = this.#open(byteString);
    const { buffer, byteOffset } = this.#bytes;
    if (length >= 0) return new Uint8Array(buffer, byteOffset + this.#skip(length), length);
    return plainBytes(this.#chunks(byteString));
  }

  /** Any item as JavaScript has it. Tags are dropped: a member's name says what it is. */
  value(): unknown {
    switch (this.#peek() >> 5) {
      case unsigned:
        return this.#open(unsigned);
      case negative:
        return -1 - this.#open(negative);
      case byteString:
        return this.byteView();
      case textString:
        return this.text();
      case array: {
        const items: unknown[] = [];
        for (let left = this.openArray(); this.hasMore(left); left--) items.push(this.value());
        return items;
      }
      case map: {
        const entries: [string, unknown][] = [];
        for (let left = this.openMap(); this.hasMore(left); left--) entries.push([this.text(), this.value()]);
        return Object.fromEntries(entries);
      }
      case tag:
        this.#open(tag);
        return this.value();
      default:
        return this.#simple();
    }
  }

  /** Steps over any item: nothing is made of it. */
  skip(): void {
    switch (this.#peek() >> 5) {
      case byteString:
        this.#skipString(byteString);
        return;
      case textString:
        this.#skipString(textString);
        return;
      case tag:
        this.#open(tag);
        this.skip();
        return;
      default:
        this.value();
    }
  }

  /** @throws when anything is left */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#malformed("something comes after the end");
  }

  #peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#malformed("ends early");
    return byte;
  }

  #isAt(start: number, { length, words, bytes }: Name): boolean {
    const view = this.#view;
    let at = 0;
    for (; at + 4 <= length; at += 4) if (view.getUint32(start + at) !== words[at >> 2]) return false;
    for (; at < length; at++) if (this.#bytes[start + at] !== bytes[at]) return false;
    return true;
  }

  /** The head of an item of this major type: its argument, below zero for one that goes on until a break. */
  #open(major: number): number {
    const head = this.#peek();
    if (head >> 5 !== major) {
      throw this.#malformed(`has major type ${String(head >> 5)} where ${String(major)} is expected`);
    }
    this.#at++;
    const info = head & 0x1f;
    if (info < 24) return info;
    // Only what has a length can go on until a break.
    if (info === 31 && major >= byteString && major <= map) return untilBreak;
    if (info > 27) throw this.#malformed("has a head of no meaning");
    return this.#argument(1 << (info - 24));
  }

  #argument(size: number): number {
    const start = this.#skip(size);
    if (size === 1) return this.#view.getUint8(start);
    if (size === 2) return this.#view.getUint16(start);
    if (size === 4) return this.#view.getUint32(start);
    return this.#view.getUint32(start) * 2 ** 32 + this.#view.getUint32(start + 4);
  }

  #skipString(major: number): Uint8Array | undefined {
    const length = this.#open(major);
    if (length < 0) return plainBytes(this.#chunks(major));
    this.#stringStart = this.#skip(length);
    return undefined;
  }

  /** Where what is stepped over begins. */
  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#malformed("ends early");
    this.#at = start + length;
    return start;
  }

  /** A string in pieces, each of them with its length. In memory of its own. */
  #chunks(major: number): Buffer {
    const chunks: Buffer[] = [];
    while (this.hasMore(untilBreak)) {
      const length = this.#open(major);
      if (length < 0) throw this.#malformed("has pieces within a piece");
      const start = this.#skip(length);
      chunks.push(this.#bytes.subarray(start, this.#at));
    }
    return Buffer.concat(chunks);
  }

  #simple(): unknown {
    const head = this.#peek();
    this.#at++;
    switch (head & 0x1f) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 23:
        return undefined;
      case 25:
        return halfFloat(this.#argument(2));
      case 26:
        return this.#view.getFloat32(this.#skip(4));
      case 27:
        return this.#view.getFloat64(this.#skip(8));
      default:
        throw this.#malformed("has a simple value of no meaning");
    }
  }

  #malformed(what: string): Error {
    return new Error(
      `the answer's CBOR ${what}, at byte ${String(this.#at)} of ${String(this.#bytes.length)}`,
    );
  }
}

/** IEEE 754 binary16, for which Node 20 has no reader. */
function halfFloat(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
