import assert from "node:assert/strict";
import type { WorkerRow } from "../../model/worker-row.js";
import {
  applied,
  fresh,
  present,
  refused,
  status,
  worker,
  type CaseMap,
  type StoreHarness,
} from "./harness.js";

const rowOf = async ({ store }: StoreHarness, workerId: string): Promise<WorkerRow> =>
  present(await store.membership.readWorker(workerId, fresh));

/** Who observes whom, and the reads of one's share. */
export const observationCases: CaseMap = {
  "a read of a part returns the rows asked for that stand, each once, and the planner's beside them": async (
    harness,
  ) => {
    for (const workerId of ["w1", "w2", "w3"]) await worker(harness, workerId);
    const { store } = harness;
    await store.membership.join("worker", 1);
    applied(await store.plannerDesk.claim("w1", undefined));
    await store.plannerDesk.countDeath();
    const part = await store.membership.readPart(["w3", "never-there", "w1", "w3"]);
    assert.deepEqual(part.workers.map((row) => row.workerId).toSorted(), ["w1", "w3"]);
    assert.deepEqual(part.planner, { owner: "w1", epoch: 1, deaths: 1 });
    assert.deepEqual(
      part.workers.find((row) => row.workerId === "w3"),
      await rowOf(harness, "w3"),
    );
  },
  "a read of nobody's row returns the planner's, where there is one": async ({ store }) => {
    assert.deepEqual(await store.membership.readPart([]), { workers: [], planner: undefined });
    applied(await store.plannerDesk.claim("w1", undefined));
    assert.equal((await store.membership.readPart([])).planner?.owner, "w1");
  },
  "a read of a part may ask for more rows than one call of a store answers": async (harness) => {
    for (const workerId of ["w7", "w99", "w100", "w231"]) await worker(harness, workerId, 0);
    const ids = Array.from({ length: 240 }, (_, i) => `w${String(i)}`);
    const { workers } = await harness.store.membership.readPart(ids);
    assert.deepEqual(workers.map((row) => row.workerId).toSorted(), ["w100", "w231", "w7", "w99"]);
  },
  "an observer is named by a mark in its row, by several at once": async (harness) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    await Promise.all(["m2", "m1", "m3"].map((mark) => membership.nameObserver("w1", mark)));
    const row = applied(await membership.nameObserver("w1", "m2"));
    assert.deepEqual(row.observes, { plannerEpoch: 0, marks: ["m1", "m2", "m3"] });
    assert.deepEqual((await rowOf(harness, "w1")).observes, row.observes);
    assert.equal(row.beat, 1);
  },
  "a planner's list replaces what was there, and a mark named later is added to it": async (harness) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    applied(await membership.nameObserver("w1", "m1"));
    const row = applied(await membership.assignObserver("w1", { plannerEpoch: 4, marks: ["m3", "m2"] }));
    assert.deepEqual(row.observes, { plannerEpoch: 4, marks: ["m2", "m3"] });
    const named = applied(await membership.nameObserver("w1", "m9"));
    assert.deepEqual(named.observes, { plannerEpoch: 4, marks: ["m2", "m3", "m9"] });
  },
  "a planner's list may be empty": async (harness) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    applied(await membership.nameObserver("w1", "m1"));
    applied(await membership.assignObserver("w1", { plannerEpoch: 4, marks: [] }));
    assert.deepEqual((await rowOf(harness, "w1")).observes, { plannerEpoch: 4, marks: [] });
  },
  "a deposed planner's list does not override a newer one's, and the same planner's does": async (
    harness,
  ) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    applied(await membership.assignObserver("w1", { plannerEpoch: 5, marks: ["m5"] }));
    const current = refused(await membership.assignObserver("w1", { plannerEpoch: 4, marks: ["m4"] }));
    assert.deepEqual(current?.observes, { plannerEpoch: 5, marks: ["m5"] });
    assert.deepEqual((await rowOf(harness, "w1")).observes, { plannerEpoch: 5, marks: ["m5"] });
    applied(await membership.assignObserver("w1", { plannerEpoch: 5, marks: ["m6"] }));
    applied(await membership.assignObserver("w1", { plannerEpoch: 6, marks: ["m7"] }));
    assert.deepEqual((await rowOf(harness, "w1")).observes, { plannerEpoch: 6, marks: ["m7"] });
  },
  "a beat leaves what is observed as it is": async (harness) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    applied(await membership.assignObserver("w1", { plannerEpoch: 2, marks: ["m1"] }));
    const beat = { workerId: "w1", beat: 1, status: status(), removeMail: [] };
    assert.deepEqual(applied(await membership.beat(beat)).observes, { plannerEpoch: 2, marks: ["m1"] });
  },
  "a fenced worker is named and assigned nothing": async (harness) => {
    await worker(harness, "w1");
    const { membership } = harness.store;
    applied(await membership.leave("w1"));
    assert.equal(refused(await membership.nameObserver("w1", "m1"))?.fencedBy, "w1");
    const current = refused(await membership.assignObserver("w1", { plannerEpoch: 9, marks: ["m1"] }));
    assert.equal(current?.fencedBy, "w1");
    assert.equal((await rowOf(harness, "w1")).observes, undefined);
  },
  "a missing worker is named and assigned nothing, and no stub is made": async ({ store }) => {
    assert.equal(refused(await store.membership.nameObserver("w1", "m1")), undefined);
    const assigned = await store.membership.assignObserver("w1", { plannerEpoch: 1, marks: ["m1"] });
    assert.equal(refused(assigned), undefined);
    assert.equal(await store.membership.readWorker("w1", fresh), undefined);
  },
};
