import { expect } from "chai";
import type { Lease } from "../../src/model/lease.js";
import { position, shardEnd } from "../../src/model/position.js";
import {
  describeRows,
  isTakenByStranger,
  movedRows,
  noteOf,
  strangersRows,
  unnoted,
  type StrangersRows,
} from "../../src/model/strangers.js";
import { emptyWorkerRow } from "../../src/store/empty-worker-row.js";
import { lease } from "../../src/testing/contract/harness.js";

const nobody = (): undefined => undefined;

function rowsOf(leases: readonly Lease[], ...kcl: readonly [string, string][]): StrangersRows {
  const kclRows = kcl.map(([leaseKey, state]) => ({ leaseKey, state, entityType: "LEADER" as const }));
  return strangersRows({ leases, kclRows }, nobody);
}

describe("rows of strangers", () => {
  const ours = { epoch: 5, worker: "w1", reason: "taken", since: "" } as const;
  const cases: readonly (readonly [string, Lease, boolean])[] = [
    ["one whose owner has no row", lease("s", { owner: "w1" }), true],
    ["one that nobody owns is none", lease("s"), false],
    ["one that finished is none", lease("s", { owner: "w1", checkpoint: shardEnd }), false],
    ["one marked deleted is none", lease("s", { owner: "w1", marked: true }), false],
    ["one that a worker of a fleet took is none", lease("s", { owner: "w1", tenure: ours }), false],
    ["one taken from such a worker", lease("s", { owner: "java", tenure: ours }), true],
    ["one whose counter moved since", lease("s", { owner: "w1", epoch: 6, tenure: ours }), true],
  ];
  for (const [title, row, is] of cases) {
    it(`among leases: ${title}`, () => {
      expect(rowsOf([row]).has("s")).to.equal(is);
    });
  }

  it("are no leases whose owner is a worker; a tombstone is none", () => {
    const scan = { leases: [lease("s", { owner: "w1" })], kclRows: [] };
    expect([...strangersRows(scan, (id) => emptyWorkerRow(id, 0)).keys()]).to.deep.equal([]);
    expect([...strangersRows(scan, (id) => emptyWorkerRow(id, -1)).keys()]).to.deep.equal(["s"]);
  });

  it("moved when anything that a KCL writes did, or when they are new; not when they are gone", () => {
    const row = lease("s", { owner: "java", epoch: 7 });
    const before = rowsOf([row, lease("gone", { owner: "java" })], ["Leader", "1"]);
    const moved = (...args: Parameters<typeof rowsOf>): readonly string[] =>
      movedRows(before, rowsOf(...args)).map(({ leaseKey }) => leaseKey);
    expect(moved([row], ["Leader", "1"])).to.deep.equal([]);
    expect(moved([row], ["Leader", "2"])).to.deep.equal(["Leader"]);
    expect(moved([row], ["Leader", "1"], ["w1", "1"])).to.deep.equal(["w1"]);
    for (const change of [
      { epoch: 8 },
      { owner: "java-2" },
      { checkpoint: position("101") },
      { checkpointOwner: "java-2" },
    ]) {
      expect(moved([{ ...row, ...change }])).to.deep.equal(["s"]);
    }
  });

  it("are told of by name, the first five, and by number", () => {
    const leases = ["a", "b", "c", "d", "e", "f", "g"].map((key) => lease(key, { owner: "w1" }));
    expect(describeRows([...rowsOf(leases, ["Leader", "1"]).values()])).to.equal(
      "Leader (LEADER), a (owned by w1, leaseCounter 5), b (owned by w1, leaseCounter 5), c (owned by w1, leaseCounter 5), d (owned by w1, leaseCounter 5) and 3 more",
    );
  });

  it("took a lease where its row says another owner or counter than the tenure in it", () => {
    expect(isTakenByStranger(lease("s", { owner: "w1", tenure: ours }))).to.equal(false);
    expect(isTakenByStranger(lease("s", { owner: "java", tenure: ours }))).to.equal(true);
    expect(isTakenByStranger(lease("s", { owner: "w1", epoch: 6, tenure: ours }))).to.equal(true);
    expect(isTakenByStranger(lease("s", { owner: "w1" }))).to.equal(false);
  });
});

describe("the note of rows that stood still", () => {
  const leases = Array.from({ length: 1_000 }, (_, i) => lease(`shard-${String(i)}`, { owner: "java" }));

  it("knows every row in it as it was, and no other", () => {
    const rows = rowsOf(leases.slice(0, 50), ["Leader", "1"]);
    const note = noteOf(rows);
    expect(unnoted(rows, note).size).to.equal(0);
    expect(unnoted(rows, "").size).to.equal(51);
    expect([...unnoted(rowsOf(leases.slice(0, 51), ["Leader", "2"]), note).keys()]).to.deep.equal([
      "Leader",
      "shard-50",
    ]);
  });

  it("stays below a kilobyte whatever was left, with the KCL's own rows in it: leases are taken", () => {
    const rows = rowsOf(leases, ["w1", "1"], ["Leader", "1"]);
    const note = noteOf(rows);
    expect(note.length).to.be.lessThan(1_000);
    const left = unnoted(rows, note);
    expect(left.size).to.equal(902);
    expect(left.has("Leader") || left.has("w1")).to.equal(false);
  });
});
