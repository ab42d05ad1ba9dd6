import { expect } from "chai";
import fc from "fast-check";
import { changeTenure, type ChangeOutcome, type ChangeRequest } from "../../src/history/change.js";
import { resolveProtocol } from "../../src/model/config.js";
import type { Lease } from "../../src/model/lease.js";
import { trimHorizon } from "../../src/model/position.js";
import type { TenureReason } from "../../src/model/reasons.js";
import type { TenureChange } from "../../src/store/ownership.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";
import { ScriptedStore, type Fate } from "./scripted-store.js";

class Bench {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock();
  readonly random = seededRandom(1);
  readonly scripted: ScriptedStore;

  constructor(rows: Readonly<Record<string, string>> = {}) {
    this.scripted = new ScriptedStore(rows);
  }

  /** Without `lease` the row is read as it stands. */
  change(request: Partial<ChangeRequest> = {}): Promise<ChangeOutcome> {
    const { ownership, history } = this.scripted.store;
    return this.time.runUntilSettled(
      changeTenure(
        { ownership, history, clock: this.clock, random: this.random, config: resolveProtocol() },
        {
          lease: request.lease ?? this.scripted.row("s1"),
          owner: "me",
          reason: "taken-from-fenced",
          ...request,
        },
      ),
    );
  }

  get operations(): string[] {
    return this.scripted.calls.map(({ operation }) => operation);
  }

  get changes(): TenureChange[] {
    return this.scripted.calls
      .filter(({ operation }) => operation === "ownership.change")
      .map(({ args }) => args[0] as TenureChange);
  }
}

describe("a change of tenure", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench({ s1: "w1@5" });
  });

  afterEach(() => {
    expect(bench.time.pendingTimers, "leaked timers").to.equal(0);
  });

  it("archives the previous tenure before it writes the next", async () => {
    bench.scripted.on("ownership.change", () => {
      expect(bench.scripted.epochs("s1")).to.deep.equal([4]);
    });
    await bench.change();
    expect(bench.operations).to.deep.equal(["history.archive", "ownership.change"]);
  });

  it("says so where the row showed no tenure before: what comes is the first, and none was lost", async () => {
    const { tenure: _t, previousTenure: _p, ...foreign } = bench.scripted.row("s1");
    bench.scripted.put(foreign);
    await bench.change();
    expect(bench.changes[0]?.tenure).to.include({ epoch: 6, first: true });
    await bench.change();
    expect(bench.changes[1]?.tenure).not.to.have.property("first");
    expect(bench.scripted.epochs("s1")).to.deep.equal([]);
    await bench.change();
    expect(bench.scripted.tables.historyOf("s1").get(6)).to.include({ first: true });
  });

  it("archives only what has happened: not the present tenure, nor the one to come", async () => {
    await bench.change();
    expect(bench.scripted.epochs("s1")).to.deep.equal([4]);
    expect(bench.scripted.row("s1").epoch).to.equal(6);
  });

  it("raises the epoch by one and rotates present to previous", async () => {
    const before = bench.scripted.row("s1");
    const result = await bench.change({ cause: "observer" });
    const row = bench.scripted.row("s1");
    expect(result).to.include({ outcome: "applied", row });
    expect(row).to.include({ epoch: 6, owner: "me" });
    expect(row.previousTenure).to.deep.equal(before.tenure);
    expect(row.tenure).to.deep.equal({
      epoch: 6,
      worker: "me",
      reason: "taken-from-fenced",
      cause: "observer",
      since: "2026-01-01T00:00:00.000Z",
    });
  });

  it("leaves nobody as owner when asked to", async () => {
    await bench.change({ owner: undefined, reason: "released", cause: "stop" });
    const row = bench.scripted.row("s1");
    expect(row.owner).to.equal(undefined);
    expect(row.tenure).to.not.have.property("worker");
    expect(row.epoch).to.equal(6);
  });

  it("counts a switch of owners from one to another only", async () => {
    await bench.change({ owner: "w1", reason: "resumed" });
    await bench.change({ owner: undefined, reason: "released" });
    await bench.change({ reason: "taken" });
    expect(bench.scripted.row("s1").ownerSwitchesSinceCheckpoint).to.equal(0);
    await bench.change({ owner: "w2", reason: "handoff" });
    expect(bench.scripted.row("s1").ownerSwitchesSinceCheckpoint).to.equal(1);
  });

  it("counts an owner worn out only when told so", async () => {
    await bench.change();
    expect(bench.scripted.row("s1").ownersWornOut).to.equal(0);
    await bench.change({ owner: "w2", wornOut: true });
    expect(bench.scripted.row("s1").ownersWornOut).to.equal(1);
  });

  it("is refused on the epoch that somebody else raised", async () => {
    const stale = bench.scripted.row("s1");
    await bench.change({ owner: "w2" });
    const result = await bench.change({ lease: stale });
    expect(result.outcome).to.equal("refused");
    expect(result).to.have.property("current").with.property("owner", "w2");
  });

  it("is refused on another owner at the same epoch, and on a mark", async () => {
    const read = bench.scripted.row("s1");
    bench.scripted.put({ ...read, owner: "somebody" });
    expect(await bench.change({ lease: read })).to.have.property("outcome", "refused");
    bench.scripted.put({ ...read, marked: true });
    expect(await bench.change({ lease: read })).to.have.property("outcome", "refused");
  });

  it("is refused without a row when the row is gone", async () => {
    const read = bench.scripted.row("s1");
    bench.scripted.tables.deleteLease("s1");
    expect(await bench.change({ lease: read })).to.deep.equal({ outcome: "refused", current: undefined });
  });

  it("carries one write id over all its repeats, and a fresh one each time it is asked for", async () => {
    bench.scripted.next("ownership.change", "lost-request", "throttled");
    await bench.change();
    await bench.change({ owner: "w2" });
    const ids = bench.changes.map(({ writeId }) => writeId);
    expect(ids).to.have.length(4);
    expect(new Set(ids.slice(0, 3)).size).to.equal(1);
    expect(ids[3]).to.not.equal(ids[0]);
  });

  it("takes a refusal that shows its own write id for applied, counting from the first send", async () => {
    bench.scripted.next("ownership.change", "lost-answer");
    const sent = bench.clock.now();
    const result = await bench.change();
    expect(result).to.include({ outcome: "applied" });
    expect(result).to.have.property("firstSentAt").deep.equal(sent);
    expect(bench.changes).to.have.length(2);
    expect(bench.scripted.row("s1").epoch).to.equal(6);
  });

  it("takes the same owner and epoch under another write id for somebody else's doing", async () => {
    const read = bench.scripted.row("s1");
    bench.scripted.next("ownership.change", "lost-request");
    bench.scripted.on("ownership.change", () => {
      bench.scripted.put({ ...read, epoch: 6, owner: "me", writeId: "another" });
    });
    expect(await bench.change({ lease: read })).to.have.property("outcome", "refused");
  });

  it("is unknown when an attempt may have been applied and none was answered", async () => {
    bench.scripted.always("ownership.change", "lost-answer");
    expect(await bench.change()).to.have.property("outcome", "unknown");
    bench.scripted.next("ownership.change", "lost-request", "denied");
    expect(await bench.change()).to.have.property("outcome", "unknown");
  });

  it("is certainly not sent when every attempt was turned away", async () => {
    bench.scripted.next("ownership.change", "throttled", "denied");
    const result = await bench.change();
    expect(result.outcome).to.equal("not-sent");
    expect(bench.scripted.row("s1").epoch).to.equal(5);
  });

  it("sends nothing when the history could not be written", async () => {
    const errors: unknown[] = [];
    let sent = 0;
    bench.scripted.next("history.archive", "denied");
    const result = await bench.change({
      onSend: () => (sent += 1),
      onError: (error) => errors.push(error),
    });
    expect(result.outcome).to.equal("not-sent");
    expect(bench.changes).to.have.length(0);
    expect([sent, errors.length]).to.deep.equal([0, 1]);
  });

  it("sends nothing when the history stays unknown, though it may stand", async () => {
    bench.scripted.always("history.archive", "lost-answer");
    expect(await bench.change()).to.have.property("outcome", "not-sent");
    expect(bench.changes).to.have.length(0);
  });

  it("says once, just before the first attempt and after the history, that it sends", async () => {
    const log: string[] = [];
    bench.scripted.next("history.archive", "throttled");
    bench.scripted.next("ownership.change", "throttled", "lost-answer");
    for (const operation of ["history.archive", "ownership.change"]) {
      bench.scripted.on(operation, () => log.push(operation));
    }
    await bench.change({ onSend: () => log.push("sending") });
    expect(log).to.deep.equal([
      "history.archive",
      "history.archive",
      "sending",
      "ownership.change",
      "ownership.change",
      "ownership.change",
    ]);
  });

  it("asks before every attempt of the write whether it may, and says nothing of sending when not", async () => {
    let sent = 0;
    const onSend = () => (sent += 1);
    expect(await bench.change({ mayTry: () => false, onSend })).to.have.property("outcome", "not-sent");
    expect([sent, bench.changes.length]).to.deep.equal([0, 0]);
    let allowed = 1;
    bench.scripted.always("ownership.change", "throttled");
    await bench.change({ mayTry: () => allowed-- > 0, onSend });
    expect([sent, bench.changes.length]).to.deep.equal([1, 1]);
  });

  it("gets one lease duration unless told otherwise", async () => {
    bench.scripted.always("ownership.change", "lost-request");
    await bench.change({ withinMs: 3_000 });
    expect(bench.time.nowMs).to.be.below(5_001);
    const before = bench.time.nowMs;
    await bench.change();
    expect(bench.time.nowMs - before).to.be.within(8_000, 13_000);
  });

  it("marks a row deleted and makes it again with a tenure of its own each", async () => {
    await bench.change({ owner: undefined, reason: "released" });
    await bench.change({ owner: undefined, reason: "deleted", mark: true });
    expect(bench.scripted.row("s1")).to.include({ marked: true, epoch: 7 });
    const recreate = { leaseKey: "s1", checkpoint: trimHorizon, parents: ["p"] };
    await bench.change({ owner: undefined, reason: "recreated", recreate });
    const row = bench.scripted.row("s1");
    expect(row).to.include({ marked: false, epoch: 8, checkpoint: trimHorizon });
    expect(row.previousTenure).to.include({ epoch: 7, reason: "deleted" });
    expect(bench.scripted.epochs("s1")).to.deep.equal([4, 5, 6]);
  });
});

describe("the history of a lease", () => {
  const fates: fc.Arbitrary<Fate> = fc.constantFrom(
    "passes",
    "passes",
    "lost-request",
    "late",
    "lost-answer",
    "throttled",
    "denied",
  );
  const step = fc.record({
    worker: fc.constantFrom("a", "b", "c"),
    release: fc.boolean(),
    stale: fc.boolean(),
    archive: fc.array(fates, { maxLength: 2 }),
    write: fc.array(fates, { maxLength: 3 }),
    land: fc.boolean(),
  });

  it("has, with the row, every epoch exactly once after any sequence of changes with lost answers", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const bench = new Bench();
        const { scripted } = bench;
        await scripted.store.ownership.create(
          { leaseKey: "s1", checkpoint: trimHorizon, parents: [] },
          1,
          { epoch: 1, reason: "created", since: "s" },
          "id",
        );
        let seen: Lease = scripted.row("s1");
        for (const { worker, release, stale, archive, write, land } of steps) {
          if (!stale) seen = scripted.row("s1");
          scripted.next("history.archive", ...archive);
          scripted.next("ownership.change", ...write);
          const reason: TenureReason = release ? "released" : "handoff";
          await bench.change({ lease: seen, owner: release ? undefined : worker, reason });
          if (land) await scripted.land();
          holdsEveryEpoch(scripted);
        }
        await scripted.land();
        holdsEveryEpoch(scripted);
        expect(bench.time.pendingTimers).to.equal(0);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  function holdsEveryEpoch(scripted: ScriptedStore): void {
    const row = scripted.row("s1");
    const inRow = [row.previousTenure?.epoch, row.tenure?.epoch].filter((epoch) => epoch !== undefined);
    expect(row.tenure?.epoch).to.equal(row.epoch);
    // The previous tenure may be archived already, for a change that has not been made.
    const entries = [...scripted.tables.historyOf("s1").values()];
    const archived = new Set(entries.map(({ epoch }) => epoch));
    for (const epoch of inRow) archived.add(epoch);
    expect([...archived].sort((a, b) => a - b)).to.deep.equal(
      Array.from({ length: row.epoch }, (_, i) => i + 1),
    );
    expect(archived.has(row.epoch + 1)).to.equal(false);
    expect(
      entries.some(({ epoch }) => epoch >= row.epoch),
      "nothing of what has not ended",
    ).to.equal(false);
    for (const { epoch, endedBy } of entries) {
      const next = entries.find((entry) => entry.epoch === epoch + 1)?.reason;
      const following =
        next ?? (row.previousTenure?.epoch === epoch + 1 ? row.previousTenure.reason : row.tenure?.reason);
      expect(endedBy).to.equal(following);
    }
  }
});
