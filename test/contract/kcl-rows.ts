import assert from "node:assert/strict";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { isFinished, position } from "../../src/model/position.js";
import type { LeaseItem } from "../../src/store/lease-item.js";
import {
  applied,
  change,
  checkpoint,
  fresh,
  read,
  type CaseMap,
} from "../../src/testing/contract/harness.js";
import { kclFixture, kclItems } from "../support/kcl-rows.js";

const integerOf = (value: AttributeValue | undefined): number => Number(value?.N);

async function reads(name: string, harness: Parameters<CaseMap[string]>[0]): Promise<void> {
  const stored = kclItems(name);
  for (const item of stored) await harness.raw.put(item);
  const scan = await harness.store.leases.scan(fresh);
  assert.deepEqual(scan.invalid, []);
  const ofKcl = stored.filter((item) =>
    ["LEADER", "WORKER_METRIC_STATS"].includes(item["entityType"]?.S ?? ""),
  );
  assert.deepEqual(
    scan.kclRows.map(({ leaseKey, entityType }) => `${leaseKey} ${entityType}`).sort(),
    ofKcl.map((item) => `${item["leaseKey"]?.S ?? ""} ${item["entityType"]?.S ?? ""}`).sort(),
  );
  const expected = stored.filter((item) => item["checkpoint"] !== undefined);
  assert.equal(scan.leases.length, expected.length);
  for (const item of expected) {
    const lease = scan.leases.find(({ leaseKey }) => leaseKey === item["leaseKey"]?.S);
    assert.equal(lease?.owner, item["leaseOwner"]?.S);
    assert.equal(lease?.epoch, integerOf(item["leaseCounter"]));
    assert.equal(lease.checkpoint.sequenceNumber, item["checkpoint"]?.S);
    assert.equal(lease.ownerSwitchesSinceCheckpoint, integerOf(item["ownerSwitchesSinceCheckpoint"]));
    assert.deepEqual(lease.parents, item["parentShardId"]?.SS ?? []);
    assert.deepEqual(lease.children, item["childShardIds"]?.SS ?? []);
    assert.equal(lease.startingHashKey, item["startingHashKey"]?.S);
    assert.equal(lease.endingHashKey, item["endingHashKey"]?.S);
    assert.equal(lease.throughputKBps?.toString(), item["throughputKBps"]?.N);
    assert.equal(lease.checkpointOwner, item["checkpointOwner"]?.S);
    assert.equal(lease.marked, false);
  }
}

/** Rows as the Java KCL 2.7.2 and 3.5.1 left them in a table. */
export const kclRowCases: CaseMap = {
  "KCL 2 during a reshard": (harness) => reads("kcl2-03-reshard", harness),
  "KCL 3 during a reshard, rows of other kinds among them": (harness) =>
    reads("kcl3-05-reshard-18s", harness),
  "KCL 3 after its lease clean-up": (harness) => reads("kcl3-07-after-lease-cleanup", harness),
  "KCL 3 in the middle of a graceful handoff": async (harness) => {
    const states = kclFixture("kcl3-06-graceful-handoff-states") as readonly {
      readonly after: string;
      readonly item: LeaseItem;
    }[];
    for (const { after, item } of states) {
      await harness.raw.put(item);
      const lease = await read(harness, item["leaseKey"]?.S ?? "");
      assert.equal(`${lease.owner ?? ""}|${lease.checkpointOwner ?? "undefined"}`, after);
    }
  },
  "a lease that KCL 3 left can be taken and worked on, and its other rows stay as they are": async (
    harness,
  ) => {
    const stored = kclItems("kcl3-05-reshard-18s");
    for (const item of stored) await harness.raw.put(item);
    const before = (await harness.store.leases.scan(fresh)).leases.find(
      (found) => !isFinished(found.checkpoint),
    );
    assert.ok(before?.owner !== undefined);
    const expect = { epoch: before.epoch, owner: before.owner };
    const taken = applied(await harness.store.ownership.change(change(before.leaseKey, { expect })));
    const next = position("99999999999999999999999999999999999999999999999999999999");
    const write = checkpoint(before.leaseKey, {
      epoch: taken.epoch,
      expect: { checkpoint: taken.checkpoint, pendingCheckpoint: taken.pendingCheckpoint },
      checkpoint: next,
    });
    assert.deepEqual(applied(await harness.store.checkpoints.write(write)).checkpoint, next);
    for (const item of stored) {
      const leaseKey = item["leaseKey"]?.S ?? "";
      if (leaseKey !== before.leaseKey) {
        assert.deepEqual(comparable(await harness.raw.get(leaseKey)), comparable(item));
      }
    }
  },
};

/** A row without what only memory adds: our count, which it keeps for every lease. */
function comparable(item: LeaseItem | undefined): unknown {
  const { ownersWornOut: _count, ...rest } = item ?? {};
  return rest;
}
