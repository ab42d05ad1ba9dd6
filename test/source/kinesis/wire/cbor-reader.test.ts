import { cbor as library } from "@smithy/core/cbor";
import { expect } from "chai";
import fc from "fast-check";
import { CborReader, Name } from "../../../../src/source/kinesis/wire/cbor-reader.js";
import { cbor, style } from "./cbor-writer.js";

const read = (bytes: Uint8Array): unknown => {
  const reader = new CborReader(Buffer.from(bytes));
  const value = reader.value();
  reader.end();
  return value;
};

/** Views and plain objects, so that only values are compared. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([name, member]) => [name, plain(member)]);
};

/** The library loses members of that name. */
const name = fc.string().filter((text) => text !== "__proto__");
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }),
    fc.string({ unit: "binary" }),
    fc.uint8Array(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(name, tie("value"), { maxKeys: 5 }),
  ),
}));

describe("the reader of CBOR", () => {
  it("reads whatever can be written, in every way to write it", () => {
    fc.assert(
      fc.property(value, style, (given, how) => {
        expect(plain(read(cbor(given, how)))).to.deep.equal(plain(given));
      }),
    );
  });

  it("reads what a library reads, as the library does", () => {
    // The library makes big integers of long numbers, however small they are, and reads no names in pieces.
    const theirs = (bytes: Buffer): string =>
      JSON.stringify(plain(library.deserialize(bytes)), (_, item: unknown) =>
        typeof item === "bigint" ? Number(item) : item,
      );
    fc.assert(
      fc.property(value, fc.boolean(), (given, wide) => {
        const bytes = cbor(given, { wide });
        expect(JSON.stringify(plain(read(bytes)))).to.equal(theirs(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.uint8Array(), fc.array(fc.nat()))), (given) => {
        const bytes = cbor(given, { open: true });
        expect(JSON.stringify(plain(read(bytes)))).to.equal(theirs(bytes));
      }),
    );
  });

  it("reads what a library writes", () => {
    fc.assert(
      fc.property(value, (given) => {
        // In JSON, where there is one zero: the library writes both alike.
        const ours = JSON.stringify(plain(read(library.serialize(given))));
        expect(ours).to.equal(JSON.stringify(plain(given)));
      }),
    );
  });

  it("reads floats of every width, and drops tags", () => {
    const cases: [string, unknown][] = [
      ["f93c00", 1],
      ["f9c400", -4],
      ["f90001", 2 ** -24],
      ["f97bff", 65_504],
      ["f97c00", Infinity],
      ["f9fc00", -Infinity],
      ["f97e00", NaN],
      ["fa47c35000", 100_000],
      ["fb3ff199999999999a", 1.1],
      ["f7", undefined],
      ["c11a514b67b0", 1_363_896_240],
      ["d9d9f783010203", [1, 2, 3]],
      ["3bffffffffffffffff", -(2 ** 64)],
    ];
    for (const [hex, expected] of cases) expect(read(Buffer.from(hex, "hex")), hex).to.deep.equal(expected);
  });

  it("makes members of names that mean something in JavaScript", () => {
    expect(plain(read(cbor(JSON.parse('{"__proto__":{"a":1}}'))))).to.deep.equal([["__proto__", [["a", 1]]]]);
  });

  it("steps over whatever it could read, to its end, and refuses the rest", () => {
    const skip = (bytes: Buffer): void => {
      const reader = new CborReader(bytes);
      reader.skip();
      reader.end();
    };
    fc.assert(
      fc.property(value, style, fc.nat(), (given, how, at) => {
        const bytes = cbor(given, how);
        skip(bytes);
        skip(Buffer.concat([Buffer.of(0xc1), bytes]));
        expect(() => {
          skip(bytes.subarray(0, at % bytes.length));
        }).to.throw("ends early");
      }),
    );
  });

  it("knows a name from all others, by every byte of it, in one and in pieces", () => {
    const texts = ["Data", "PartitionKey", "SequenceNumber"];
    const among = (text: string, open: boolean): number =>
      new CborReader(cbor(text, { open })).nameAmong(texts.map((each) => new Name(each)));
    for (const open of [false, true]) {
      for (const [place, text] of texts.entries()) {
        expect(among(text, open)).to.equal(place);
        for (let at = 0; at < text.length; at++) {
          expect(among(`${text.slice(0, at)}_${text.slice(at + 1)}`, open), `${text} at ${at}`).to.equal(-1);
          expect(among(text.slice(0, at), open)).to.equal(-1);
        }
      }
    }
  });

  it("refuses whatever was cut off anywhere", () => {
    fc.assert(
      fc.property(value, style, fc.nat(), (given, how, at) => {
        const bytes = cbor(given, how);
        expect(() => read(bytes.subarray(0, at % bytes.length))).to.throw("the answer's CBOR ends early");
      }),
    );
  });

  it("refuses whatever has something behind it", () => {
    fc.assert(
      fc.property(value, style, fc.integer({ min: 0, max: 255 }), (given, how, more) => {
        const bytes = Buffer.concat([cbor(given, how), Buffer.of(more)]);
        expect(() => read(bytes)).to.throw("something comes after the end");
      }),
    );
  });

  it("refuses heads that mean nothing, breaks outside and pieces within pieces", () => {
    for (const hex of [
      "1c",
      "3d",
      "5e",
      "7c",
      "9d",
      "bc",
      "1f",
      "3f",
      "df00",
      "f8ff",
      "f0",
      "fc",
      "ff",
      "83ff0102",
    ]) {
      expect(() => read(Buffer.from(hex, "hex")), hex).to.throw("the answer's CBOR");
    }
    for (const hex of ["5f5f4101ffff", "5f6161ff", "7f4161ff", "a101", "a1410100"]) {
      expect(() => read(Buffer.from(hex, "hex")), hex).to.throw("the answer's CBOR");
    }
  });

  it("never reads a length that is longer than the answer", () => {
    for (const hex of ["5b7fffffffffffffff", "7b0020000000000000", "5affffffff00"]) {
      expect(() => read(Buffer.from(hex, "hex")), hex).to.throw("ends early");
    }
  });

  it("hands out byte strings where they lie, and those in pieces in memory of their own", () => {
    const body = cbor(Buffer.from("payload"));
    const view = new CborReader(body).byteView();
    expect(view).to.deep.equal(new Uint8Array(Buffer.from("payload")));
    expect(view.buffer).to.equal(body.buffer);
    const pieces = cbor(Buffer.from("payload"), { open: true });
    expect(new CborReader(pieces).byteView()).to.deep.equal(new Uint8Array(Buffer.from("payload")));
  });
});
