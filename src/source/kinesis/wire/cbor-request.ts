/**
 * A request of strings and whole numbers, as GetRecords has, in CBOR; undefined for one with anything else in it, which is
 * sent as the SDK has written it.
 */
export function encodeCbor(input: object): Uint8Array | undefined {
  const entries = Object.entries(input).filter(([, value]) => value !== undefined);
  const parts = [head(5, entries.length)];
  for (const [name, value] of entries as [string, unknown][]) {
    parts.push(...text(name));
    if (typeof value === "string") parts.push(...text(value));
    else if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32) {
      parts.push(head(0, value));
    } else return undefined;
  }
  return Buffer.concat(parts);
}

function text(value: string): [Buffer, Buffer] {
  const bytes = Buffer.from(value);
  return [head(3, bytes.length), bytes];
}

function head(major: number, argument: number): Buffer {
  const first = major << 5;
  if (argument < 24) return Buffer.of(first | argument);
  if (argument < 2 ** 8) return Buffer.of(first | 24, argument);
  const long = Buffer.alloc(argument < 2 ** 16 ? 3 : 5, first | (argument < 2 ** 16 ? 25 : 26));
  long.writeUIntBE(argument, 1, long.length - 1);
  return long;
}
