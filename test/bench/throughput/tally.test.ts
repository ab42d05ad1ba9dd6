import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { bench, type Read, type Records, urlOf } from "./bench.js";

const { sequenceNumber } = (await bench("canned/records.mjs")) as Records;

describe("the throughput bench's subjects on Node", () => {
  const sequence = (index: number): string =>
    sequenceNumber({ block: Math.floor(index / 10), record: index % 10 });
  const batch = (from: number): unknown => ["s", 10, sequence(from), sequence(from + 9), 0];

  /** Has a tally see batches, the last of them over and over, and tells what it said before the word to begin and after. */
  async function tell(alone: string, batches: unknown[], shards = 1): Promise<Record<string, unknown>[]> {
    const script = `
      const { Tally } = await import(${JSON.stringify(urlOf("subjects/tally.mjs"))});
      let begin;
      const begun = new Promise((resolve) => (begin = resolve));
      const tally = new Tally({ onFrom: begin });
      for (const [i, each] of ${JSON.stringify(batches)}.entries()) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        tally.batch(...each);
        if (i === ${String(shards)}) await begun; // It has said ready: one batch after the first of the last shard.
      }`;
    const env = {
      ...process.env,
      BENCH_ALONE: alone,
      BENCH_SHARDS: String(shards),
      BENCH_BLOCK: "10",
      BENCH_WARM_UP_MS: "0",
      BENCH_WINDOW_MS: "1",
    };
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env });
    const said: Record<string, unknown>[] = [];
    for await (const line of createInterface(child.stdout)) {
      const told = JSON.parse(line) as Record<string, unknown>;
      said.push(told);
      if (told.event === "ready") child.stdin.write("begin\n");
      if (told.event === "to") child.stdin.end();
    }
    return said;
  }

  it("say when they are ready, and count from the bench's word on", async () => {
    const said = await tell(
      "yes",
      Array.from({ length: 12 }, (_, i) => batch(10 * i)),
    );
    expect(said.map(({ event }) => event)).to.deep.equal(["ready", "to"]);
    expect(said[1]?.records).to.be.within(10, 100);
  });

  it("count until each shard was read, where that is longer than the window", async () => {
    const other = (from: number): unknown => ["t", 10, sequence(from), sequence(from + 9), 0];
    const often = Array.from({ length: 100 }, (_, i) => batch(10 * i));
    // The second shard comes once before the word to begin, and not again until long after.
    const said = await tell("yes", [other(0), ...often.slice(0, 90), other(10), ...often.slice(90)], 2);
    expect(said.map(({ event }) => event)).to.deep.equal(["ready", "to"]);
    const read = said[1]?.read as Read[];
    expect(read.find(({ shardId }) => shardId === "t")?.records).to.equal(20);
  });

  it("refuse a gap when they are alone, and tell of one as two runs when they share the stream", async () => {
    const gap = [batch(0), batch(10), ...Array.from({ length: 10 }, (_, i) => batch(500 + 10 * i))];
    expect((await tell("yes", gap)).at(-1)?.event).to.equal("lost");
    const read = (await tell("no", gap)).at(-1)?.read as Read[];
    expect(read.map(({ start }) => start)).to.deep.equal([0, 500]);
  });
});
