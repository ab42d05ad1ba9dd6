import { expect } from "chai";
import { bench, type Read, type Records } from "./bench.js";

const { sumsOf } = (await bench("canned/records.mjs")) as Records;
const { checkRead, checkMoved, mergedRuns } = (await bench("run.mjs")) as {
  checkRead(cell: object, read: Read[], before: number[], after: number[]): number;
  checkMoved(cell: object, from: Map<string, string>, to: Map<string, string>): number;
  mergedRuns(reads: Read[][]): Read[];
};

describe("the throughput bench's check of what was read", () => {
  const cell = { recordBytes: 30, size: 4, shards: 1 };
  const sumOf = sumsOf(30, 4);
  const shardId = "shardId-000000000000";
  const check =
    (records: number, sum: number, sent: number, start = 0) =>
    (): void => {
      checkRead(cell, [{ shardId, start, records, sum }], [100], [100 + sent]);
    };

  it("takes what adds up and was sent", () => {
    expect(check(9, sumOf(9), 12)).not.to.throw();
  });

  it("refuses other bytes, more than was sent, and far less", () => {
    expect(check(9, sumOf(9) - 1, 12)).to.throw("the bytes of its 9 records from 0 on are others");
    expect(check(9, sumOf(8), 12)).to.throw("the bytes of its 9 records from 0 on are others");
    expect(check(13, sumOf(13), 12)).to.throw("13 records were counted, 12 were sent");
    expect(check(9, sumOf(9), 100_000)).to.throw("of 100000 records only 9 were counted");
  });

  it("refuses a shard whose first records were left out", () => {
    expect(check(9, sumOf(13) - sumOf(4), 16, 4)).to.throw("4 records were not read from 0 on");
  });

  it("counts what was read twice, because a lease was lost, and refuses a gap between two tenures", () => {
    const tenures = (start: number): Read[] => [
      { shardId, start: 0, records: 9, sum: sumOf(9) },
      { shardId, start, records: 4, sum: sumOf(start + 4) - sumOf(start) },
    ];
    expect(checkRead(cell, tenures(6), [0], [16])).to.equal(3);
    expect(() => checkRead(cell, tenures(10), [0], [16])).to.throw("1 records were not read from 9 on");
  });

  it("refuses a shard that was never read", () => {
    expect(() => {
      checkRead({ ...cell, shards: 2 }, [{ shardId, start: 0, records: 4, sum: sumOf(4) }], [0, 0], [4, 4]);
    }).to.throw("1 of 2 shards were read");
  });
});

describe("the throughput bench's check of processes that share a stream", () => {
  const cell = { recordBytes: 30, size: 4, shards: 1 };
  const sumOf = sumsOf(30, 4);
  const run = (start: number, end: number): Read => ({
    shardId: "shardId-000000000000",
    start,
    records: end - start,
    sum: sumOf(end) - sumOf(start),
  });
  const check = (...reads: Read[][]): number => checkRead(cell, mergedRuns(reads), [0], [40]);

  it("takes a shard that went to another process and came back", () => {
    expect(check([run(0, 9), run(20, 30)], [run(9, 20)])).to.equal(0);
  });

  it("refuses what no process has read", () => {
    expect(() => check([run(0, 9)], [run(10, 20)])).to.throw("1 records were not read from 9 on");
  });

  it("counts what two have read", () => {
    expect(check([run(0, 9)], [run(5, 20)])).to.equal(4);
    expect(check([run(0, 20)], [run(0, 20)])).to.equal(20);
  });

  it("allows no more to be read ahead than eight full answers, however large records are", () => {
    const large = { recordBytes: 25_600, size: 4, shards: 1 };
    const most = (8 * 10 * 2 ** 20) / 25_600;
    const sum = sumsOf(25_600, 4)(4);
    const read = [{ shardId: "shardId-000000000000", start: 0, records: 4, sum }];
    expect(checkRead(large, read, [0], [4 + Math.floor(most)])).to.equal(0);
    expect(() => checkRead(large, read, [0], [5 + Math.floor(most)])).to.throw("only 4 were counted");
  });
});

describe("the throughput bench's demand for checkpoints", () => {
  const rows = (...checkpoints: string[]): Map<string, string> =>
    new Map(checkpoints.map((checkpoint, i) => [String(i), checkpoint]));

  it("counts the shards whose checkpoints moved, and refuses fewer than half", () => {
    expect(checkMoved({ shards: 2 }, rows("a", "b"), rows("c", "d"))).to.equal(2);
    expect(checkMoved({ shards: 2 }, rows("a", "b"), rows("c", "b"))).to.equal(1);
    expect(() => checkMoved({ shards: 2 }, rows("a", "b"), rows("a", "b"))).to.throw(
      "checkpoints of 0 of 2 shards moved",
    );
  });
});
