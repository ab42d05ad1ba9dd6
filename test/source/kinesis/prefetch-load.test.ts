import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from "@aws-sdk/client-kinesis";
import { expect } from "chai";
import { position } from "../../../src/model/position.js";
import { sleep } from "../../../src/runtime/clock.js";
import { kinesis } from "../../../src/source/kinesis/kinesis-source.js";
import type { PartitionReader, PartitionSource } from "../../../src/source/partition-source.js";
import { seededRandom, VirtualTime } from "../../../src/testing/index.js";
import { failure, record } from "./fake-kinesis.js";

/** Payloads of one record each; all records share it, so that the test itself needs no memory for them. */
const megabyte = new Uint8Array(1_000_000);
const mebibyte = 1_048_576;

/** A stream on virtual time whose shards are written at Kinesis's limit of 1 MB/s each, or not at all. */
class WrittenStream {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock();
  readonly source: PartitionSource;
  answerMs = 100;
  isOut = false;
  /** Since when it is written, ms. */
  writtenSinceMs = Infinity;
  /** When each read was asked, by shard, ms. */
  readonly reads = new Map<string, number[]>();
  /** Sent, in bytes. */
  sentBytes = 0;
  readonly #sent = new Map<string, number>();
  #open: PartitionReader[] = [];

  constructor() {
    const client = { destroy: () => {}, send: (command: unknown) => this.#send(command) };
    const make = (): KinesisClient => client as unknown as KinesisClient;
    const runtime = { clock: this.clock, random: seededRandom(1) };
    this.source = kinesis({ streamName: "orders", client: make })(runtime);
  }

  open(partitionKey: string): PartitionReader {
    const reader = this.source.open({
      partitionKey,
      checkpoint: position("TRIM_HORIZON"),
      onError: () => {},
      onAnswer: () => {},
      onHeldUp: () => {},
    });
    this.#open = [...this.#open, reader];
    return reader;
  }

  close(): void {
    for (const reader of this.#open) reader.close();
    this.source.close();
  }

  async #send(command: unknown): Promise<unknown> {
    if (command instanceof GetShardIteratorCommand) return { ShardIterator: command.input.ShardId };
    if (!(command instanceof GetRecordsCommand)) throw new Error("no such command");
    const shard = command.input.ShardIterator ?? "";
    this.reads.set(shard, [...(this.reads.get(shard) ?? []), this.time.nowMs]);
    if (this.isOut) throw failure("InternalFailureException");
    if (shard.startsWith("hanging")) return new Promise(() => {});
    await sleep(this.clock, this.answerMs);
    if (shard.startsWith("busy")) {
      return { NextShardIterator: shard, MillisBehindLatest: 1, Records: [record(1)] };
    }
    const written = Math.floor(Math.max(0, this.time.nowMs - this.writtenSinceMs) / 1_000);
    const sent = this.#sent.get(shard) ?? 0;
    const records = Math.min(10, written - sent);
    this.#sent.set(shard, sent + records);
    this.sentBytes += records * megabyte.length;
    return {
      NextShardIterator: shard,
      MillisBehindLatest: 1_000 * (written - sent - records),
      Records: Array.from({ length: records }, (_, i) => record(sent + i + 1, megabyte)),
    };
  }
}

describe("the bound on read-ahead, by default, with 64 shards", () => {
  let stream: WrittenStream;
  beforeEach(() => {
    stream = new WrittenStream();
  });
  afterEach(() => {
    stream.close();
  });

  const start = (key: string): void => {
    stream
      .open(key)
      .next(new AbortController().signal)
      .catch(() => {});
  };

  it("holds up no shard at rest", async () => {
    for (let i = 0; i < 64; i++) start(`s${String(i)}`);
    await stream.time.advance(60_000);
    expect(stream.reads.size).to.equal(64);
    for (const [shard, reads] of stream.reads) expect(reads.length, shard).to.be.at.least(59);
  });

  for (const [what, rest] of [
    ["an outage", () => (stream.isOut = true)],
    ["a rest", () => {}],
  ] as const) {
    it(`holds when all shards bring much at once after ${what}`, async () => {
      stream.answerMs = 500;
      for (let i = 0; i < 64; i++) start(`s${String(i)}`);
      await stream.time.advance(30_000);
      stream.writtenSinceMs = stream.time.nowMs;
      rest();
      await stream.time.advance(60_000);
      stream.isOut = false;
      await stream.time.advance(60_000);
      // No processor begins any of it.
      expect(stream.sentBytes).to.be.within(54 * mebibyte, (64 + 2 * 10) * mebibyte);
    });
  }

  for (const hanging of [7, 20]) {
    it(`lets the others go on at full rate while the reads of ${String(hanging)} hang`, async () => {
      stream.answerMs = 30;
      for (let i = 0; i < hanging; i++) start(`hanging${String(i)}`);
      await stream.time.advance(10);
      let batches = 0;
      for (let i = 0; i < 44; i++) {
        const reader = stream.open(`busy${String(i)}`);
        const work = async (): Promise<void> => {
          for (;;) {
            await reader.next(new AbortController().signal);
            batches++;
            reader.begun?.();
          }
        };
        work().catch(() => {});
      }
      // Nothing is known of any shard at first.
      await stream.time.advance(10_000);
      for (let n = 0; n < 12; n++) {
        const before = batches;
        await stream.time.advance(15_000);
        expect(batches - before, "five a second each").to.be.at.least(0.98 * 44 * 5 * 15);
      }
      for (const [shard, reads] of stream.reads) expect(reads.length, shard).to.be.at.least(2);
    });
  }
});
