import assert from "node:assert/strict";
import type { MailEntry } from "../../model/worker-row.js";
import {
  answerLost,
  applied,
  fresh,
  present,
  refused,
  since,
  status,
  worker,
  type CaseMap,
  type StoreHarness,
} from "./harness.js";

const expiresAt = 4_000_000_000;
const note: MailEntry = { kind: "note", leaseKey: "s1", epoch: 6, from: "w2" };
const rowOf = async ({ store }: StoreHarness, workerId: string) =>
  present(await store.membership.readWorker(workerId, fresh));

/** What an operator does by hand. */
export const operatorCases: CaseMap = {
  "an operator fences whatever the beat is, and the row says that it proves no silence": async (harness) => {
    await worker(harness, "w1", 5);
    const row = applied(await harness.store.membership.forceFence("w1", "ann@ops", since));
    assert.deepEqual(
      [row.fencedBy, row.fenceKind, row.fencedAt, row.beat, row.host],
      ["ann@ops", "forced", since, 5, "host-1"],
    );
    assert.deepEqual(await rowOf(harness, "w1"), row);
  },
  "a worker fenced by an operator beats no more, and is sent no mail": async (harness) => {
    await worker(harness, "w1", 2);
    const { membership } = harness.store;
    applied(await membership.forceFence("w1", "ann@ops", since));
    assert.equal(
      refused(await membership.beat({ workerId: "w1", beat: 2, status: status(), removeMail: [] }))
        ?.fenceKind,
      "forced",
    );
    assert.equal(refused(await membership.post("w1", new Map([["a", note]])))?.fenceKind, "forced");
    assert.equal(refused(await membership.leave("w1"))?.fencedBy, "ann@ops");
    assert.equal(refused(await membership.fence("w1", "w2", 2))?.fencedBy, "ann@ops");
  },
  "an operator's fence does not replace another fence": async (harness) => {
    await worker(harness, "w1", 2);
    applied(await harness.store.membership.fence("w1", "w2", 2));
    const current = refused(await harness.store.membership.forceFence("w1", "ann@ops", since));
    assert.deepEqual([current?.fencedBy, current?.fenceKind], ["w2", "observer"]);
    assert.deepEqual((await rowOf(harness, "w1")).fencedAt, undefined);
  },
  "an operator's fence of a missing row is refused and makes none": async ({ store }) => {
    assert.equal(refused(await store.membership.forceFence("w1", "ann@ops", since)), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
  "an operator's fence whose answer was lost is refused when repeated, and shows whose it is": async (
    harness,
  ) => {
    await worker(harness, "w1", 3);
    await answerLost(harness.losing.membership.forceFence("w1", "ann@ops", since));
    const current = refused(await harness.store.membership.forceFence("w1", "ann@ops", since));
    assert.deepEqual([current?.fencedBy, current?.fencedAt], ["ann@ops", since]);
  },
  "an operator's action is listed with every field, once, and is no lease's history": async ({
    store,
    losing,
  }) => {
    const action = { action: "fence", worker: "w1", by: "ann@ops", at: since } as const;
    await answerLost(losing.history.record(action, expiresAt));
    await store.history.record({ ...action, by: "bob@ops" }, expiresAt);
    await store.history.record({ ...action, worker: "w0" }, expiresAt);
    assert.deepEqual(await store.history.actions(), [{ ...action, worker: "w0" }, action]);
    assert.deepEqual(await store.history.list("w1"), []);
    assert.deepEqual((await store.membership.readFleet(fresh)).workers, []);
  },
};
