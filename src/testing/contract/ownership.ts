import assert from "node:assert/strict";
import { position } from "../../model/position.js";
import {
  answerLost,
  applied,
  change,
  checkpoint,
  isApplied,
  isRefused,
  lease,
  newLease,
  read,
  refused,
  rows,
  since,
  unchanged,
  type CaseMap,
} from "./harness.js";

const created = { epoch: 9, reason: "created", since } as const;
const unknown = { streamName: { S: "acct:stream:1" }, ofTomorrow: { M: { deep: { L: [{ N: "1" }] } } } };

/** The writes that change who owns a lease: every condition has a case that fails without it. */
export const ownershipCases: CaseMap = {
  "a creation makes a row that nobody owns, at the epoch asked for": async (harness) => {
    const contents = newLease("s1", {
      parents: ["p1"],
      startingHashKey: "0",
      endingHashKey: "99",
      checkpoint: position("AT_TIMESTAMP"),
    });
    const row = applied(await harness.store.ownership.create(contents, 9, created, "write-1"));
    assert.deepEqual(row, lease("s1", { ...contents, epoch: 9, tenure: created, writeId: "write-1" }));
    assert.deepEqual(await read(harness, "s1"), row);
  },
  "a creation is refused on a row that stands, and returns it": async (harness) => {
    await rows(harness, { s1: { owner: "w2", epoch: 7 } });
    const current = await unchanged(harness, "s1", () =>
      harness.store.ownership.create(newLease("s1"), 9, created, "write-1"),
    );
    assert.equal(current?.owner, "w2");
    assert.equal(current.epoch, 7);
  },
  "a late creation is refused on a deletion mark": async (harness) => {
    await rows(harness, { s1: { marked: true, epoch: 7 } });
    const current = await unchanged(harness, "s1", () =>
      harness.store.ownership.create(newLease("s1"), 9, created, "write-1"),
    );
    assert.equal(current?.marked, true);
  },
  "a creation over a row that is no lease is refused without a row": async (harness) => {
    await harness.raw.put({ leaseKey: { S: "s1" }, entityType: { S: "LEADER" }, ownerName: { S: "j" } });
    const current = await unchanged(harness, "s1", () =>
      harness.store.ownership.create(newLease("s1"), 9, created, "write-1"),
    );
    assert.equal(current, undefined);
  },
  "a creation whose answer was lost is refused when repeated, on our own write id": async (harness) => {
    await answerLost(harness.losing.ownership.create(newLease("s1"), 9, created, "write-1"));
    const current = refused(await harness.store.ownership.create(newLease("s1"), 9, created, "write-1"));
    assert.equal(current?.writeId, "write-1");
  },
  "a take of a free lease sets owner, epoch, tenure and write id": async (harness) => {
    await rows(harness, { s1: {} });
    const row = applied(await harness.store.ownership.change(change("s1")));
    const tenure = { epoch: 6, worker: "w1", reason: "taken", since } as const;
    assert.deepEqual(row, lease("s1", { owner: "w1", epoch: 6, tenure, writeId: "write-1" }));
    assert.deepEqual(await read(harness, "s1"), row);
  },
  "a take returns the row's checkpoint and pending checkpoint": async (harness) => {
    const pending = { pendingCheckpoint: position("150"), pendingCheckpointState: new Uint8Array([7]) };
    await rows(harness, { s1: { checkpoint: position("123", 4), ...pending } });
    const row = applied(await harness.store.ownership.change(change("s1")));
    assert.deepEqual(row.checkpoint, position("123", 4));
    assert.deepEqual(row.pendingCheckpoint, pending.pendingCheckpoint);
    assert.deepEqual(row.pendingCheckpointState, pending.pendingCheckpointState);
  },
  "a take from a fenced owner replaces it": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    const row = applied(await harness.store.ownership.change(change("s1", { expect: { owner: "w2" } })));
    assert.equal(row.owner, "w1");
    assert.equal(row.epoch, 6);
  },
  "a take of a free lease is refused once it has an owner": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    const current = await unchanged(harness, "s1", () => harness.store.ownership.change(change("s1")));
    assert.equal(current?.owner, "w2");
  },
  "a take from a fenced owner is refused once another owns the lease": async (harness) => {
    await rows(harness, { s1: { owner: "w3" } });
    const current = await unchanged(harness, "s1", () =>
      harness.store.ownership.change(change("s1", { expect: { owner: "w2" } })),
    );
    assert.equal(current?.owner, "w3");
  },
  "a take from a fenced owner is refused once nobody owns the lease": async (harness) => {
    await rows(harness, { s1: {} });
    await unchanged(harness, "s1", () =>
      harness.store.ownership.change(change("s1", { expect: { owner: "w2" } })),
    );
  },
  "a take is refused at another epoch, higher or lower": async (harness) => {
    await rows(harness, { s1: { epoch: 6 }, s2: { epoch: 4 } });
    const current = await unchanged(harness, "s1", () => harness.store.ownership.change(change("s1")));
    assert.equal(current?.epoch, 6);
    await unchanged(harness, "s2", () => harness.store.ownership.change(change("s2")));
  },
  "a take is refused on a deletion mark": async (harness) => {
    await rows(harness, { s1: { marked: true } });
    const current = await unchanged(harness, "s1", () => harness.store.ownership.change(change("s1")));
    assert.equal(current?.marked, true);
  },
  "a take of a missing row is refused and makes none": async (harness) => {
    assert.equal(refused(await harness.store.ownership.change(change("s1"))), undefined);
    assert.equal(await harness.raw.get("s1"), undefined);
    assert.equal(
      refused(await harness.store.ownership.change(change("s1", { expect: { owner: "w2" } }))),
      undefined,
    );
    assert.equal(await harness.raw.get("s1"), undefined);
  },
  "a row that is no lease is never taken": async (harness) => {
    await harness.raw.put({
      leaseKey: { S: "s1" },
      entityType: { S: "STREAM" },
      leaseCounter: { N: "5" },
      checkpoint: { S: "100" },
    });
    const current = await unchanged(harness, "s1", () => harness.store.ownership.change(change("s1")));
    assert.equal(current, undefined);
  },
  "of two takes at the same epoch one is applied": async (harness) => {
    await rows(harness, { s1: {} });
    const { ownership } = harness.store;
    const takes = ["w1", "w2", "w3"].map((worker) =>
      ownership.change(change("s1", { tenure: { worker }, writeId: `by-${worker}` })),
    );
    const outcomes = await Promise.all(takes);
    assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
    assert.equal((await read(harness, "s1")).epoch, 6);
  },
  "a handoff passes the lease from its owner to the target": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    const row = applied(
      await harness.store.ownership.change(
        change("s1", { expect: { owner: "w2" }, tenure: { worker: "w3", reason: "handoff", cause: "stop" } }),
      ),
    );
    assert.equal(row.owner, "w3");
    assert.deepEqual(row.tenure, { epoch: 6, worker: "w3", reason: "handoff", cause: "stop", since });
  },
  "a release leaves the row without an owner": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const release = change("s1", { expect: { owner: "w1" }, unowned: true, tenure: { reason: "released" } });
    const row = applied(await harness.store.ownership.change(release));
    assert.equal(row.owner, undefined);
    assert.equal((await harness.raw.get("s1"))?.["leaseOwner"], undefined);
    assert.equal(row.epoch, 6);
  },
  "a resume raises the epoch and keeps the owner": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const resume = change("s1", { expect: { owner: "w1" }, tenure: { reason: "resumed" } });
    const row = applied(await harness.store.ownership.change(resume));
    assert.equal(row.owner, "w1");
    assert.equal(row.epoch, 6);
  },
  "a change of tenure rotates the present tenure to previous": async (harness) => {
    const before = { epoch: 5, worker: "w2", reason: "taken", since } as const;
    await rows(harness, { s1: { owner: "w2", tenure: before } });
    const row = applied(
      await harness.store.ownership.change(change("s1", { expect: { owner: "w2" }, previousTenure: before })),
    );
    assert.deepEqual(row.previousTenure, before);
    assert.equal(row.tenure?.epoch, 6);
  },
  "a change of a row without a tenure leaves no older previous one": async (harness) => {
    await rows(harness, { s1: { previousTenure: { epoch: 2, reason: "created", since } } });
    assert.equal(applied(await harness.store.ownership.change(change("s1"))).previousTenure, undefined);
  },
  "owner switches and worn-out owners are counted when asked for, each by itself": async (harness) => {
    const counts = { ownerSwitchesSinceCheckpoint: 2, ownersWornOut: 3 };
    await rows(harness, { s1: counts, s2: counts, s3: counts });
    const { ownership } = harness.store;
    const neither = applied(await ownership.change(change("s1")));
    const switched = applied(await ownership.change(change("s2", { switchesOwner: true })));
    const wornOut = applied(await ownership.change(change("s3", { wornOut: true })));
    assert.deepEqual([neither.ownerSwitchesSinceCheckpoint, neither.ownersWornOut], [2, 3]);
    assert.deepEqual([switched.ownerSwitchesSinceCheckpoint, switched.ownersWornOut], [3, 3]);
    assert.deepEqual([wornOut.ownerSwitchesSinceCheckpoint, wornOut.ownersWornOut], [2, 4]);
  },
  "counts begin at 0 where the row has none": async (harness) => {
    await harness.raw.put({ leaseKey: { S: "s1" }, leaseCounter: { N: "5" }, checkpoint: { S: "100" } });
    const both = change("s1", { switchesOwner: true, wornOut: true });
    const row = applied(await harness.store.ownership.change(both));
    assert.deepEqual([row.ownerSwitchesSinceCheckpoint, row.ownersWornOut], [1, 1]);
  },
  "a change of tenure ends a pending handoff of the Java KCL": async (harness) => {
    await rows(harness, { s1: { owner: "w2", checkpointOwner: "java" } });
    const row = applied(await harness.store.ownership.change(change("s1", { expect: { owner: "w2" } })));
    assert.equal(row.checkpointOwner, undefined);
    assert.equal((await harness.raw.get("s1"))?.["checkpointOwner"], undefined);
  },
  "after a change of owner the old owner's writes are refused": async (harness) => {
    await rows(harness, { s1: { owner: "w1" } });
    const { ownership, checkpoints } = harness.store;
    applied(await ownership.change(change("s1", { expect: { owner: "w1" }, tenure: { worker: "w2" } })));
    await unchanged(harness, "s1", () => checkpoints.write(checkpoint("s1")));
    const resume = change("s1", { expect: { owner: "w1" }, tenure: { reason: "resumed" } });
    await unchanged(harness, "s1", () => ownership.change(resume));
  },
  "a change whose answer was lost is refused when repeated, on our own write id": async (harness) => {
    await rows(harness, { s1: {} });
    await answerLost(harness.losing.ownership.change(change("s1", { writeId: "mine" })));
    const current = refused(await harness.store.ownership.change(change("s1", { writeId: "mine" })));
    assert.equal(current?.writeId, "mine");
    assert.equal(current.epoch, 6);
  },
  "a change that another overtook is refused on the other's write id": async (harness) => {
    await rows(harness, { s1: {} });
    applied(await harness.store.ownership.change(change("s1", { writeId: "theirs" })));
    // Same owner, same counter: only the write id tells whose it was.
    const current = refused(await harness.store.ownership.change(change("s1", { writeId: "mine" })));
    assert.equal(current?.writeId, "theirs");
  },
  "a deletion mark takes owner away, keeps the checkpoint and raises the epoch": async (harness) => {
    await rows(harness, { s1: { owner: "w2", checkpoint: position("SHARD_END") } });
    const mark = change("s1", {
      expect: { owner: "w2" },
      unowned: true,
      mark: true,
      tenure: { reason: "deleted" },
    });
    const row = applied(await harness.store.ownership.change(mark));
    assert.equal(row.marked, true);
    assert.equal(row.owner, undefined);
    assert.equal(row.epoch, 6);
    assert.deepEqual(row.checkpoint, position("SHARD_END"));
    assert.deepEqual((await harness.raw.get("s1"))?.["entityType"], { S: "DELETED_LEASE" });
  },
  "a deletion mark for a free lease is refused once it is owned": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    const mark = change("s1", { unowned: true, mark: true, tenure: { reason: "deleted" } });
    await unchanged(harness, "s1", () => harness.store.ownership.change(mark));
  },
  "a marked lease is made again with new contents at the next epoch": async (harness) => {
    await rows(harness, {
      s1: {
        marked: true,
        checkpoint: position("500", 2),
        pendingCheckpoint: position("600"),
        pendingCheckpointState: new Uint8Array([1]),
        children: ["c1"],
        parents: ["old"],
        ownerSwitchesSinceCheckpoint: 2,
        ownersWornOut: 2,
        throughputKBps: 7,
        startingHashKey: "1",
      },
    });
    const again = change("s1", {
      expect: { marked: true },
      unowned: true,
      tenure: { reason: "recreated" },
      recreate: newLease("s1", { parents: ["p1"], endingHashKey: "9" }),
    });
    const row = applied(await harness.store.ownership.change(again));
    const tenure = { epoch: 6, reason: "recreated", since } as const;
    const contents = newLease("s1", { parents: ["p1"], endingHashKey: "9" });
    assert.deepEqual(row, lease("s1", { ...contents, epoch: 6, tenure, writeId: "write-1" }));
  },
  "a re-creation is refused on a row that is not marked": async (harness) => {
    await rows(harness, { s1: {} });
    const again = change("s1", { expect: { marked: true }, unowned: true, recreate: newLease("s1") });
    await unchanged(harness, "s1", () => harness.store.ownership.change(again));
  },
  "a marked row is removed at its epoch": async (harness) => {
    await rows(harness, { s1: { marked: true } });
    isApplied(await harness.store.ownership.remove("s1", 5));
    assert.equal(await harness.raw.get("s1"), undefined);
  },
  "a row that is not marked is never removed": async (harness) => {
    await rows(harness, { s1: {} });
    isRefused(await harness.store.ownership.remove("s1", 5));
    assert.equal((await read(harness, "s1")).epoch, 5);
  },
  "a mark at another epoch is not removed": async (harness) => {
    await rows(harness, { s1: { marked: true, epoch: 7 } });
    isRefused(await harness.store.ownership.remove("s1", 5));
    assert.equal((await read(harness, "s1")).marked, true);
  },
  "removing a missing row is refused without an error": async ({ store }) => {
    isRefused(await store.ownership.remove("s1", 5));
  },
  "unknown attributes survive every change of tenure": async (harness) => {
    const base = { leaseKey: { S: "s1" }, leaseCounter: { N: "5" }, checkpoint: { S: "100" } };
    await harness.raw.put({ ...base, ...unknown });
    const { ownership, checkpoints } = harness.store;
    const survives = async (): Promise<void> => {
      const item = await harness.raw.get("s1");
      for (const [name, value] of Object.entries(unknown)) assert.deepEqual(item?.[name], value, name);
    };
    applied(await ownership.change(change("s1")));
    await survives();
    applied(await checkpoints.write(checkpoint("s1", { epoch: 6 })));
    await survives();
    const mark = { unowned: true, mark: true, tenure: { reason: "deleted" } } as const;
    applied(await ownership.change(change("s1", { expect: { epoch: 6, owner: "w1" }, ...mark })));
    await survives();
    const again = { unowned: true, recreate: newLease("s1"), tenure: { reason: "recreated" } } as const;
    applied(await ownership.change(change("s1", { expect: { epoch: 7, marked: true }, ...again })));
    await survives();
  },
  "an entityType of LEASE stays through takes and releases": async (harness) => {
    const base = { leaseKey: { S: "s1" }, leaseCounter: { N: "5" }, checkpoint: { S: "100" } };
    await harness.raw.put({ ...base, entityType: { S: "LEASE" } });
    applied(await harness.store.ownership.change(change("s1")));
    assert.deepEqual((await harness.raw.get("s1"))?.["entityType"], { S: "LEASE" });
  },
};
