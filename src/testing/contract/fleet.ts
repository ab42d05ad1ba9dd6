import assert from "node:assert/strict";
import type { MailEntry } from "../../model/worker-row.js";
import {
  answerLost,
  applied,
  fresh,
  identity,
  isApplied,
  isRefused,
  present,
  refused,
  status,
  worker,
  type CaseMap,
  type StoreHarness,
} from "./harness.js";

const note: MailEntry = { kind: "note", leaseKey: "s1", epoch: 6, from: "w2" };
const directive: MailEntry = { kind: "directive", leaseKey: "s2", epoch: 7, target: "w3", plannerEpoch: 2 };
const mail = (entries: Readonly<Record<string, MailEntry>>): ReadonlyMap<string, MailEntry> =>
  new Map(Object.entries(entries));
const beatOf = (workerId: string, beat: number, removeMail: readonly string[] = []) => ({
  workerId,
  beat,
  status: status(),
  removeMail,
});
const rowOf = async ({ store }: StoreHarness, workerId: string) =>
  present(await store.membership.readWorker(workerId, fresh));

/** The rows of workers. */
export const membershipCases: CaseMap = {
  "a new worker's row has beat 0, an empty mailbox, and all that it said of itself": async (harness) => {
    const who = identity("w1", { maxLeases: 7, deployment: "v2.0.1", join: 12 });
    const how = status({
      weight: 1.5,
      utilisation: 0.25,
      leases: 3,
      unfit: ["s9"],
      failing: ["s8"],
      planner: { epoch: 4, tick: 5 },
    });
    const row = applied(await harness.store.membership.create(who, how));
    assert.deepEqual(row, { ...who, ...how, beat: 0, mailbox: new Map() });
    assert.deepEqual(await rowOf(harness, "w1"), row);
  },
  "a worker's label and join outlive its beats, and a row without a label has none": async (harness) => {
    const { membership } = harness.store;
    applied(await membership.create(identity("w1", { deployment: "v2", join: 12 }), status()));
    applied(await membership.create(identity("w2", { join: 13 }), status()));
    const labelled = applied(await membership.beat(beatOf("w1", 0)));
    assert.deepEqual([labelled.deployment, labelled.join], ["v2", 12]);
    const other = applied(await membership.beat(beatOf("w2", 0)));
    assert.deepEqual([other.deployment, other.join], [undefined, 13]);
    assert.equal("deployment" in other, false);
  },
  "a row that no worker wrote has joined nothing": async (harness) => {
    const tombstone = applied(await harness.store.membership.createTombstone("w1"));
    assert.deepEqual([tombstone.deployment, tombstone.join], [undefined, 0]);
  },
  "a creation is refused on a row that stands": async (harness) => {
    await worker(harness, "w1", 2);
    const current = refused(await harness.store.membership.create(identity("w1"), status()));
    assert.equal(current?.beat, 2);
    assert.equal((await rowOf(harness, "w1")).beat, 2);
  },
  "a late creation does not un-fence": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.fence("w1", "w2", 1));
    const current = refused(await harness.store.membership.create(identity("w1"), status()));
    assert.equal(current?.fencedBy, "w2");
    assert.equal((await rowOf(harness, "w1")).fencedBy, "w2");
  },
  "a creation is refused on a tombstone": async (harness) => {
    applied(await harness.store.membership.createTombstone("w1"));
    const current = refused(await harness.store.membership.create(identity("w1"), status()));
    assert.equal(current?.beat, -1);
  },
  "a creation whose answer was lost is refused on a row with beat 0 and no fence": async (harness) => {
    await answerLost(harness.losing.membership.create(identity("w1"), status()));
    const current = refused(await harness.store.membership.create(identity("w1"), status()));
    assert.equal(current?.beat, 0);
    assert.equal(current.fencedBy, undefined);
  },
  "a missing worker reads as undefined": async ({ store }) => {
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
    assert.equal(await store.membership.readWorker("w1", { consistent: false }), undefined);
  },
  "a beat raises the number by one and writes the status": async (harness) => {
    await worker(harness, "w1", 0);
    const how = status({
      joining: false,
      draining: true,
      blind: true,
      leases: 2,
      weight: 3.5,
      unfit: ["s1", "s2"],
      failing: ["s3"],
    });
    const row = applied(
      await harness.store.membership.beat({ workerId: "w1", beat: 0, status: how, removeMail: [] }),
    );
    assert.deepEqual(row, { ...identity("w1"), ...how, beat: 1, mailbox: new Map() });
    assert.deepEqual(await rowOf(harness, "w1"), row);
  },
  "a beat without a planner's word takes the last one back": async (harness) => {
    await worker(harness, "w1", 0);
    const { membership } = harness.store;
    const planner = { epoch: 3, tick: 8 };
    const first = { workerId: "w1", beat: 0, status: status({ planner }), removeMail: [] };
    assert.deepEqual(applied(await membership.beat(first)).planner, planner);
    assert.equal(applied(await membership.beat(beatOf("w1", 1))).planner, undefined);
  },
  "a beat is refused at another number, higher or lower": async (harness) => {
    await worker(harness, "w1", 2);
    assert.equal(refused(await harness.store.membership.beat(beatOf("w1", 1)))?.beat, 2);
    assert.equal(refused(await harness.store.membership.beat(beatOf("w1", 3)))?.beat, 2);
    assert.equal((await rowOf(harness, "w1")).beat, 2);
  },
  "a beat is refused once the worker is fenced": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.fence("w1", "w2", 1));
    const current = refused(await harness.store.membership.beat(beatOf("w1", 1)));
    assert.equal(current?.fencedBy, "w2");
    assert.equal((await rowOf(harness, "w1")).beat, 1);
  },
  "a beat on a missing row is refused and makes none": async ({ store }) => {
    assert.equal(refused(await store.membership.beat(beatOf("w1", 0))), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
  "a beat whose answer was lost is refused when repeated, on the number it wrote": async (harness) => {
    await worker(harness, "w1", 1);
    await answerLost(harness.losing.membership.beat(beatOf("w1", 1)));
    const current = refused(await harness.store.membership.beat(beatOf("w1", 1)));
    assert.equal(current?.beat, 2);
    assert.equal(current.fencedBy, undefined);
  },
  "a beat returns the mailbox and removes only the entries named": async (harness) => {
    await worker(harness, "w1", 1);
    const { membership } = harness.store;
    applied(await membership.post("w1", mail({ a: note, b: directive, c: note })));
    const row = applied(await membership.beat(beatOf("w1", 1, ["a", "never-there"])));
    assert.deepEqual(row.mailbox, mail({ b: directive, c: note }));
  },
  "an observer fences at the beat that it saw": async (harness) => {
    await worker(harness, "w1", 3);
    const row = applied(await harness.store.membership.fence("w1", "w2", 3));
    assert.equal(row.fencedBy, "w2");
    assert.equal(row.fenceKind, "observer");
    assert.equal(row.beat, 3);
  },
  "an observer's fence is refused once the worker has beaten": async (harness) => {
    await worker(harness, "w1", 4);
    const current = refused(await harness.store.membership.fence("w1", "w2", 3));
    assert.equal(current?.beat, 4);
    assert.equal((await rowOf(harness, "w1")).fencedBy, undefined);
  },
  "an observer's fence does not replace another fence": async (harness) => {
    await worker(harness, "w1", 3);
    applied(await harness.store.membership.fence("w1", "w2", 3));
    assert.equal(refused(await harness.store.membership.fence("w1", "w3", 3))?.fencedBy, "w2");
    assert.equal((await rowOf(harness, "w1")).fencedBy, "w2");
  },
  "an observer's fence of a missing row is refused and makes none": async ({ store }) => {
    assert.equal(refused(await store.membership.fence("w1", "w2", 0)), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
  "a fence whose answer was lost is refused when repeated, and shows who fenced": async (harness) => {
    await worker(harness, "w1", 3);
    await answerLost(harness.losing.membership.fence("w1", "w2", 3));
    assert.equal(refused(await harness.store.membership.fence("w1", "w2", 3))?.fencedBy, "w2");
  },
  "a worker that leaves fences itself, and beats no more": async (harness) => {
    await worker(harness, "w1", 2);
    const row = applied(await harness.store.membership.leave("w1"));
    assert.deepEqual([row.fencedBy, row.fenceKind, row.beat], ["w1", "left", 2]);
    refused(await harness.store.membership.beat(beatOf("w1", 2)));
  },
  "leaving is refused on a fenced row and keeps its fence": async (harness) => {
    await worker(harness, "w1", 2);
    applied(await harness.store.membership.fence("w1", "w2", 2));
    assert.equal(refused(await harness.store.membership.leave("w1"))?.fenceKind, "observer");
    assert.equal((await rowOf(harness, "w1")).fencedBy, "w2");
  },
  "leaving on a missing row is refused and makes none": async ({ store }) => {
    assert.equal(refused(await store.membership.leave("w1")), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
  "a parent fences whatever the beat is": async (harness) => {
    await worker(harness, "w1", 5);
    const row = applied(await harness.store.membership.fenceExited("w1", "parent-1"));
    assert.deepEqual([row.fencedBy, row.fenceKind, row.beat], ["parent-1", "parent", 5]);
    assert.equal(row.host, "host-1");
  },
  "a parent's fence makes a fenced row where there is none, and a late creation is refused": async (
    harness,
  ) => {
    const { membership } = harness.store;
    const row = applied(await membership.fenceExited("w1", "parent-1"));
    assert.equal(row.fencedBy, "parent-1");
    assert.equal(row.workerId, "w1");
    const current = refused(await membership.create(identity("w1"), status()));
    assert.equal(current?.fenceKind, "parent");
    refused(await membership.beat(beatOf("w1", 0)));
  },
  "a parent's fence does not replace another fence": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.leave("w1"));
    assert.equal(refused(await harness.store.membership.fenceExited("w1", "parent-1"))?.fenceKind, "left");
    assert.equal((await rowOf(harness, "w1")).fencedBy, "w1");
  },
  "a tombstone is an unfenced row with beat -1": async (harness) => {
    const row = applied(await harness.store.membership.createTombstone("w1"));
    assert.deepEqual([row.beat, row.fencedBy, row.mailbox.size], [-1, undefined, 0]);
    assert.deepEqual(await rowOf(harness, "w1"), row);
  },
  "a tombstone is refused where a row stands": async (harness) => {
    await worker(harness, "w1", 2);
    assert.equal(refused(await harness.store.membership.createTombstone("w1"))?.beat, 2);
    assert.equal((await rowOf(harness, "w1")).beat, 2);
  },
  "a tombstone is fenced by the ordinary rule": async (harness) => {
    applied(await harness.store.membership.createTombstone("w1"));
    assert.equal(applied(await harness.store.membership.fence("w1", "w2", -1)).fencedBy, "w2");
  },
  "mail is added to what is there, all entries by one write": async (harness) => {
    await worker(harness, "w1", 1);
    const { membership } = harness.store;
    applied(await membership.post("w1", mail({ "note.1/x": note })));
    const row = applied(await membership.post("w1", mail({ "a b": directive, c: note })));
    assert.deepEqual(row.mailbox, mail({ "note.1/x": note, "a b": directive, c: note }));
    assert.deepEqual((await rowOf(harness, "w1")).mailbox, row.mailbox);
    assert.equal(row.beat, 1);
  },
  "mail to a fenced worker is refused": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.leave("w1"));
    assert.equal(refused(await harness.store.membership.post("w1", mail({ a: note })))?.fencedBy, "w1");
    assert.equal((await rowOf(harness, "w1")).mailbox.size, 0);
  },
  "mail to a missing worker is refused and makes no stub": async ({ store }) => {
    assert.equal(refused(await store.membership.post("w1", mail({ a: note }))), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
  "a fence keeps the mailbox readable": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.post("w1", mail({ a: note })));
    assert.deepEqual(applied(await harness.store.membership.fence("w1", "w2", 1)).mailbox, mail({ a: note }));
  },
  "a fenced row is collected": async (harness) => {
    await worker(harness, "w1", 1);
    applied(await harness.store.membership.leave("w1"));
    isApplied(await harness.store.membership.remove("w1"));
    assert.equal(await harness.store.membership.readWorker("w1", fresh), undefined);
  },
  "an unfenced row is never collected": async (harness) => {
    await worker(harness, "w1", 1);
    isRefused(await harness.store.membership.remove("w1"));
    assert.equal((await rowOf(harness, "w1")).beat, 1);
    isRefused(await harness.store.membership.remove("w2"));
  },
  "one read of the fleet returns every worker of every page, planner and meta beside them": async (
    harness,
  ) => {
    for (const workerId of ["w1", "w2", "w3", "w4", "w5"]) await worker(harness, workerId, 0);
    const { store } = harness;
    await store.membership.join("worker", 1);
    applied(await store.plannerDesk.claim("w1", undefined));
    for (const consistent of [true, false]) {
      const fleet = await store.membership.readFleet({ consistent });
      assert.deepEqual(fleet.workers.map((row) => row.workerId).toSorted(), ["w1", "w2", "w3", "w4", "w5"]);
      assert.deepEqual(fleet.planner, { owner: "w1", epoch: 1, deaths: 0 });
      assert.deepEqual(fleet.meta, { liveness: "worker", format: 1, joins: 1 });
    }
  },
  "an empty fleet reads as no rows at all": async ({ store }) => {
    const fleet = await store.membership.readFleet(fresh);
    assert.deepEqual(fleet, { workers: [], planner: undefined, meta: undefined });
  },
  "a worker may be called planner, meta or fleet": async (harness) => {
    for (const workerId of ["planner", "meta", "fleet"]) await worker(harness, workerId, 0);
    const fleet = await harness.store.membership.readFleet(fresh);
    assert.equal(fleet.workers.length, 3);
    assert.deepEqual([fleet.planner, fleet.meta], [undefined, undefined]);
  },
};

/** The planner lease and the count of deaths. */
export const plannerCases: CaseMap = {
  "the first planner claims where there is no epoch": async ({ store }) => {
    const row = applied(await store.plannerDesk.claim("w1", undefined));
    assert.deepEqual(row, { owner: "w1", epoch: 1, deaths: 0 });
  },
  "a second first planner is refused": async ({ store }) => {
    applied(await store.plannerDesk.claim("w1", undefined));
    assert.equal(refused(await store.plannerDesk.claim("w2", undefined))?.owner, "w1");
  },
  "a claim replaces the planner at the epoch named": async ({ store }) => {
    applied(await store.plannerDesk.claim("w1", undefined));
    assert.deepEqual(applied(await store.plannerDesk.claim("w2", 1)), { owner: "w2", epoch: 2, deaths: 0 });
  },
  "a claim at another epoch is refused": async ({ store }) => {
    applied(await store.plannerDesk.claim("w1", undefined));
    applied(await store.plannerDesk.claim("w2", 1));
    assert.deepEqual(refused(await store.plannerDesk.claim("w3", 1)), { owner: "w2", epoch: 2, deaths: 0 });
    assert.equal(refused(await store.plannerDesk.claim("w3", 3))?.owner, "w2");
  },
  "a claim at an epoch is refused where there is none": async ({ store }) => {
    assert.equal(refused(await store.plannerDesk.claim("w1", 3)), undefined);
    assert.equal((await store.membership.readFleet(fresh)).planner, undefined);
  },
  "deaths are counted before the first planner, who may still claim": async ({ store }) => {
    await store.plannerDesk.countDeath();
    const { planner } = await store.membership.readFleet(fresh);
    assert.deepEqual(planner, { epoch: 0, deaths: 1 });
    assert.deepEqual(applied(await store.plannerDesk.claim("w1", planner.epoch)), {
      owner: "w1",
      epoch: 1,
      deaths: 1,
    });
  },
  "a claim keeps the count of deaths": async ({ store }) => {
    applied(await store.plannerDesk.claim("w1", undefined));
    await store.plannerDesk.countDeath();
    await store.plannerDesk.countDeath();
    assert.equal(applied(await store.plannerDesk.claim("w2", 1)).deaths, 2);
  },
  "deaths counted at once are all counted": async ({ store }) => {
    await Promise.all([1, 2, 3, 4].map(() => store.plannerDesk.countDeath()));
    assert.equal((await store.membership.readFleet(fresh)).planner?.deaths, 4);
  },
};
