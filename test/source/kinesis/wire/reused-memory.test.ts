import { Readable } from "node:stream";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { expect } from "chai";
import sinon from "sinon";
import { messageOf } from "../../../../src/model/errors.js";
import { systemRandom } from "../../../../src/runtime/system.js";
import { UsedAgain } from "../../../../src/source/kinesis/wire/body-memory.js";
import { GetRecords } from "../../../../src/source/kinesis/wire/get-records.js";
import type { SealedRecords } from "../../../../src/source/kinesis/wire/sealed-records.js";
import { written, type Format } from "./canned-kinesis.js";

interface Said {
  readonly status: number;
  readonly type: string;
  readonly text: Buffer;
}

const never = new AbortController().signal;
/** Small payloads, and one that is copied by itself: together more than what is too small to be used again. */
const payloads = (byte: number): Buffer[] =>
  [...Array<number>(100).fill(1_000), 40_000].map((length) => Buffer.alloc(length, byte));

function records(byte: number, as: Format): Said {
  const Records = payloads(byte).map((Data, i) => ({
    SequenceNumber: String(i + 1),
    PartitionKey: "k",
    Data,
  }));
  const text = written({ Records, NextShardIterator: `i${String(byte)}` }, as);
  return { status: 200, type: `application/x-amz-${as}-1.1`, text };
}

/** As Kinesis does not write it: left to the SDK. */
function spaced(byte: number): Said {
  const said = records(byte, "json");
  return { ...said, text: Buffer.from(said.text.toString().replaceAll('"Data":', '"Data": ')) };
}

const all = Array<boolean>(101).fill(true);

/** The memory that bodies are read in is another answer's soon: nothing that is handed over may lie there. */
describe("memory used again for the next answer", () => {
  let script: Said[];
  let between: (() => Promise<unknown>) | undefined;
  let client: KinesisClient;
  beforeEach(() => {
    script = [];
    between = undefined;
    client = new KinesisClient({
      endpoint: "http://127.0.0.1:1",
      region: "eu-west-1",
      credentials: { accessKeyId: "any", secretAccessKey: "any" },
      maxAttempts: 1,
      requestHandler: {
        handle: () => {
          const said = script.shift();
          if (said === undefined) throw new Error("nothing is said any more");
          const { status: statusCode, type, text } = said;
          const headers = { "content-type": type, "content-length": String(text.length) };
          return Promise.resolve({ response: { statusCode, headers, body: Readable.from([text]) } });
        },
      },
    });
    // Outside of where bodies are read, and inside of where the SDK reads what is left of them.
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const meanwhile = between;
        between = undefined;
        await meanwhile?.();
        return result;
      },
      { step: "deserialize", priority: "low", name: "between" },
    );
  });
  afterEach(() => {
    client.destroy();
  });

  function sealed(copy: boolean): () => Promise<SealedRecords> {
    const onFallback = (): void => undefined;
    const clock = { monoMs: () => 0 };
    const one = new GetRecords(client, { wire: "auto", copy, onFallback, clock, random: systemRandom });
    return async () => (await one.send({ ShardIterator: "i" }, never)).records;
  }

  function reads(copy: boolean): () => Promise<Buffer[]> {
    const read = sealed(copy);
    return async () => {
      const got = await read();
      return got
        .open()
        .map(({ data: { buffer, byteOffset, length } }) => Buffer.from(buffer, byteOffset, length));
    };
  }

  for (const as of ["cbor", "json"] as const) {
    for (const copy of [true, false]) {
      it(`leaves records in ${as} as they came, ${copy ? "copied" : "and so where they are views"}`, async () => {
        const read = reads(copy);
        script = [1, 2, 3, 4].map((byte) => records(byte, as));
        const got = [await read(), await read(), await read(), await read()];
        for (const [i, data] of got.entries()) {
          expect(data.map((one, at) => payloads(i + 1)[at]?.equals(one))).to.deep.equal(all);
        }
      });
    }
  }

  it("is not what an answer of few records waits in, nor one of none: they count for little of what may wait", async () => {
    const read = sealed(true);
    const few = (count: number): Said => {
      const Records = [{ SequenceNumber: "1", PartitionKey: "k", Data: Buffer.alloc(100) }].slice(0, count);
      return { ...records(1, "cbor"), text: written({ Records, NextShardIterator: "i" }, "cbor") };
    };
    script = [records(1, "cbor"), few(1), few(0)];
    const full = await read();
    expect(full.heldBytes).to.be.at.least(full.bytes);
    full.open();
    expect((await read()).heldBytes).to.be.below(1_000);
    expect((await read()).heldBytes).to.be.below(1_000);
  });

  it("is given back by every answer once nobody needs it: of records, whoever reads them, and of an error", async () => {
    const page = "<p>".padEnd(100_000, ".");
    const error: Said = { status: 403, type: "text/html", text: Buffer.from(page) };
    for (const said of [records(1, "cbor"), records(2, "json"), spaced(3), error]) {
      const [take, giveBack] = [
        sinon.spy(UsedAgain.prototype, "take"),
        sinon.spy(UsedAgain.prototype, "giveBack"),
      ];
      try {
        script = [said, said];
        const read = reads(true);
        await (said === error ? read().catch(() => undefined) : read());
        const taken = take.returnValues.filter(({ length }) => length > 0);
        expect(taken).not.to.have.length(0);
        for (const memory of taken)
          expect(giveBack.calledWith(sinon.match.same(memory)), said.type).to.equal(true);
      } finally {
        take.restore();
        giveBack.restore();
      }
    }
  });

  it("leaves an answer as it came that the SDK reads itself, later", async () => {
    const read = reads(true);
    script = [records(1, "cbor"), spaced(2), spaced(3)];
    await read();
    let meanwhile: Buffer[] = [];
    between = async () => (meanwhile = await read());
    expect((await read()).map((data, at) => payloads(2)[at]?.equals(data))).to.deep.equal(all);
    expect(meanwhile.map((data, at) => payloads(3)[at]?.equals(data))).to.deep.equal(all);
  });

  it("leaves an error as it came, which the SDK reads itself", async () => {
    const read = reads(true);
    const page = (text: string): Said => ({ status: 403, type: "text/html", text: Buffer.from(text) });
    script = [records(1, "cbor"), page("<p>first</p>"), page("<p>other</p>")];
    await read();
    // The SDK quotes it.
    const said = (): Promise<string> =>
      read().then(
        () => expect.fail("the page passed for records"),
        (error: unknown) => messageOf(error),
      );
    let meanwhile: string | undefined;
    between = async () => (meanwhile = await said());
    expect(await said()).to.contain("<p>first</p>");
    expect(meanwhile).to.contain("<p>other</p>");
  });
});
