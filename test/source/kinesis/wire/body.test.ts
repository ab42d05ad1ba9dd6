import { once } from "node:events";
import { createServer, get, IncomingMessage, type Server } from "node:http";
import { Socket, type AddressInfo } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { expect } from "chai";
import { Body, collect, failingBody } from "../../../../src/source/kinesis/wire/body.js";
import { ownMemory, UsedAgain } from "../../../../src/source/kinesis/wire/body-memory.js";

const bytes = Buffer.alloc(200_000, "abc");
const pieces = (): Buffer[] => [
  bytes.subarray(0, 70_000),
  bytes.subarray(70_000, 70_001),
  bytes.subarray(70_001),
];

const read = async (body: unknown): Promise<Buffer | undefined> =>
  (await collect({ statusCode: 200, headers: {}, body }, ownMemory))?.copy();

/** Also by an error. */
const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    stream.once("close", resolve);
  });

describe("the memory that bodies are put together in", () => {
  const large = 300_000;

  it("is used again for what fits, the smallest that does", () => {
    const memories = new UsedAgain();
    const [small, great] = [memories.take(70_000), memories.take(130_000)];
    expect(small).not.to.equal(great);
    memories.giveBack(great);
    memories.giveBack(small);
    expect(memories.take(70_001)).to.equal(small);
    expect(memories.take(70_000)).to.equal(great);
    expect(memories.take(70_000), "nothing is free").not.to.be.oneOf([small, great]);
  });

  it("is left to others where more than half of it would be in vain: what waits in it counts with all of it", () => {
    const memories = new UsedAgain();
    const great = memories.take(large);
    memories.giveBack(great);
    for (const bytes of [0, 50, 70_000, 100_000]) {
      expect(memories.take(bytes).length, String(bytes)).to.be.at.most(bytes * 1.125);
    }
    expect(memories.take(large - 100_000)).to.equal(great);
  });

  it("is kept neither where it is small nor where it is very large", () => {
    const memories = new UsedAgain();
    for (const bytes of [1_000, 17 * 1_048_576]) {
      const memory = memories.take(bytes);
      expect(memory).to.have.length(bytes);
      memories.giveBack(memory);
      expect(memories.take(bytes)).not.to.equal(memory);
    }
  });

  it("is the collector's while it is free", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = new Script("gc").runInNewContext() as () => void;
    const memories = new UsedAgain();
    const memory = new WeakRef(memories.take(large));
    memories.giveBack(memory.deref() ?? Buffer.alloc(0));
    // Until its job is over what was looked at is held.
    await setImmediate();
    collectGarbage();
    expect(memory.deref()).to.equal(undefined);
    expect(memories.take(large).length).to.be.at.least(large);
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

  it("is collected whatever its length is said to be, in memory of that length where it is true", async () => {
    for (const length of ["200000", "199999", "3", "1e99", "-1", "none", "99999999999"]) {
      const response = {
        statusCode: 200,
        headers: { "Content-Length": length },
        body: Readable.from(pieces()),
      };
      const body = await collect(response, ownMemory);
      expect(body?.bytes.equals(bytes), length).to.equal(true);
      if (length === "200000") expect(body?.bytes.buffer.byteLength).to.equal(bytes.length);
    }
  });

  it("gives its memory back once, when it is let go, and takes nothing in after that", () => {
    const given: Buffer[] = [];
    const memories = {
      take: (size: number) => Buffer.allocUnsafeSlow(size),
      giveBack: (memory: Buffer) => {
        if (memory.length > 0) given.push(memory);
      },
    };
    const body = new Body(memories, 3);
    body.add(Buffer.from("abc"));
    const first = body.bytes.buffer;
    body.add(Buffer.from("def"));
    const second = body.bytes.buffer;
    expect(body.bytes.toString()).to.equal("abcdef");
    const copy = body.copy();
    body.letGo();
    body.letGo();
    expect(given.map(({ buffer }) => buffer)).to.deep.equal([first, second]);
    body.add(Buffer.from("late"));
    expect(body.bytes.buffer).not.to.be.oneOf([first, second]);
    expect(copy.toString()).to.equal("abcdef");
  });

  describe("that came by HTTP", () => {
    let server: Server;
    beforeEach(async () => {
      server = createServer((_, response) => response.end(bytes)).listen(0, "127.0.0.1");
      await once(server, "listening");
    });
    afterEach(async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    });

    async function answer(): Promise<IncomingMessage> {
      const request = get({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, agent: false });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      return response;
    }

    it("is collected, and each of its chunks freed at once", async () => {
      const response = await answer();
      const chunks: Buffer[] = [];
      const push = response.push.bind(response);
      response.push = (chunk: Buffer | null) => {
        if (chunk !== null) chunks.push(chunk);
        return push(chunk);
      };
      expect(bytes.equals((await read(response)) ?? Buffer.alloc(0))).to.equal(true);
      expect(chunks.filter(({ length }) => length > 4_096)).to.deep.equal([]);
      expect(chunks).not.to.have.length(0);
    });

    it("keeps its chunks where somebody else listens, too", async () => {
      const response = await answer();
      const chunks: Buffer[] = [];
      const reading = read(response);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      expect(bytes.equals((await reading) ?? Buffer.alloc(0))).to.equal(true);
      expect(bytes.equals(Buffer.concat(chunks))).to.equal(true);
    });

    it("keeps its chunks where somebody else reads them", async () => {
      const response = await answer();
      const chunks: Buffer[] = [];
      response.on("readable", () => {
        for (;;) {
          const chunk = response.read() as Buffer | null;
          if (chunk === null) return;
          chunks.push(chunk);
        }
      });
      expect(bytes.equals((await read(response)) ?? Buffer.alloc(0))).to.equal(true);
      expect(bytes.equals(Buffer.concat(chunks))).to.equal(true);
    });

    it("keeps its chunks where somebody has listened for the first alone", async () => {
      const response = await answer();
      const first = once(response, "data") as Promise<Buffer[]>;
      expect(bytes.equals((await read(response)) ?? Buffer.alloc(0))).to.equal(true);
      const [chunk] = await first;
      expect(chunk).to.have.length.above(4_096);
      expect(chunk?.equals(bytes.subarray(0, chunk.length))).to.equal(true);
    });
  });

  it("leaves chunks of another's stream as they are", async () => {
    const whole = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(whole);
    expect(bytes.equals((await read(Readable.from([whole]))) ?? Buffer.alloc(0))).to.equal(true);
    expect(bytes.equals(whole)).to.equal(true);
  });

  it("leaves the chunks of an answer that was made by hand as they are: it may bring them again", async () => {
    const whole = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(whole);
    for (let i = 0; i < 2; i++) {
      const answer = new IncomingMessage(new Socket());
      answer.push(whole);
      answer.push(null);
      expect(bytes.equals((await read(answer)) ?? Buffer.alloc(0)), String(i)).to.equal(true);
    }
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
