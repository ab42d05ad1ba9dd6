import { expect } from "chai";
import { LeaseholdError } from "../../src/model/errors.js";
import { firstHole } from "../../src/model/hash-range.js";
import type { Lease } from "../../src/model/lease.js";
import { leasesToCreate, leasesToMark, type PartitionNode } from "../../src/model/lineage.js";
import { position, type Position } from "../../src/model/position.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

const last = 2n ** 128n - 1n;
const latest = position("LATEST");
const oldest = position("TRIM_HORIZON");
const since = position("AT_TIMESTAMP");

type Tree = Record<string, { parents?: string[]; range: [number, number]; closed?: true; from: number }>;

/** Ranges in tenths of the whole. */
function graph(tree: Tree): PartitionNode[] {
  return Object.entries(tree).map(([partitionKey, { parents = [], range, closed, from }]) => ({
    partitionKey,
    parents,
    open: closed !== true,
    startingHashKey: String((BigInt(range[0]) * (last + 1n)) / 10n),
    endingHashKey: String((BigInt(range[1]) * (last + 1n)) / 10n - 1n),
    startingSequenceNumber: String(from),
  }));
}

/** The KCL's graph A: 0+1→6, 2+3→7, 6+7→8, 5→9,10, 4 open. */
const a = graph({
  0: { range: [0, 1], closed: true, from: 102 },
  1: { range: [1, 2], closed: true, from: 102 },
  2: { range: [2, 3], closed: true, from: 102 },
  3: { range: [3, 4], closed: true, from: 102 },
  4: { range: [4, 6], from: 102 },
  5: { range: [6, 10], closed: true, from: 102 },
  6: { parents: ["0", "1"], range: [0, 2], closed: true, from: 103 },
  7: { parents: ["2", "3"], range: [2, 4], closed: true, from: 103 },
  8: { parents: ["6", "7"], range: [0, 4], from: 206 },
  9: { parents: ["5"], range: [6, 8], from: 206 },
  10: { parents: ["5"], range: [8, 10], from: 206 },
});

/** The KCL's graph B: 0+1→2→3,4→5→6,7→8→9,10. */
const b = graph({
  0: { range: [0, 5], closed: true, from: 1 },
  1: { range: [5, 10], closed: true, from: 1 },
  2: { parents: ["0", "1"], range: [0, 10], closed: true, from: 2 },
  3: { parents: ["2"], range: [0, 5], closed: true, from: 3 },
  4: { parents: ["2"], range: [5, 10], closed: true, from: 3 },
  5: { parents: ["3", "4"], range: [0, 10], closed: true, from: 4 },
  6: { parents: ["5"], range: [0, 5], closed: true, from: 5 },
  7: { parents: ["5"], range: [5, 10], closed: true, from: 5 },
  8: { parents: ["6", "7"], range: [0, 10], closed: true, from: 6 },
  9: { parents: ["8"], range: [0, 5], from: 7 },
  10: { parents: ["8"], range: [5, 10], from: 7 },
});

function lease(leaseKey: string, checkpoint = "1", more: Partial<Lease> = {}): Lease {
  return leaseRow(leaseKey, { epoch: 1, checkpoint: position(checkpoint), ...more });
}

function created(
  partitions: readonly PartitionNode[],
  leases: readonly Lease[],
  initialPosition: Position,
  ignoreUnexpectedChildren = false,
): Record<string, string> {
  const missing = leasesToCreate({ partitions, leases, initialPosition, ignoreUnexpectedChildren });
  return Object.fromEntries(missing.map((m) => [m.lease.leaseKey, m.lease.checkpoint.sequenceNumber]));
}

const all = (keys: string, checkpoint: string): Record<string, string> =>
  Object.fromEntries(keys.split(",").flatMap((key) => (key === "" ? [] : [[key, checkpoint]])));

function refusal(run: () => unknown): LeaseholdError {
  try {
    run();
  } catch (error) {
    if (error instanceof LeaseholdError) return error;
  }
  throw new Error("it was not refused");
}

describe("which leases should be created", () => {
  const rows: [number, string, PartitionNode[], string, string, string][] = [
    [51, "A", a, "3,4,5", "2,6", "0,1,2"],
    [52, "A", a, "4,5,7", "6", "0,1"],
    [53, "A", a, "4,9,10", "8", "0,1,2,3"],
    [54, "A", a, "4,5,6,7", "", ""],
    [54, "A", a, "0,1,2,3,4,5,6,7", "", ""],
    [54, "A", a, "0,1,4,7,9,10", "", ""],
    [55, "A", a, "", "4,8,9,10", "0,1,2,3,4,5"],
    [56, "B", b, "", "9,10", "0,1"],
  ];
  for (const [row, name, partitions, existing, atLatest, fromOldest] of rows) {
    const leases = existing === "" ? [] : existing.split(",").map((key) => lease(key));
    const told = `KCL row ${String(row)}: graph ${name} with leases (${existing})`;
    for (const [initial, keys] of [
      [latest, atLatest],
      [oldest, fromOldest],
      [since, fromOldest],
    ] as const) {
      it(`${told} at ${initial.sequenceNumber} creates (${keys})`, () => {
        expect(created(partitions, leases, initial)).to.deep.equal(all(keys, initial.sequenceNumber));
      });
    }
  }

  const early = graph({ 0: { range: [0, 10], from: 1 }, 1: { parents: ["0"], range: [0, 10], from: 2 } });
  for (const initial of [latest, oldest, since]) {
    for (const leases of [[], [lease("0")]]) {
      const told = `with ${String(leases.length)} leases at ${initial.sequenceNumber}`;
      it(`KCL row 57: refuses a child of an open parent ${told}, for now`, () => {
        const error = refusal(() => created(early, leases, initial));
        expect(error.code).to.equal("source-unavailable");
        expect(error.retryable).to.equal(true);
        expect(error.message).to.match(/partition 1 .*parent is still open/);
      });

      it(`KCL row 57: leaves it out when told to ${told}`, () => {
        const expected = leases.length === 0 ? { 0: initial.sequenceNumber } : {};
        expect(created(early, leases, initial, true)).to.deep.equal(expected);
      });
    }

    it(`KCL row 58: refuses an incomplete range of hashes without leases at ${initial.sequenceNumber}, for now`, () => {
      for (const gone of ["4", "8", "10"]) {
        const error = refusal(() =>
          created(
            a.filter((node) => node.partitionKey !== gone),
            [],
            initial,
          ),
        );
        expect(error.retryable).to.equal(true);
        expect(error.message).to.match(/no open partition covers hashes \d+ to \d+/);
      }
      expect(() => created([], [], initial)).to.throw(/no open partition/);
    });
  }

  it("creates oldest first, by number and not by letter", () => {
    const partitions = graph({ x: { range: [0, 5], from: 100 }, y: { range: [5, 10], from: 99 } });
    expect(Object.keys(created(partitions, [], oldest))).to.deep.equal(["y", "x"]);
  });

  it("gives a lease all parents of its partition and its range", () => {
    const partitions = a.filter((node) => node.partitionKey !== "5");
    const missing = leasesToCreate({ partitions, leases: [], initialPosition: latest });
    const [nine] = missing.filter((m) => m.lease.leaseKey === "9");
    expect(nine?.lease.parents).to.deep.equal(["5"]);
    expect(nine?.lease.endingHashKey).to.equal(a.find((n) => n.partitionKey === "9")?.endingHashKey);
  });

  it("creates the child that a finished lease should have left, from its start", () => {
    const leases = [lease("4"), lease("5", "SHARD_END"), lease("8")];
    expect(created(a, leases, latest)).to.deep.equal({ 9: "TRIM_HORIZON", 10: "TRIM_HORIZON" });
    expect(created(a, [...leases, lease("9")], oldest)).to.deep.equal({ 10: "TRIM_HORIZON" });
  });

  it("creates no child before each listed parent has its lease", () => {
    const leases = [lease("4"), lease("9"), lease("10"), lease("6", "SHARD_END")];
    expect(created(a, leases, oldest)).to.deep.equal(all("2,3", "TRIM_HORIZON"));
    expect(created(a, leases, latest)).to.deep.equal({ 7: "LATEST" });
    expect(created(a, [...leases, lease("7")], oldest)).to.deep.equal({ 8: "TRIM_HORIZON" });
  });

  it("leaves the children of a trimmed partition to its lease while that is not finished", () => {
    const partitions = a.filter((node) => node.partitionKey !== "5");
    const leases = [lease("4"), lease("8"), lease("5")];
    expect(created(partitions, leases, latest)).to.deep.equal({});
    const finished = [lease("4"), lease("8"), lease("5", "SHARD_END")];
    expect(created(partitions, finished, latest)).to.deep.equal({ 9: "TRIM_HORIZON", 10: "TRIM_HORIZON" });
  });

  it("never creates again what was marked at its end while it is listed", () => {
    const leases = [lease("0", "SHARD_END", { marked: true }), ...["2", "3", "4", "5"].map((k) => lease(k))];
    expect(created(a, leases, oldest)).to.deep.equal({ 1: "TRIM_HORIZON" });
  });

  it("creates again, over its row, what was marked before its end", () => {
    const marked = lease("4", "7", { marked: true, epoch: 9 });
    const leases = [marked, lease("8"), lease("9"), lease("10")];
    const missing = leasesToCreate({ partitions: a, leases, initialPosition: oldest });
    expect(missing.map((m) => [m.lease.leaseKey, m.over])).to.deep.equal([["4", marked]]);
  });

  it("asks no range of hashes of partitions that have none", () => {
    const partitions = ["p0", "p1"].map((partitionKey) => ({ partitionKey, parents: [], open: true }));
    expect(created(partitions, [], oldest)).to.deep.equal(all("p0,p1", "TRIM_HORIZON"));
    expect(created(partitions, [lease("p0")], oldest)).to.deep.equal({ p1: "TRIM_HORIZON" });
  });

  it("walks a lineage of 20,000 generations", () => {
    const partitions = Array.from({ length: 20_000 }, (_, i) => ({
      partitionKey: String(i),
      parents: i === 0 ? [] : [String(i - 1)],
      open: i === 19_999,
      startingSequenceNumber: String(i),
    }));
    expect(created(partitions, [lease("elsewhere")], oldest)).to.deep.equal({ 0: "TRIM_HORIZON" });
    expect(created(partitions, [lease("elsewhere")], latest)).to.deep.equal({ 19999: "LATEST" });
  });
});

describe("a hole in the range of hashes", () => {
  const range = (from: bigint, to: bigint) => ({ startingHashKey: String(from), endingHashKey: String(to) });

  it("is none where ranges touch, overlap or lie within one another, in any order", () => {
    expect(firstHole([range(0n, last)])).to.equal(undefined);
    expect(firstHole([range(500n, last), range(3n, 4n), range(0n, 499n)])).to.equal(undefined);
    expect(firstHole([range(0n, 9n), range(5n, last)])).to.equal(undefined);
  });

  it("is told by its ends, the first of them", () => {
    expect(firstHole([range(0n, 9n), range(11n, 20n), range(30n, last)])).to.equal("hashes 10 to 10");
    expect(firstHole([range(1n, last)])).to.equal("hashes 0 to 0");
    expect(firstHole([range(0n, last - 1n)])).to.equal(`hashes ${String(last)} to ${String(last)}`);
    expect(firstHole([])).to.equal(`hashes 0 to ${String(last)}`);
  });
});

describe("which finished leases are needed no more", () => {
  const split = graph({
    p: { range: [0, 10], closed: true, from: 1 },
    l: { parents: ["p"], range: [0, 5], from: 2 },
    r: { parents: ["p"], range: [5, 10], from: 2 },
  });
  const keys = (leases: readonly Lease[]): string[] => leases.map((l) => l.leaseKey);
  const marks = (...leases: Lease[]): string[] => keys(leasesToMark(split, leases).mark);
  const done = lease("p", "SHARD_END", { children: ["l", "r"] });

  it("a split parent whose children have both begun", () => {
    expect(marks(done, lease("l", "5"), lease("r", "LATEST"))).to.deep.equal(["p"]);
    expect(marks(done, lease("l", "SHARD_END"), lease("r", "SHARD_END", { marked: true }))).to.include("p");
  });

  it("not one with a child that is missing or at its start", () => {
    expect(marks(done, lease("l", "5"))).to.deep.equal([]);
    expect(marks(done, lease("l", "5"), lease("r", "TRIM_HORIZON"))).to.deep.equal([]);
    expect(marks(done, lease("l", "5"), lease("r", "AT_TIMESTAMP"))).to.deep.equal([]);
  });

  it("not one whose own parent's lease still stands", () => {
    const middle = lease("p", "SHARD_END", { children: ["l", "r"], parents: ["grandparent"] });
    const children = [lease("l", "5"), lease("r", "5")];
    expect(marks(middle, ...children, lease("grandparent"))).to.deep.equal([]);
    expect(marks(middle, ...children, lease("grandparent", "SHARD_END", { marked: true }))).to.deep.equal([
      "p",
    ]);
    expect(marks(middle, ...children)).to.deep.equal(["p"]);
  });

  it("both parents of a merge, and a parent whose row names no children, by the source's graph", () => {
    const partitions = graph({
      x: { range: [0, 5], closed: true, from: 1 },
      y: { range: [5, 10], closed: true, from: 1 },
      m: { parents: ["x", "y"], range: [0, 10], from: 2 },
    });
    const leases = [lease("x", "SHARD_END"), lease("y", "SHARD_END"), lease("m", "5")];
    expect(keys(leasesToMark(partitions, leases).mark)).to.deep.equal(["x", "y"]);
  });

  it("not one that is not finished, or is marked, or whose children nobody knows", () => {
    const children = [lease("l", "5"), lease("r", "5")];
    expect(marks(lease("p", "99", { children: ["l", "r"] }), ...children)).to.deep.equal([]);
    expect(marks({ ...done, marked: true }, ...children)).to.deep.equal([]);
    expect(keys(leasesToMark(split, [lease("l", "SHARD_END")]).mark)).to.deep.equal([]);
  });

  it("a finished lease whose partition is gone; an unfinished one is reported", () => {
    const found = leasesToMark(split, [lease("gone", "SHARD_END"), lease("trimmed", "17"), lease("l", "3")]);
    expect(keys(found.mark)).to.deep.equal(["gone"]);
    expect(keys(found.vanished)).to.deep.equal(["trimmed"]);
  });

  it("nothing at all where the source listed nothing", () => {
    expect(leasesToMark([], [lease("gone", "SHARD_END"), lease("trimmed", "17")])).to.deep.equal({
      mark: [],
      vanished: [],
    });
  });
});
