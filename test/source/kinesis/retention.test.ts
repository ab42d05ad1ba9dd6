import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { buildIfOld, builtFile } from "../../support/built.js";
import { cbor, Time } from "./wire/cbor-writer.js";

const keeper = fileURLToPath(new URL("./fixtures/keeper.mjs", import.meta.url));
const recordsInBatch = 10_000;
const recordBytes = 1_024;
const shards = 10;

/** The number of a record: `7`, the batch, the record. */
const mark = "70000";
const sequenceOf = (record: number): string => mark + String(record).padStart(6, "0");

/** A stream of full batches from memory, in CBOR: what is read of it differs in the sequence numbers alone. */
class FullStream {
  readonly #server: Server;
  readonly #answer: Buffer;
  readonly #places: readonly number[];

  private constructor(server: Server) {
    this.#server = server;
    const Records = Array.from({ length: recordsInBatch }, (_, record) => ({
      SequenceNumber: sequenceOf(record),
      ApproximateArrivalTimestamp: new Time(1_700_000_000_000),
      Data: new Uint8Array(recordBytes),
      PartitionKey: "k",
    }));
    this.#answer = cbor({ MillisBehindLatest: 1, NextShardIterator: "shard-0:0000", Records });
    let from = 0;
    this.#places = Records.map((_, record) => (from = this.#answer.indexOf(sequenceOf(record), from)));
  }

  static async start(): Promise<FullStream> {
    const server = createServer((request, response) => {
      void stream.#answerTo(request).then((body) => response.end(body));
    });
    const stream = new FullStream(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return stream;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answerTo(request: IncomingMessage): Promise<string | Buffer> {
    // The iterator lies in the request as it is, in either format.
    const asked = (await buffer(request)).toString("latin1");
    switch (String(request.headers["x-amz-target"]).split(".")[1]) {
      case "ListShards": {
        const Shards = Array.from({ length: shards }, (_, shard) => ({ ShardId: `shard-${String(shard)}` }));
        return JSON.stringify({ Shards });
      }
      case "GetShardIterator":
        return JSON.stringify({ ShardIterator: `${/shard-\d+/.exec(asked)?.[0] ?? ""}:0000` });
      default:
        return this.#batch(/(shard-\d+):(\d+)/.exec(asked) ?? []);
    }
  }

  #batch([place, shard = "", at = ""]: readonly (string | undefined)[]): Buffer {
    if (place === undefined) throw new Error("no iterator");
    const answer = Buffer.from(this.#answer);
    const next = String(Number(at) + 1).padStart(4, "0");
    for (const offset of this.#places) answer.write(next, offset + 1, "latin1");
    answer.write(`${shard}:${next}`, answer.indexOf("shard-0:0000"), "latin1");
    return answer;
  }
}

interface Kept {
  readonly batches: number;
  readonly lengths: readonly number[];
  readonly heldBytes: number;
}

describe("a record that is kept when its batch is done", () => {
  let stream: FullStream;
  before(async function () {
    this.timeout(120_000);
    buildIfOld();
    stream = await FullStream.start();
  });
  after(() => stream.stop());

  /** Has a worker keep one record of each batch. */
  async function keep(batches: number, options: object): Promise<Kept> {
    const args = [
      path.dirname(builtFile("index.js")),
      stream.endpoint,
      String(batches),
      JSON.stringify(options),
    ];
    const child = spawn(process.execPath, ["--expose-gc", keeper, ...args], {
      env: { ...process.env, NODE_NO_WARNINGS: "1" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    const said = await text(child.stdout);
    expect(await ended).to.deep.equal([0, null]);
    const kept = JSON.parse(said) as Kept;
    expect(kept).to.include({ batches });
    expect(kept.lengths).to.deep.equal([recordBytes]);
    return kept;
  }

  it("holds on to little: one in 10,000 of 100 batches is less than 30 MB", async function () {
    this.timeout(120_000);
    expect((await keep(100, {})).heldBytes).to.be.below(30e6);
  });

  it("holds on to its whole batch with zeroCopy", async function () {
    this.timeout(120_000);
    expect((await keep(10, { zeroCopy: true })).heldBytes).to.be.above(10 * recordsInBatch * recordBytes);
  });
});
