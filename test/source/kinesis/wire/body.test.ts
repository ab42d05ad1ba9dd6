import { PassThrough, Readable } from "node:stream";
import { expect } from "chai";
import { collect, failingBody } from "../../../../src/source/kinesis/wire/body.js";

const bytes = Buffer.alloc(200_000, "abc");
const pieces = (): Buffer[] => [
  bytes.subarray(0, 70_000),
  bytes.subarray(70_000, 70_001),
  bytes.subarray(70_001),
];

const read = (body: unknown, announced?: string): Promise<Buffer | undefined> =>
  collect({ statusCode: 200, headers: announced === undefined ? {} : { "Content-Length": announced }, body });

describe("the body of an answer", () => {
  const kinds: [string, () => unknown][] = [
    ["a stream of Node", () => Readable.from(pieces())],
    ["a stream of the web", () => new Blob(pieces()).stream()],
    ["a blob", () => new Blob(pieces())],
    ["bytes", () => new Uint8Array(bytes)],
  ];
  for (const [what, make] of kinds) {
    it(`is collected of ${what}, whatever length was announced`, async () => {
      for (const announced of [undefined, "200000", "1", "300000", "1e15", "many"]) {
        expect(bytes.equals((await read(make(), announced)) ?? Buffer.alloc(0)), announced).to.equal(true);
      }
    });
  }

  it("lies in memory that nothing else lies in", async () => {
    for (const announced of [undefined, "3"]) {
      const small = await read(Readable.from([Buffer.from("abc")]), announced);
      expect(small?.toString()).to.equal("abc");
      expect(small?.buffer.byteLength).to.be.oneOf([3, 65_536]);
    }
    expect((await read(Readable.from([Buffer.from("abc")]), "3"))?.buffer.byteLength).to.equal(3);
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
