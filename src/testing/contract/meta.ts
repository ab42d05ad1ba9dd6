import assert from "node:assert/strict";
import { answerLost, applied, refused, type CaseMap } from "./harness.js";

/** The row that says what the tables are. */
export const metaCases: CaseMap = {
  "the first to join writes mode and format": async ({ store }) => {
    assert.equal(await store.tables.meta(), undefined);
    assert.deepEqual(await store.membership.join("worker", 1), { liveness: "worker", format: 1, joins: 1 });
    assert.deepEqual(await store.tables.meta(), { liveness: "worker", format: 1, joins: 1 });
  },
  "whoever joins later changes neither mode nor format, and is counted": async ({ store }) => {
    await store.membership.join("worker", 1);
    assert.deepEqual(await store.membership.join("lease", 2), { liveness: "worker", format: 1, joins: 2 });
  },
  "a note stands in meta, is replaced as a whole, and changes nothing else": async ({ store }) => {
    await store.membership.join("worker", 1);
    const noted = { liveness: "worker", format: 1, joins: 1, kclNote: "0123abcd" };
    assert.deepEqual(await store.membership.note("0123abcd"), noted);
    assert.deepEqual((await store.membership.readFleet({ consistent: true })).meta, noted);
    await store.membership.note("4567ef01");
    assert.deepEqual(await store.membership.join("worker", 1), { ...noted, joins: 2, kclNote: "4567ef01" });
  },
  "joins made at once are all counted": async ({ store }) => {
    await Promise.all([1, 2, 3, 4].map(() => store.membership.join("worker", 1)));
    assert.equal((await store.tables.meta())?.joins, 4);
  },
  "the format is raised by one, and the rest of the row stays": async ({ store }) => {
    const meta = await store.membership.join("worker", 1);
    const raised = applied(await store.membership.raiseFormat(meta));
    assert.deepEqual(raised, { liveness: "worker", format: 2, joins: 1 });
    assert.deepEqual(await store.tables.meta(), raised);
  },
  "the format is raised once, whoever repeats it": async ({ store, losing }) => {
    const meta = await store.membership.join("worker", 1);
    await answerLost(losing.membership.raiseFormat(meta));
    assert.equal(refused(await store.membership.raiseFormat(meta))?.format, 2);
    assert.equal((await store.tables.meta())?.format, 2);
  },
  "the format is not raised past somebody who has joined since": async ({ store }) => {
    const meta = await store.membership.join("worker", 1);
    await store.membership.join("worker", 1);
    assert.equal(refused(await store.membership.raiseFormat(meta))?.joins, 2);
    assert.equal((await store.tables.meta())?.format, 1);
  },
  "the format of a table without meta is not raised": async ({ store }) => {
    assert.equal(refused(await store.membership.raiseFormat({ format: 1, joins: 0 })), undefined);
    assert.equal(await store.tables.meta(), undefined);
  },
};
