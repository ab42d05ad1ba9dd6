import assert from "node:assert/strict";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { StoreError } from "../../model/errors.js";
import type { LeaseItem } from "../../store/lease-item.js";
import { position } from "../../model/position.js";
import { change, applied, fresh, lease, read, rows, type CaseMap } from "./harness.js";

const row = { leaseKey: { S: "s1" }, leaseCounter: { N: "7" }, checkpoint: { S: "100" } };
const others = [
  "STREAM",
  "LEADER",
  "CLIENT_VERSION_MIGRATION",
  "TABLE_MIGRATION",
  "WORKER_METRIC_STATS",
  "OF_TOMORROW",
];

/** What a reader of lease rows sees. */
export const readingCases: CaseMap = {
  "a scan of an empty table finds nothing": async ({ store }) => {
    assert.deepEqual(await store.leases.scan(fresh), { leases: [], invalid: [], kclRows: [] });
  },
  "a scan returns every lease of every page": async (harness) => {
    await rows(harness, { s1: {}, s2: {}, s3: {}, s4: {}, s5: {}, s6: {}, s7: {}, s8: {}, s9: {}, s10: {} });
    const { leases } = await harness.store.leases.scan(fresh);
    assert.equal(leases.length, 10);
    assert.equal(new Set(leases.map((found) => found.leaseKey)).size, 10);
  },
  "an eventually consistent scan returns every lease too": async (harness) => {
    await rows(harness, { s1: {}, s2: {}, s3: {} });
    assert.equal((await harness.store.leases.scan({ consistent: false })).leases.length, 3);
  },
  "a missing row reads as undefined": async ({ store }) => {
    assert.equal(await store.leases.get("s1", fresh), undefined);
    assert.equal(await store.leases.get("s1", { consistent: false }), undefined);
  },
  "every field of a lease survives being stored": async (harness) => {
    const whole = lease("s1", {
      owner: "w1",
      epoch: 1_870_000_000_000_123,
      checkpoint: position("49680485805141923083350982082018890130529888566033514578", 3),
      pendingCheckpoint: position("49680485805141923083350982082018890130529888566033514579", 4),
      pendingCheckpointState: new Uint8Array([0, 1, 255]),
      ownerSwitchesSinceCheckpoint: 2,
      ownersWornOut: 1,
      parents: ["p1", "p2"],
      children: ["c1", "c2"],
      startingHashKey: "0",
      endingHashKey: "340282366920938463463374607431768211455",
      throughputKBps: 12.5,
      checkpointOwner: "w0",
      tenure: { epoch: 5, worker: "w1", reason: "taken-from-fenced", cause: "observer", since: "now" },
      previousTenure: { epoch: 4, reason: "released", cause: "stuck", since: "before" },
      writeId: "write-0",
    });
    await rows(harness, { s1: whole });
    assert.deepEqual(await read(harness, "s1"), whole);
    assert.deepEqual((await harness.store.leases.scan(fresh)).leases, [whole]);
  },
  "a row without entityType is a lease": async (harness) => {
    await harness.raw.put(row);
    assert.equal((await read(harness, "s1")).epoch, 7);
  },
  "a row with entityType LEASE is a lease": async (harness) => {
    await harness.raw.put({ ...row, entityType: { S: "LEASE" } });
    assert.equal((await read(harness, "s1")).marked, false);
  },
  "a row with entityType DELETED_LEASE is a marked lease": async (harness) => {
    await harness.raw.put({ ...row, entityType: { S: "DELETED_LEASE" } });
    assert.equal((await read(harness, "s1")).marked, true);
    assert.equal((await harness.store.leases.scan(fresh)).leases[0]?.marked, true);
  },
  ...Object.fromEntries(
    others.map((entityType) => [
      `a row with entityType ${entityType} is in no scan and reads as undefined`,
      async (harness): Promise<void> => {
        await harness.raw.put({ ...row, entityType: { S: entityType } });
        await rows(harness, { s2: {} });
        const scan = await harness.store.leases.scan(fresh);
        assert.deepEqual(scan.invalid, []);
        assert.deepEqual(
          scan.leases.map((found) => found.leaseKey),
          ["s2"],
        );
        assert.equal(await harness.store.leases.get("s1", fresh), undefined);
      },
    ]) satisfies (readonly [string, CaseMap[string]])[],
  ),
  "a table that holds only rows of other kinds scans as empty": async (harness) => {
    for (const entityType of others) {
      await harness.raw.put({ leaseKey: { S: entityType }, entityType: { S: entityType } });
    }
    const { leases, invalid, kclRows } = await harness.store.leases.scan(fresh);
    assert.deepEqual({ leases, invalid }, { leases: [], invalid: [] });
    assert.deepEqual(kclRows.map(({ leaseKey }) => leaseKey).sort(), ["LEADER", "WORKER_METRIC_STATS"]);
  },
  "a scan tells a KCL's row that changed, in whatever attribute, from one that did not": async (harness) => {
    const leader = {
      leaseKey: { S: "Leader" },
      entityType: { S: "LEADER" },
      ownerName: { S: "w1" },
      data: { B: new Uint8Array([1, 2, 255]) },
    };
    const stateOf = async (item: LeaseItem): Promise<string | undefined> => {
      await harness.raw.put(item);
      return (await harness.store.leases.scan(fresh)).kclRows[0]?.state;
    };
    const state = await stateOf(leader);
    const { ownerName, ...rest } = leader;
    assert.equal(await stateOf({ ...rest, ownerName }), state);
    assert.notEqual(await stateOf({ ...leader, ownerName: { S: "w2" } }), state);
    assert.notEqual(await stateOf({ ...leader, data: { B: new Uint8Array([1, 2, 254]) } }), state);
    assert.notEqual(await stateOf({ ...leader, isReleased: { S: "1" } }), state);
  },
  "absent counts and sub-sequence numbers read as 0, absent sets as empty": async (harness) => {
    await harness.raw.put(row);
    const found = await read(harness, "s1");
    assert.deepEqual(found, lease("s1", { epoch: 7 }));
  },
  "a pending state that is no binary reads as absent": async (harness) => {
    await harness.raw.put({ ...row, pendingCheckpoint: { S: "200" }, pendingCheckpointState: { N: "0" } });
    const found = await read(harness, "s1");
    assert.deepEqual(found.pendingCheckpoint, position("200"));
    assert.equal(found.pendingCheckpointState, undefined);
  },
  "an unreadable row is named by a scan, which goes on": async (harness) => {
    await harness.raw.put({ ...row, checkpoint: { S: "SOON" } });
    await rows(harness, { s2: {}, s3: {}, s4: {} });
    const scan = await harness.store.leases.scan(fresh);
    assert.equal(scan.leases.length, 3);
    assert.equal(scan.invalid.length, 1);
    assert.equal(scan.invalid[0]?.leaseKey, "s1");
    assert.match(scan.invalid[0].problem, /checkpoint is "SOON"/);
  },
  "an unreadable row throws when it is read alone, naming key, value and remedy": async (harness) => {
    await harness.raw.put({ ...row, checkpoint: { S: "SOON" } });
    await assert.rejects(harness.store.leases.get("s1", fresh), (error: unknown) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.code, "invalid-row");
      assert.equal(error.retryable, false);
      assert.match(error.message, /"s1"/);
      assert.match(error.message, /"SOON"/);
      assert.match(error.message, /TRIM_HORIZON/);
      assert.match(error.message, /by hand/);
      return true;
    });
  },
  ...Object.fromEntries(
    (
      [
        ["without a checkpoint", { checkpoint: undefined }],
        ["whose checkpoint is a number", { checkpoint: { N: "100" } }],
        ["without a counter", { leaseCounter: undefined }],
        ["whose counter is no integer", { leaseCounter: { N: "1.5" } }],
        ["whose counter is beyond exact numbers", { leaseCounter: { N: "9007199254740993" } }],
        ["whose sub-sequence number is negative", { checkpointSubSequenceNumber: { N: "-1" } }],
        ["whose pending checkpoint is unknown", { pendingCheckpoint: { S: "later" } }],
      ] as const
    ).map(([what, attributes]) => [
      `a row ${what} is unreadable`,
      async (harness): Promise<void> => {
        const item: Record<string, AttributeValue> = { leaseKey: row.leaseKey };
        for (const [name, value] of Object.entries<AttributeValue | undefined>({ ...row, ...attributes })) {
          if (value !== undefined) item[name] = value;
        }
        await harness.raw.put(item);
        const scan = await harness.store.leases.scan(fresh);
        assert.deepEqual(scan.leases, []);
        assert.equal(scan.invalid.length, 1);
      },
    ]) satisfies (readonly [string, CaseMap[string]])[],
  ),
  "a tenure that cannot be understood reads as none": async (harness) => {
    await harness.raw.put({ ...row, tenure: { M: { epoch: { N: "7" }, reason: { S: "conjured" } } } });
    assert.equal((await read(harness, "s1")).tenure, undefined);
  },
  "the owner index names the keys of one owner, on every page": async (harness) => {
    const mine = { owner: "w1" };
    await rows(harness, { s1: mine, s2: mine, s3: { owner: "w2" }, s4: {}, s5: mine, s6: mine, s7: mine });
    const keys = await harness.store.leases.keysOf("w1");
    assert.deepEqual(keys.toSorted(), ["s1", "s2", "s5", "s6", "s7"]);
    assert.deepEqual(await harness.store.leases.keysOf("w3"), []);
  },
  "the owner index follows a change of owner": async (harness) => {
    await rows(harness, { s1: { owner: "w2" } });
    applied(await harness.store.ownership.change(change("s1", { expect: { owner: "w2" } })));
    assert.deepEqual(await harness.store.leases.keysOf("w1"), ["s1"]);
    assert.deepEqual(await harness.store.leases.keysOf("w2"), []);
  },
  "a call that was called off before it was made is not made": async (harness) => {
    await rows(harness, { s1: {} });
    const { signal } = abortedController();
    await assert.rejects(harness.store.ownership.change(change("s1"), { signal }), StoreError);
    await assert.rejects(harness.store.leases.get("s1", { ...fresh, signal }), StoreError);
    assert.equal((await read(harness, "s1")).epoch, 5);
  },
};

function abortedController(): AbortController {
  const controller = new AbortController();
  controller.abort();
  return controller;
}
