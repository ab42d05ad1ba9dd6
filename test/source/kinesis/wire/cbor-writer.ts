import fc from "fast-check";

/** Milliseconds since the epoch as a timestamp of this protocol. */
export class Time {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
}

export interface Style {
  /** Lengths left open, and strings in pieces. */
  readonly open?: boolean;
  /** Lengths written in so many bytes, where they fit in fewer. */
  readonly wide?: boolean;
}

/** CBOR in every way that a server may write it: a second implementation, of writing only, for tests. */
export function cbor(value: unknown, style: Style = {}): Buffer {
  const head = (major: number, n: number): Buffer => {
    const wide = style.wide === true;
    if (n < 24 && !wide) return Buffer.of((major << 5) | n);
    if (n < 2 ** 8 && !wide) return Buffer.of((major << 5) | 24, n);
    if (n < 2 ** 16) return Buffer.of((major << 5) | 25, n >> 8, n & 0xff);
    const long = Buffer.alloc(n < 2 ** 32 ? 5 : 9, (major << 5) | (n < 2 ** 32 ? 26 : 27));
    if (n < 2 ** 32) long.writeUInt32BE(n, 1);
    else long.writeBigUInt64BE(BigInt(n), 1);
    return long;
  };
  const string = (major: number, bytes: Buffer): Buffer => {
    if (style.open !== true) return Buffer.concat([head(major, bytes.length), bytes]);
    const middle = bytes.length >> 1;
    const pieces = [bytes.subarray(0, middle), bytes.subarray(middle)];
    return around(
      major,
      pieces.map((piece) => Buffer.concat([head(major, piece.length), piece])),
    );
  };
  const around = (major: number, items: readonly Buffer[]): Buffer =>
    Buffer.concat([Buffer.of((major << 5) | 31), ...items, Buffer.of(0xff)]);
  const many = (major: number, count: number, items: readonly Buffer[]): Buffer =>
    style.open === true ? around(major, items) : Buffer.concat([head(major, count), ...items]);
  const write = (item: unknown): Buffer => {
    if (item === undefined) return Buffer.of(0xf7);
    if (item === null) return Buffer.of(0xf6);
    if (typeof item === "boolean") return Buffer.of(item ? 0xf5 : 0xf4);
    if (typeof item === "string") return string(3, Buffer.from(item));
    if (item instanceof Uint8Array) return string(2, Buffer.from(item));
    if (item instanceof Time) return Buffer.concat([head(6, 1), head(0, item.ms)]);
    if (typeof item === "number") {
      if (Number.isSafeInteger(item) && !Object.is(item, -0))
        return item < 0 ? head(1, -1 - item) : head(0, item);
      const double = Buffer.alloc(9, 0xfb);
      double.writeDoubleBE(item, 1);
      return double;
    }
    if (Array.isArray(item)) return many(4, item.length, item.map(write));
    const entries = Object.entries(item);
    return many(
      5,
      entries.length,
      entries.map(([name, member]) => Buffer.concat([write(name), write(member)])),
    );
  };
  return write(value);
}

export const style: fc.Arbitrary<Style> = fc.record({ open: fc.boolean(), wide: fc.boolean() });
