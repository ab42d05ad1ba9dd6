import assert from "node:assert/strict";
import { position } from "../../model/position.js";
import {
  answerLost,
  applied,
  checkpoint,
  lease,
  read,
  refused,
  rows,
  unchanged,
  type CaseMap,
} from "./harness.js";

/** A checkpoint is a compare-and-set on owner, epoch and all that the row last held. */
export const checkpointCases: CaseMap = {
  "a checkpoint by the owner in its epoch is written, and the epoch stays": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const row = applied(
      await harness.store.checkpoints.write(checkpoint("s1", { checkpoint: position("200", 7) })),
    );
    assert.deepEqual(row, lease("s1", { owner: "w1", checkpoint: position("200", 7), writeId: "write-1" }));
    assert.deepEqual(await read(harness, "s1"), row);
  },
  "a checkpoint starts the counts of owners over": async (harness) => {
    await rows(harness, { s1: { owner: "w1", ownerSwitchesSinceCheckpoint: 3, ownersWornOut: 2 } });
    const row = applied(await harness.store.checkpoints.write(checkpoint("s1")));
    assert.deepEqual([row.ownerSwitchesSinceCheckpoint, row.ownersWornOut], [0, 0]);
  },
  "a checkpoint is refused to another worker": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    const current = await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
    assert.equal(current?.owner, "w2");
  },
  "a checkpoint is refused on a row without an owner": async (harness) => {
    await rows(harness, { s1: {} });
    await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
  },
  "a checkpoint is refused in another epoch of the same owner": async (harness) => {
    await rows(harness, { s1: { owner: "w1", epoch: 6 } });
    const current = await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
    assert.equal(current?.epoch, 6);
  },
  "a checkpoint is refused when the row holds another checkpoint": async (harness) => {
    await rows(harness, { s1: { owner: "w1", checkpoint: position("150") } });
    const current = await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
    assert.deepEqual(current?.checkpoint, position("150"));
  },
  "a checkpoint is refused when the row holds another sub-sequence number": async (harness) => {
    await rows(harness, { s1: { owner: "w1", checkpoint: position("100", 2) }, s2: { owner: "w1" } });
    await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
    const expect = { checkpoint: position("100", 2), pendingCheckpoint: undefined };
    await unchanged(harness, "s2", () => harness.store.checkpoints.write(checkpoint("s2", { expect })));
  },
  "a checkpoint is refused when a pending one has appeared": async (harness) => {
    await rows(harness, { s1: { owner: "w1", pendingCheckpoint: position("150") } });
    await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1")));
  },
  "a checkpoint is refused when the pending one expected is gone or another": async (harness) => {
    const expect = { checkpoint: position("100"), pendingCheckpoint: position("150", 1) };
    await rows(harness, {
      s1: { owner: "w1" },
      s2: { owner: "w1", pendingCheckpoint: position("151", 1) },
      s3: { owner: "w1", pendingCheckpoint: position("150", 2) },
    });
    for (const key of ["s1", "s2", "s3"]) {
      await unchanged(harness, key, () => harness.store.checkpoints.write(checkpoint(key, { expect })));
    }
  },
  "a checkpoint clears the pending one and its state": async (harness) => {
    await rows(harness, {
      s1: {
        owner: "w1",
        pendingCheckpoint: position("150", 1),
        pendingCheckpointState: new Uint8Array([1, 2]),
      },
    });
    const expect = { checkpoint: position("100"), pendingCheckpoint: position("150", 1) };
    const row = applied(await harness.store.checkpoints.write(checkpoint("s1", { expect })));
    assert.equal(row.pendingCheckpoint, undefined);
    assert.equal(row.pendingCheckpointState, undefined);
    const item = await harness.raw.get("s1");
    for (const name of ["", "SubSequenceNumber", "State"]) {
      assert.equal(item?.[`pendingCheckpoint${name}`], undefined);
    }
  },
  "an absent sub-sequence number counts as 0 in the condition": async (harness) => {
    const base = { leaseCounter: { N: "5" }, checkpoint: { S: "100" }, leaseOwner: { S: "w1" } };
    await harness.raw.put({ leaseKey: { S: "s1" }, ...base });
    await harness.raw.put({ leaseKey: { S: "s2" }, ...base, pendingCheckpoint: { S: "150" } });
    applied(await harness.store.checkpoints.write(checkpoint("s1")));
    const expect = { checkpoint: position("100"), pendingCheckpoint: position("150") };
    applied(await harness.store.checkpoints.write(checkpoint("s2", { expect })));
  },
  "an absent sub-sequence number is not taken for another than 0": async (harness) => {
    const base = { leaseCounter: { N: "5" }, checkpoint: { S: "100" }, leaseOwner: { S: "w1" } };
    await harness.raw.put({ leaseKey: { S: "s1" }, ...base });
    const expect = { checkpoint: position("100", 1), pendingCheckpoint: undefined };
    await unchanged(harness, "s1", () => harness.store.checkpoints.write(checkpoint("s1", { expect })));
  },
  "a checkpoint on a missing row is refused and makes none": async (harness) => {
    assert.equal(refused(await harness.store.checkpoints.write(checkpoint("s1"))), undefined);
    assert.equal(await harness.raw.get("s1"), undefined);
  },
  "a late duplicate of an earlier checkpoint does not take the row back": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const { checkpoints } = harness.store;
    const first = checkpoint("s1", { writeId: "first" });
    applied(await checkpoints.write(first));
    const expect = { checkpoint: position("200"), pendingCheckpoint: undefined };
    applied(
      await checkpoints.write(checkpoint("s1", { expect, checkpoint: position("300"), writeId: "second" })),
    );
    await unchanged(harness, "s1", () => checkpoints.write(first));
    assert.deepEqual((await read(harness, "s1")).checkpoint, position("300"));
  },
  "a checkpoint whose answer was lost is refused when repeated, on our own write id": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    await answerLost(harness.losing.checkpoints.write(checkpoint("s1", { writeId: "mine" })));
    const current = refused(await harness.store.checkpoints.write(checkpoint("s1", { writeId: "mine" })));
    assert.equal(current?.writeId, "mine");
    assert.deepEqual(current.checkpoint, position("200"));
  },
  "the end of a partition is written with its children, which replace older ones": async (harness) => {
    await rows(harness, { s1: { owner: "w1", children: ["old"] } });
    const end = checkpoint("s1", { checkpoint: position("SHARD_END"), children: ["c1", "c2"] });
    const row = applied(await harness.store.checkpoints.write(end));
    assert.deepEqual(row.children, ["c1", "c2"]);
    assert.deepEqual(row.checkpoint, position("SHARD_END"));
  },
  "no children leave the row's as they are": async (harness) => {
    await rows(harness, { s1: { owner: "w1", children: ["c1"] } });
    const row = applied(await harness.store.checkpoints.write(checkpoint("s1", { children: [] })));
    assert.deepEqual(row.children, ["c1"]);
  },
  "the lease's load is written along, and stays when none is given": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const { checkpoints } = harness.store;
    const first = applied(await checkpoints.write(checkpoint("s1", { throughputKBps: 12.25 })));
    assert.equal(first.throughputKBps, 12.25);
    const expect = { checkpoint: position("200"), pendingCheckpoint: undefined };
    const second = applied(
      await checkpoints.write(checkpoint("s1", { expect, checkpoint: position("300") })),
    );
    assert.equal(second.throughputKBps, 12.25);
  },
  "a checkpoint leaves tenure, parents, hash range and a pending handoff alone": async (harness) => {
    const kept = {
      tenure: { epoch: 5, worker: "w1", reason: "taken", since: "then" },
      previousTenure: { epoch: 4, reason: "released", since: "before" },
      parents: ["p1"],
      startingHashKey: "0",
      endingHashKey: "9",
      checkpointOwner: "java",
    } as const;
    await rows(harness, { s1: { owner: "w1", ...kept } });
    const row = applied(await harness.store.checkpoints.write(checkpoint("s1")));
    assert.deepEqual(
      row,
      lease("s1", { owner: "w1", ...kept, checkpoint: position("200"), writeId: "write-1" }),
    );
  },
};
