import { expect } from "chai";
import fc from "fast-check";
import sinon from "sinon";
import { decodeCbor as decode } from "../../../../src/source/kinesis/wire/cbor-records.js";
import { ownMemory, type BodyMemory } from "../../../../src/source/kinesis/wire/body-memory.js";
import { Body } from "../../../../src/source/kinesis/wire/body.js";
import { encodeCbor } from "../../../../src/source/kinesis/wire/cbor-request.js";
import { CborReader } from "../../../../src/source/kinesis/wire/cbor-reader.js";
import type { Decoded } from "../../../../src/source/kinesis/wire/decoded.js";
import { isAggregated } from "../../../../src/source/kinesis/aggregated.js";
import { decodeJson as decodeSlices } from "../../../../src/source/kinesis/wire/json-slices.js";
import type { SourceRecord } from "../../../../src/source/partition-source.js";
import { aggregate } from "../fake-kinesis.js";
import { cbor, style, Time } from "./cbor-writer.js";

const record = fc.record({
  data: fc.uint8Array({ maxLength: 60 }),
  partitionKey: fc.string({ unit: "binary", maxLength: 20 }),
  sequenceNumber: fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String),
  subSequenceNumber: fc.constant(0),
  arrivalMs: fc.oneof(fc.integer({ min: 1e12, max: 2e12 }), fc.constant(undefined)),
});
const answer = fc.record({ records: fc.array(record), behindMs: fc.nat(), iterator: fc.string() });

interface Answer {
  readonly records: readonly SourceRecord[];
  readonly behindMs: number;
  readonly iterator: string;
}

const restOf = ({ behindMs, iterator }: Answer) => ({
  MillisBehindLatest: behindMs,
  NextShardIterator: iterator,
});

/** As the service writes it: `wrap` says how payloads and times look. */
function written(given: Answer, data: (bytes: Uint8Array) => unknown, time: (ms: number) => unknown): object {
  const records = given.records.map(({ arrivalMs, ...rest }) => ({
    ...(arrivalMs === undefined ? {} : { ApproximateArrivalTimestamp: time(arrivalMs) }),
    Data: data(rest.data),
    EncryptionType: "NONE",
    PartitionKey: rest.partitionKey,
    SequenceNumber: rest.sequenceNumber,
  }));
  return { ChildShards: null, Records: records, ...restOf(given) };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const inJson = (given: Answer): object => written(given, base64, (ms) => ms / 1_000);
const inCbor = (given: Answer): object =>
  written(
    given,
    (bytes) => bytes,
    (ms) => new Time(ms),
  );

const places = (records: Answer["records"]) =>
  records.map(({ sequenceNumber, subSequenceNumber }) => ({ sequenceNumber, subSequenceNumber }));

/** Asks what is asked before they are made, and makes them. */
function opened({ records: sealed, rest }: Decoded) {
  const asked = {
    count: sealed.count,
    bytes: sealed.bytes,
    heldBytes: sealed.heldBytes,
    places: Array.from({ length: sealed.count }, (_, at) => sealed.position(at)),
    last: sealed.position(-1),
    beyond: [sealed.position(sealed.count), sealed.position(-1 - sealed.count)],
    begin7: sealed.findPayload((memory, start, end) => end > start && memory[start] === 7),
  };
  const records = sealed.open();
  expect(() => sealed.open()).to.throw("taken by another");
  return { ...asked, records, rest };
}
type Opened = ReturnType<typeof opened>;

function check(decoded: Opened, given: Answer): void {
  const { records } = given;
  expect(decoded.records).to.deep.equal(records);
  expect(decoded.rest).to.deep.equal({ ChildShards: null, ...restOf(given) });
  expect(decoded.count).to.equal(records.length);
  expect(decoded.bytes).to.equal(records.reduce((sum, { data }) => sum + data.length, 0));
  expect(decoded.heldBytes).to.be.at.least(decoded.bytes);
  expect(decoded.places).to.deep.equal(places(records));
  expect(decoded.last).to.deep.equal(places(records).at(-1));
  expect(decoded.beyond).to.deep.equal([undefined, undefined]);
  expect(decoded.begin7).to.equal(records.findIndex(({ data }) => data[0] === 7));
}

function decodeCbor(bytes: Buffer, copy: boolean): Opened {
  const lent = new Set<Buffer>();
  const memories: BodyMemory = {
    take(size) {
      const memory = Buffer.allocUnsafeSlow(size).fill(0xee);
      lent.add(memory);
      return memory;
    },
    giveBack(memory) {
      // As the next answer's bytes come into it.
      if (lent.delete(memory)) memory.fill(0xff);
    },
  };
  const body = new Body(copy ? memories : ownMemory, bytes.length);
  body.add(bytes);
  const sealed = decode(body, copy ? memories : ownMemory, copy);
  const lentBytes = [...lent].reduce((sum, { length }) => sum + length, 0);
  if (copy) expect(sealed.records.heldBytes, "what waits counts").to.equal(lentBytes);
  const decoded = opened(sealed);
  expect([...lent], "memory that is not given back").to.deep.equal([]);
  return decoded;
}

const firstPlace = 2 ** 52 - 1;
const decodeJson = (body: Buffer): Opened => opened(decodeSlices(body, firstPlace));

describe("records next to the wire", () => {
  const one: Answer = {
    records: [
      {
        data: Uint8Array.of(1, 2, 3, 4),
        partitionKey: "k",
        sequenceNumber: "49",
        subSequenceNumber: 0,
        arrivalMs: 1_795_664_698_109,
      },
    ],
    behindMs: 7,
    iterator: "next",
  };

  describe("in CBOR", () => {
    it("are what was put, however it is written, copied or not", () => {
      fc.assert(
        fc.property(answer, style, fc.boolean(), (given, how, copy) => {
          check(decodeCbor(cbor(inCbor(given), how), copy), given);
        }),
      );
    });

    it("are what kinesis-local sends: base64 as text, times without a tag", () => {
      fc.assert(
        fc.property(answer, (given) => {
          check(decodeCbor(cbor(written(given, base64, (ms) => ms)), true), given);
        }),
      );
    });

    it("are what was put where each is written otherwise than the one before", () => {
      fc.assert(
        fc.property(answer, fc.boolean(), (given, copy) => {
          let at = 0;
          const data = (bytes: Uint8Array): unknown => (at++ % 2 === 0 ? base64(bytes) : bytes);
          check(decodeCbor(cbor(written(given, data, (ms) => new Time(ms))), copy), given);
        }),
      );
    });

    it("are what was put, more than anybody foresaw", () => {
      const records = Array.from({ length: 100 }, (_, i) => ({
        ...one.records[0]!,
        sequenceNumber: String(i + 1),
        arrivalMs: 1_795_664_698_109 + i,
      }));
      const many = { ...one, records };
      check(decodeCbor(cbor(inCbor(many), { open: true }), true), many);
    });

    it("have aggregates among them found where they lie", () => {
      const data = [Uint8Array.of(1, 2), aggregate(), Uint8Array.of(3)];
      const records = data.map((each) => ({ ...one.records[0]!, data: each }));
      const body = new Body(ownMemory, 0);
      body.add(cbor(inCbor({ ...one, records })));
      expect(decode(body, ownMemory, true).records.findPayload(isAggregated)).to.equal(1);
    });

    it("are refused when their base64 is none", () => {
      for (const Data of ["AQ*!ID", "AQI", "AQID=", "A QI", "AQ=D", "A-QI", "A_QI", "AQIé", "AQ==AgME"]) {
        const body = cbor({ Records: [{ SequenceNumber: "1", PartitionKey: "k", Data }] });
        expect(() => decodeCbor(body, true), Data).to.throw("not base64");
      }
    });

    it("have times in whole milliseconds, as JSON and the SDK round them", () => {
      const timed = {
        SequenceNumber: "1",
        Data: Buffer.of(1),
        ApproximateArrivalTimestamp: 1_795_664_698_109.6,
      };
      expect(decodeCbor(cbor({ Records: [timed] }), true).records[0]?.arrivalMs).to.equal(1_795_664_698_110);
    });

    it("have times in seconds told by their size", () => {
      const { records } = decodeCbor(
        cbor(
          written(
            one,
            (bytes) => bytes,
            (ms) => ms / 1_000,
          ),
        ),
        true,
      );
      expect(records[0]?.arrivalMs).to.equal(1_795_664_698_109);
    });

    it("are refused when the answer was cut off anywhere, was added to, or has none", () => {
      const body = cbor(inCbor(one));
      for (let at = 0; at < body.length; at++) {
        expect(() => decodeCbor(body.subarray(0, at), true), String(at)).to.throw();
      }
      expect(() => decodeCbor(Buffer.concat([body, Buffer.of(0)]), true)).to.throw("after the end");
      expect(() => decodeCbor(cbor({}), true)).to.throw("no records");
      expect(() => decodeCbor(cbor({ Records: null }), true)).to.throw();
      const twice = Buffer.concat([Buffer.of(0xa2), ...[1, 2].flatMap(() => [cbor("Records"), cbor([])])]);
      expect(() => decodeCbor(twice, true)).to.throw("records twice");
    });

    it("are refused without a sequence number, or with a time that is none", () => {
      expect(() => decodeCbor(cbor({ Records: [{ Data: Buffer.of(1) }] }), true)).to.throw("sequence number");
      const timed = (time: unknown) =>
        cbor({ Records: [{ SequenceNumber: "1", Data: Buffer.of(1), ApproximateArrivalTimestamp: time }] });
      expect(() => decodeCbor(timed("noon"), true)).to.throw("no number");
      expect(() => decodeCbor(timed(Infinity), true)).to.throw("no number");
      expect(() => decodeCbor(timed(5e12), true)).not.to.throw();
    });

    it("are made at the next attempt where there was no memory for a copy", () => {
      const body = new Body(ownMemory, 0);
      body.add(cbor(inCbor(one)));
      const { records } = decode(body, ownMemory, true);
      const memory = sinon
        .stub(Buffer, "allocUnsafeSlow")
        .throws(new RangeError("Array buffer allocation failed"));
      try {
        expect(() => records.open()).to.throw("allocation failed");
      } finally {
        memory.restore();
      }
      expect(records.open()).to.deep.equal(one.records);
      expect(() => records.open()).to.throw("taken by another");
    });

    it("are refused without a payload", () => {
      expect(() => decodeCbor(cbor({ Records: [{ SequenceNumber: "1" }] }), true)).to.throw(
        "without a payload (Data): record 1 of its answer",
      );
    });

    it("are as many as there are, whatever their count promises", () => {
      const body = cbor({ Records: [{ SequenceNumber: "1", Data: Buffer.of(1) }] });
      const at = body.indexOf("Records") + "Records".length;
      const many = Buffer.concat([
        body.subarray(0, at),
        Buffer.of(0x9a, 0xff, 0xff, 0xff, 0xff),
        body.subarray(at + 1),
      ]);
      expect(() => decodeCbor(many, true)).to.throw("ends early");
    });

    it("lie in pieces of their own when copied, else where they came", () => {
      const memories: Buffer[] = [];
      const take = (size: number): Buffer => {
        const memory = Buffer.allocUnsafeSlow(size);
        memories.push(memory);
        return memory;
      };
      const made = (copy: boolean) => {
        const body = new Body({ take, giveBack: () => undefined }, 0);
        body.add(cbor(inCbor(one)));
        return decode(body, ownMemory, copy).records.open()[0];
      };
      const [copied, viewed] = [made(true), made(false)];
      expect(memories.some(({ buffer }) => buffer === copied?.data.buffer)).to.equal(false);
      expect(memories.some(({ buffer }) => buffer === viewed?.data.buffer)).to.equal(true);
    });
  });

  describe("in JSON", () => {
    it("are what was put", () => {
      fc.assert(
        fc.property(answer, (given) => {
          const body = json(inJson(given));
          const decoded = decodeSlices(body, firstPlace);
          // As the next answer's bytes come into a scratch.
          body.fill(0xff);
          check(opened(decoded), given);
        }),
      );
    });

    const refused: [string, unknown][] = [
      ["no records", { NextShardIterator: "i" }],
      ["no records", { Records: null }],
      ["not one payload", { Records: [{ SequenceNumber: "1", PartitionKey: "k" }] }],
      ["not one payload", { Records: [{ SequenceNumber: "1", PartitionKey: "k", Data: null }] }],
      ["not one payload", { Records: [], More: { Data: "AQID" } }],
      ["unexpected place", { Records: [{ SequenceNumber: "1", PartitionKey: "k", More: { Data: "AQID" } }] }],
      ["unexpected place", { Records: [{ SequenceNumber: "1", PartitionKey: "k", ['"Data']: "AQID" }] }],
      ["without key", { Records: [{ SequenceNumber: "1", Data: "AQID" }] }],
      ["without key", { Records: [{ PartitionKey: "k", Data: "AQID" }] }],
      [
        "no number",
        {
          Records: [
            { SequenceNumber: "1", PartitionKey: "k", Data: "", ApproximateArrivalTimestamp: "noon" },
          ],
        },
      ],
      ...["AQI", "AQID=", "A QI", "AQ=D", "A-QI", "A_QI", "AQIé", "QQ==QQ=="].map(
        (data): [string, unknown] => [
          "not base64",
          { Records: [{ SequenceNumber: "1", PartitionKey: "k-_", Data: data }] },
        ],
      ),
    ];
    for (const [why, body] of refused) {
      it(`are left to the SDK: ${why} in ${JSON.stringify(body)}`, () => {
        expect(() => decodeJson(json(body))).to.throw(why);
      });
    }

    it("are left to the SDK when written otherwise than Kinesis does, or cut off anywhere", () => {
      const text = JSON.stringify(
        inJson({ ...one, records: [{ ...one.records[0]!, data: Uint8Array.of(255, 239, 1) }] }),
      );
      expect(text).to.contain("/");
      expect(() => decodeJson(Buffer.from(text))).not.to.throw();
      expect(() => decodeJson(Buffer.from(text.replace("/", "\\/")))).to.throw("not base64");
      expect(() => decodeJson(Buffer.from(text.replace('"Data":', '"Data": ')))).to.throw("not one payload");
      for (let at = 0; at < text.length; at++) {
        expect(() => decodeJson(Buffer.from(text.slice(0, at))), String(at)).to.throw();
      }
    });

    it("have no number taken for a payload's place that the answer has itself", () => {
      const body = json({
        Meta: { Data: "AQID" },
        Records: [{ SequenceNumber: "1", PartitionKey: "k", Data: 0 }],
      });
      expect(() => decodeJson(body)).to.throw("unexpected place");
    });

    it("have payloads side by side in pieces of their answer, 64 KiB or themselves at most", () => {
      const records = [1, 300, 0, 20_000, 3_000, 0].flatMap((size) =>
        Array.from({ length: 60 }, (_, i) => ({ ...one.records[0]!, data: new Uint8Array(size).fill(i) })),
      );
      const decoded = decodeJson(json(inJson({ ...one, records })));
      check(decoded, { ...one, records });
      const memories = new Set(decoded.records.map(({ data }) => data.buffer));
      expect(memories.size).to.be.below(70);
      for (const { data } of decoded.records) {
        expect(data.buffer.byteLength === data.length || data.buffer.byteLength <= 65_536).to.equal(true);
      }
      const another = decodeJson(json(inJson(one))).records[0]!.data.buffer;
      expect(memories.has(another) || another === Buffer.from("small").buffer).to.equal(false);
    });

    it("have a payload in another object not taken for a record's own", () => {
      const two =
        '{"Records":[{"SequenceNumber":"1","PartitionKey":"k","Data":"AQ==","More":{"Data":"Ag=="}},' +
        '{"SequenceNumber":"2","PartitionKey":"k","Data": ""}]}';
      expect(() => decodeJson(Buffer.from(two))).to.throw("unexpected place");
    });

    it("keep letters of every script, and of no script, as the SDK does", () => {
      const body = Buffer.from(
        '{"Records":[{"SequenceNumber":"1","PartitionKey":"é\\u00e9🙂?","Data":"AQ=="}]}',
      );
      body[body.indexOf("?")] = 0xe2;
      expect(decodeJson(body).records[0]?.partitionKey).to.equal("éé🙂\ufffd");
    });
  });

  it("are plain bytes and objects of one shape, whatever brought them", () => {
    const made = [
      decodeCbor(cbor(inCbor(one)), true),
      decodeCbor(cbor(inCbor(one)), false),
      decodeJson(json(inJson(one))),
    ];
    for (const { records } of made) {
      expect(Object.getPrototypeOf(records[0]?.data)).to.equal(Uint8Array.prototype);
      expect(Object.keys(records[0] ?? {})).to.deep.equal(Object.keys(one.records[0] ?? {}));
      expect(Object.getPrototypeOf(records[0])).to.equal(Object.prototype);
    }
  });
});

describe("a request in CBOR", () => {
  it("says what the input says", () => {
    const input = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.nat(), fc.constant(undefined)));
    fc.assert(
      fc.property(input, (given) => {
        const body = encodeCbor(given);
        const read = new CborReader(Buffer.from(body ?? [])).value();
        expect(read).to.deep.equal(JSON.parse(JSON.stringify(given)));
      }),
    );
    expect(encodeCbor({ ShardIterator: "a".repeat(70_000) })).to.have.length(70_020);
  });

  it("is none where the input has what no request has", () => {
    for (const value of [true, null, -1, 1.5, 2 ** 32, {}]) expect(encodeCbor({ value })).to.equal(undefined);
  });
});
