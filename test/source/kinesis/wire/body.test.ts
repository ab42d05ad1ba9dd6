import { PassThrough, Readable } from "node:stream";
import { expect } from "chai";
import { collect, failingBody, type Body } from "../../../../src/source/kinesis/wire/body.js";
import { Scratch } from "../../../../src/source/kinesis/wire/scratch.js";

const bytes = Buffer.alloc(200_000, "abc");
const pieces = (): Buffer[] => [
  bytes.subarray(0, 70_000),
  bytes.subarray(70_000, 70_001),
  bytes.subarray(70_001),
];

const read = async (body: unknown): Promise<Buffer | undefined> =>
  (await collect({ statusCode: 200, headers: {}, body }))?.whole();

/** Also by an error. */
const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    stream.once("close", resolve);
  });

describe("the scratch that bodies are read in", () => {
  async function body(text: string | Uint8Array): Promise<Body> {
    const collected = await collect({ statusCode: 200, headers: {}, body: Buffer.from(text) });
    if (collected === undefined) throw new Error("not collected");
    return collected;
  }

  it("has each at its begin, and is the same memory for all that fit", async () => {
    const scratch = new Scratch();
    const first = scratch.put(await body("a long one"));
    expect(first.toString()).to.equal("a long one");
    const second = scratch.put(await body("short"));
    expect(second.toString()).to.equal("short");
    expect(second.buffer).to.equal(first.buffer);
    expect(first.toString(), "which is why it is read at once").to.equal("shortg one");
    expect(scratch.put(await body("one that is longer")).toString()).to.equal("one that is longer");
  });

  it("does not keep what is very large", async () => {
    const scratch = new Scratch();
    const large = await body(new Uint8Array(17 * 1_048_576));
    expect(scratch.put(large).buffer).not.to.equal(scratch.put(large).buffer);
  });
});

describe("the body of an answer", () => {
  const kinds: [string, () => unknown][] = [
    ["a stream of Node", () => Readable.from(pieces())],
    ["a stream of the web", () => new Blob(pieces()).stream()],
    ["a blob", () => new Blob(pieces())],
    ["bytes", () => new Uint8Array(bytes)],
  ];
  for (const [what, make] of kinds) {
    it(`is collected of ${what}`, async () => {
      expect(bytes.equals((await read(make())) ?? Buffer.alloc(0))).to.equal(true);
    });
  }

  it("lies in memory that nothing else lies in", async () => {
    const small = await read(Readable.from([Buffer.from("abc")]));
    expect(small?.toString()).to.equal("abc");
    expect(small?.buffer.byteLength).to.equal(3);
  });

  it("is empty where there is none", async () => {
    expect(await read(undefined)).to.have.length(0);
    expect(await read(null)).to.have.length(0);
    expect(await read(Readable.from([]))).to.have.length(0);
  });

  it("is left alone where it is of a kind that is not known", async () => {
    expect(await read("text")).to.equal(undefined);
    expect(await read({ arrayBuffer: "none" })).to.equal(undefined);
  });

  it("is refused at once when its stream is over before it is read, however that came", async () => {
    const taken = Readable.from([Buffer.from("abc")]);
    await taken.toArray();
    expect(await read(taken).catch(String)).to.contain("read by another");
    const failure = new Error("reset");
    const failed = new PassThrough().on("error", () => {});
    failed.destroy(failure);
    await closed(failed);
    expect(await read(failed).catch((error: unknown) => error)).to.equal(failure);
    const gone = new PassThrough();
    gone.destroy();
    await closed(gone);
    expect(await read(gone).catch((error: unknown) => error)).to.include({ code: "ECONNRESET" });
  });

  it("is refused when its chunks are no bytes", async () => {
    const text = new PassThrough({ encoding: "utf8" });
    text.end('{"Records":[]}');
    for (const body of [text, Readable.from([new ArrayBuffer(3)])]) {
      expect(await read(body).catch(String)).to.contain("no bytes");
    }
  });

  it("is refused when its stream fails, or closes before its end", async () => {
    const failure = new Error("reset");
    expect(await read(failingBody(failure)).catch((error: unknown) => error)).to.equal(failure);
    const cut = new PassThrough();
    const reading = read(cut).catch((error: unknown) => error);
    cut.write("half");
    cut.destroy();
    expect(await reading).to.include({ code: "ECONNRESET" });
  });
});
