import assert from "node:assert/strict";
import { hasCode } from "../../model/errors.js";
import type { HistoryEntry } from "../../model/history.js";
import {
  answerLost,
  change,
  checkpoint,
  fresh,
  identity,
  newLease,
  since,
  status,
  type CaseMap,
} from "./harness.js";

const expiresAt = 4_000_000_000;

function entry(leaseKey: string, epoch: number, sketch: Partial<HistoryEntry> = {}): HistoryEntry {
  return { leaseKey, epoch, reason: "taken", since, until: "later", endedBy: "released", ...sketch };
}

/** Finished tenures. */
export const historyCases: CaseMap = {
  "a lease without a history lists nothing": async ({ store }) => {
    assert.deepEqual(await store.history.list("s1"), []);
    assert.equal(await store.history.highestEpoch("s1"), undefined);
  },
  "an entry is listed with every field": async ({ store }) => {
    const whole = entry("s1", 5, { worker: "w1", cause: "observer", endCause: "stuck" });
    await store.history.archive(whole, expiresAt);
    assert.deepEqual(await store.history.list("s1"), [whole]);
  },
  "an entry that tells of no end is listed as it is": async ({ store }) => {
    const { endedBy: _endedBy, ...open } = entry("s1", 5);
    await store.history.archive(open, expiresAt);
    assert.deepEqual(await store.history.list("s1"), [open]);
  },
  "an entry is never overwritten, and a repeat counts as done": async ({ store }) => {
    await store.history.archive(entry("s1", 5, { worker: "w1" }), expiresAt);
    await store.history.archive(entry("s1", 5, { worker: "w2" }), expiresAt);
    assert.deepEqual(await store.history.list("s1"), [entry("s1", 5, { worker: "w1" })]);
  },
  "an entry whose answer was lost is archived once": async ({ store, losing }) => {
    await answerLost(losing.history.archive(entry("s1", 5), expiresAt));
    await store.history.archive(entry("s1", 5), expiresAt);
    assert.equal((await store.history.list("s1")).length, 1);
  },
  "entries are listed in the order of their epochs, on every page": async ({ store }) => {
    const epochs = [9, 100, 1_870_000_000_000_000, 10, 2];
    for (const epoch of epochs) await store.history.archive(entry("s1", epoch), expiresAt);
    assert.deepEqual(
      (await store.history.list("s1")).map((found) => found.epoch),
      [2, 9, 10, 100, 1_870_000_000_000_000],
    );
  },
  "the pages of all histories have every entry once, and nothing else": async ({ store }) => {
    const first = entry("s1", 4, { first: true });
    const all = [first, entry("s1", 5), entry("s2", 9), entry("s/3#", 10)];
    for (const one of all) await store.history.archive(one, expiresAt);
    await store.history.record({ action: "fence", worker: "w1", by: "ann@ops", at: since }, expiresAt);
    await store.membership.join("worker", 1);
    const found: HistoryEntry[] = [];
    let from: string | undefined;
    do {
      const page = await store.history.page(from);
      found.push(...page.entries);
      from = page.next;
    } while (from !== undefined);
    const byKey = (a: HistoryEntry, b: HistoryEntry) => a.epoch - b.epoch;
    assert.deepEqual(found.sort(byKey), all);
  },
  "each lease has a history of its own": async ({ store }) => {
    await store.history.archive(entry("s1", 5), expiresAt);
    await store.history.archive(entry("s10", 6), expiresAt);
    assert.deepEqual(await store.history.list("s1"), [entry("s1", 5)]);
    assert.equal(await store.history.highestEpoch("s1"), 5);
  },
  "the highest epoch is the highest as a number": async ({ store }) => {
    for (const epoch of [9, 100, 20]) await store.history.archive(entry("s1", epoch), expiresAt);
    assert.equal(await store.history.highestEpoch("s1"), 100);
  },
  "an epoch set aside only rises, and never stands for two": async ({ store, losing }) => {
    assert.deepEqual(await store.history.setAside("s1", 9, expiresAt), { ok: true, row: 9 });
    assert.deepEqual(await store.history.setAside("s1", 9, expiresAt), { ok: false, current: 9 });
    assert.deepEqual(await store.history.setAside("s1", 8, expiresAt), { ok: false, current: 9 });
    await answerLost(losing.history.setAside("s1", 100, expiresAt));
    assert.deepEqual(await store.history.setAside("s1", 100, expiresAt), { ok: false, current: 100 });
    assert.deepEqual(await store.history.setAside("s10", 9, expiresAt), { ok: true, row: 9 });
  },
  "an epoch set aside is no entry of the history": async ({ store }) => {
    await store.history.setAside("s1", 9, expiresAt);
    assert.deepEqual(await store.history.list("s1"), []);
    assert.equal(await store.history.highestEpoch("s1"), undefined);
    assert.deepEqual((await store.history.page(undefined)).entries, []);
  },
  "a history is no part of the fleet": async ({ store }) => {
    await store.history.archive(entry("s1", 5), expiresAt);
    assert.deepEqual((await store.membership.readFleet(fresh)).workers, []);
  },
};

/** The tables themselves. */
export const tableCases: CaseMap = {
  "tables that stand are prepared again without harm": async ({ store }) => {
    await store.membership.join("worker", 1);
    await store.tables.prepare();
    await store.tables.verify();
    assert.equal((await store.tables.meta())?.joins, 1);
  },
  "missing tables are named by a check that makes none": async (harness) => {
    await harness.dropTables();
    const { store } = harness;
    for (let look = 0; look < 2; look++) {
      await assert.rejects(store.tables.verify(), (error: unknown) => hasCode(error, "table-missing"));
    }
  },
  "missing tables are made": async (harness) => {
    await harness.dropTables();
    const { store } = harness;
    await store.tables.prepare();
    await store.tables.verify();
    assert.deepEqual(await store.leases.scan(fresh), { leases: [], invalid: [], kclRows: [] });
  },
  "two workers may make the tables at the same time": async (harness) => {
    await harness.dropTables();
    const { store } = harness;
    await Promise.all([store.tables.prepare(), store.tables.prepare()]);
    await store.tables.verify();
  },
  "every call on missing tables throws table-missing, for good and without doubt": async (harness) => {
    await harness.dropTables();
    const { store } = harness;
    const tenure = { epoch: 9, reason: "created", since } as const;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => store.leases.scan(fresh),
      () => store.leases.get("s1", fresh),
      () => store.leases.keysOf("w1"),
      () => store.ownership.create(newLease("s1"), 9, tenure, "write-1"),
      () => store.ownership.change(change("s1")),
      () => store.ownership.remove("s1", 5),
      () => store.checkpoints.write(checkpoint("s1")),
      () => store.membership.readFleet(fresh),
      () => store.membership.readWorker("w1", fresh),
      () => store.membership.readPart(["w1"]),
      () => store.membership.join("worker", 1),
      () => store.membership.create(identity("w1"), status()),
      () => store.membership.beat({ workerId: "w1", beat: 0, status: status(), removeMail: [] }),
      () => store.membership.fence("w1", "w2", 0),
      () => store.membership.forceFence("w1", "ann@ops", since),
      () => store.membership.leave("w1"),
      () => store.membership.fenceExited("w1", "parent"),
      () => store.membership.createTombstone("w1"),
      () => store.membership.post("w1", new Map()),
      () => store.membership.nameObserver("w1", "m1"),
      () => store.membership.assignObserver("w1", { plannerEpoch: 1, marks: ["m1"] }),
      () => store.membership.remove("w1"),
      () => store.plannerDesk.claim("w1", undefined),
      () => store.plannerDesk.countDeath(),
      () => store.history.archive(entry("s1", 5), expiresAt),
      () => store.history.list("s1"),
      () => store.history.record({ action: "fence", worker: "w1", by: "ann@ops", at: since }, expiresAt),
      () => store.history.actions(),
      () => store.history.page(undefined),
      () => store.history.highestEpoch("s1"),
      () => store.history.setAside("s1", 5, expiresAt),
      () => store.tables.meta(),
    ];
    for (const call of calls) {
      await assert.rejects(call(), (error: unknown) => {
        assert.ok(hasCode(error, "table-missing"), `${call.toString()}: ${String(error)}`);
        assert.equal(error.retryable, false);
        assert.equal("ambiguous" in error && error.ambiguous, false);
        return true;
      });
    }
  },
};
