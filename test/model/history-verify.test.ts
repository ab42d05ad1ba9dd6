import { expect } from "chai";
import fc from "fast-check";
import type { HistoryEntry } from "../../src/model/history.js";
import { retentionMs } from "../../src/model/config.js";
import { verifyHistory } from "../../src/model/history-verify.js";
import type { Lease } from "../../src/model/lease.js";
import { at, atMs, busyLife, Life } from "./past.js";

const nowMs = atMs(100);

/** What is wrong: kind and epochs. */
const wrong = (life: Life, whenMs = nowMs): readonly string[] =>
  verifyHistory(life.record, whenMs).map(
    ({ kind, epochs: [from, to] }) => `${kind} ${String(from)}-${String(to)}`,
  );
const texts = (life: Life): string =>
  verifyHistory(life.record, nowMs)
    .map(({ text }) => text)
    .join("; ");

function altered(life: Life, more: Partial<Lease>): Life {
  if (life.row !== undefined) life.row = { ...life.row, ...more };
  return life;
}

describe("the verification of a history finds", () => {
  it("nothing wrong with a lease's proper life", () => {
    expect(wrong(new Life().created())).to.deep.equal([]);
    expect(wrong(busyLife())).to.deep.equal([]);
    const deleted = busyLife().change("released", undefined, "partition-ended").change("deleted");
    expect(wrong(deleted)).to.deep.equal([]);
    expect(wrong(deleted.change("recreated").change("taken", "b"))).to.deep.equal([]);
  });

  it("nothing wrong with one that was removed, and made again far above", () => {
    const life = busyLife().change("deleted").removed();
    expect(wrong(life)).to.deep.equal([]);
    expect(wrong(life.created(1_000).change("taken", "b").change("released"))).to.deep.equal([]);
  });

  it("nothing wrong with a series that begins over a row of somebody else's", () => {
    const life = new Life().foreign(7, "java");
    expect(wrong(life)).to.deep.equal([]);
    expect(wrong(life.change("taken-from-fenced", "a"))).to.deep.equal([]);
    expect(wrong(life.change("handoff", "b").change("handoff", "c").change("handoff", "a"))).to.deep.equal(
      [],
    );
    expect(life.entries[0]).to.include({ epoch: 8, first: true });
  });

  it("a hole, and says which epochs", () => {
    expect(wrong(busyLife().without(12))).to.deep.equal(["missing 12-12"]);
    expect(wrong(busyLife().without(11).without(12))).to.deep.equal(["missing 11-12"]);
    expect(texts(busyLife().without(11).without(12))).to.equal("epochs 11 to 12 are missing");
    expect(wrong(busyLife().without(11).without(13))).to.deep.equal(["missing 11-11", "missing 13-13"]);
  });

  it("a missing first entry", () => {
    expect(wrong(busyLife().without(10))).to.deep.equal(["begins-late 11-11"]);
    expect(texts(busyLife().without(10))).to.equal(
      "it begins with epoch 11 (taken): what was before is missing",
    );
    const foreign = new Life().foreign(7).change("taken", "a").change("handoff", "b").change("handoff", "c");
    expect(wrong(foreign.without(8))).to.deep.equal(["begins-late 9-9"]);
  });

  it("nothing wrong with entries that were dropped after their time, and a hole one epoch younger", () => {
    // Epoch 10 was archived at second 3, when epoch 12 began.
    const expired = atMs(3) + retentionMs;
    expect(wrong(busyLife().without(10), expired)).to.deep.equal([]);
    expect(wrong(busyLife().without(10), expired - 2 * 3_600_000)).to.deep.equal(["begins-late 11-11"]);
    // A store drops what has expired in any order.
    expect(wrong(busyLife().without(11), expired + 1_000)).to.deep.equal([]);
  });

  it("an epoch that stands there twice", () => {
    const life = busyLife();
    life.entries.push(life.entries[1] as HistoryEntry);
    expect(wrong(life)).to.deep.equal(["duplicate 11-11"]);
  });

  it("an epoch of which row and history say different things", () => {
    const life = busyLife();
    life.entries.push({
      leaseKey: "s1",
      epoch: 14,
      worker: "z",
      reason: "taken",
      since: at(5),
      until: at(6),
      endedBy: "taken",
    });
    expect(wrong(life)).to.include("conflict 14-14");
    expect(texts(life)).to.include("released (stop) by nobody").and.to.include("taken by z");
  });

  it("an overlap in time, and a gap", () => {
    expect(wrong(busyLife().altered(11, { until: at(3.5) }))).to.deep.equal(["overlap 11-12"]);
    expect(wrong(busyLife().altered(11, { until: at(2.5) }))).to.deep.equal(["time-gap 11-12"]);
    expect(texts(busyLife().altered(11, { until: at(2.5) })))
      .to.include(at(2.5))
      .and.to.include(at(3));
  });

  it("an epoch that did not end by what the next began with", () => {
    expect(wrong(busyLife().altered(11, { endedBy: "released" }))).to.deep.equal(["mismatch 11-12"]);
    expect(wrong(busyLife().altered(12, { endCause: "left" }))).to.deep.equal(["mismatch 12-13"]);
    const again = busyLife().change("recreated").change("taken", "a");
    expect(wrong(again)).to.deep.equal(["mismatch 15-16"]);
    const endless = busyLife();
    for (const entry of endless.entries) if (entry.epoch === 11) Reflect.deleteProperty(entry, "endedBy");
    expect(wrong(endless)).to.deep.equal(["mismatch 11-12"]);
  });

  it("an entry after a deletion mark", () => {
    expect(wrong(busyLife().change("deleted").change("taken", "b"))).to.deep.equal(["after-deleted 16-17"]);
    const late = busyLife().change("deleted").removed();
    late.entries.push({
      leaseKey: "s1",
      epoch: 17,
      worker: "b",
      reason: "taken",
      since: at(7),
      until: at(8),
      endedBy: "released",
    });
    expect(wrong(late)).to.deep.equal(["after-deleted 16-17", "not-deleted 17-17"]);
  });

  it("a row that went without a mark, and its last epochs with it", () => {
    expect(wrong(busyLife().deletedByHand())).to.deep.equal(["not-deleted 13-13"]);
    const again = busyLife().deletedByHand().created(1_000);
    expect(wrong(again)).to.deep.equal(["not-deleted 13-13"]);
  });

  it("a row that somebody else has written", () => {
    expect(wrong(altered(busyLife(), { epoch: 18, owner: "java" }))).to.deep.equal(["stranger 16-18"]);
    expect(wrong(altered(busyLife(), { owner: "java" }))).to.deep.equal(["stranger 15-15"]);
    expect(texts(altered(busyLife(), { owner: "java" })))
      .to.include("java")
      .and.to.include("says a");
  });

  it("exactly what was taken away from any life, and nothing before", () => {
    const steps = fc.array(
      fc.tuple(
        fc.constantFrom("taken", "handoff", "released", "resumed", "raised", "taken-from-fenced"),
        fc.constantFrom("a", "b", undefined),
      ),
      { minLength: 3, maxLength: 20 },
    );
    fc.assert(
      fc.property(steps, fc.boolean(), fc.nat(), (changes, isForeign, pick) => {
        const life = isForeign ? new Life().foreign(4) : new Life().created(4);
        for (const [reason, worker] of changes) life.change(reason, worker);
        expect(wrong(life)).to.deep.equal([]);
        const { epoch } = life.entries[pick % life.entries.length] as HistoryEntry;
        const isFirst = life.entries[0]?.epoch === epoch;
        const found = isFirst
          ? `begins-late ${String(epoch + 1)}-${String(epoch + 1)}`
          : `missing ${String(epoch)}-${String(epoch)}`;
        expect(wrong(life.without(epoch))).to.deep.equal([found]);
      }),
    );
  });
});
