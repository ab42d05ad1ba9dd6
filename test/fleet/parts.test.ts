import { expect } from "chai";
import { StoreError } from "../../src/model/errors.js";
import type { Reading } from "../../src/model/reading.js";
import type { WorkerRow } from "../../src/model/worker-row.js";
import { FleetView } from "../../src/fleet/fleet-view.js";
import { ForcedFences } from "../../src/fleet/forced-fences.js";
import { mailKey, Mailroom } from "../../src/fleet/mailroom.js";
import { Slots } from "../../src/fleet/slots.js";
import { Tasks } from "../../src/fleet/tasks.js";
import { Wakeup } from "../../src/fleet/wakeup.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { identity, quiet } from "../testing/rows.js";

const note = { kind: "note", leaseKey: "s1", epoch: 4, from: "b" } as const;

function row(workerId: string, more: Partial<WorkerRow> = {}): WorkerRow {
  return { ...identity(workerId), ...quiet, beat: 1, mailbox: new Map(), ...more };
}

const rowsOf = (
  ...workers: readonly WorkerRow[]
): { readonly workers: readonly WorkerRow[]; readonly planner: undefined; readonly meta: undefined } => ({
  workers,
  planner: undefined,
  meta: undefined,
});

const at = (monoMs: number): Reading => ({ monoMs, bootMs: monoMs, wallMs: monoMs });

describe("the mailroom", () => {
  it("delivers an entry once, from whatever read shows it first", () => {
    const mailroom = new Mailroom();
    const shown = row("a", { mailbox: new Map([["k", note]]) });
    expect(mailroom.deliver(shown)).to.deep.equal([{ key: "k", entry: note }]);
    expect(mailroom.deliver(shown)).to.deep.equal([]);
    mailroom.answer("k");
    expect(mailroom.deliver(shown)).to.deep.equal([]);
    expect(mailroom.answeredKeys()).to.deep.equal(["k"]);
  });

  it("delivers nothing from a row that shows a lower beat than the last acknowledged", () => {
    const mailroom = new Mailroom();
    mailroom.acknowledged(row("a", { beat: 7 }));
    expect(mailroom.deliver(row("a", { beat: 6, mailbox: new Map([["k", note]]) }))).to.deep.equal([]);
    expect(mailroom.deliver(row("a", { beat: 7, mailbox: new Map([["k", note]]) }))).to.have.length(1);
  });

  it("asks for the removal of a key until an acknowledged row lacks it, and then forgets it", () => {
    const mailroom = new Mailroom();
    const shown = row("a", { beat: 2, mailbox: new Map([["k", note]]) });
    mailroom.deliver(shown);
    mailroom.answer("k");
    mailroom.acknowledged({ ...shown, beat: 3 });
    expect(mailroom.answeredKeys()).to.deep.equal(["k"]);
    mailroom.acknowledged(row("a", { beat: 4 }));
    expect(mailroom.answeredKeys()).to.deep.equal([]);
  });

  it("asks a beat to remove no more than one expression of the store can name, and the rest of the next one", () => {
    const mailroom = new Mailroom();
    const keys = Array.from({ length: 250 }, (_, i) => `k${i}`);
    let mailbox = new Map(keys.map((key) => [key, note]));
    mailroom.deliver(row("a", { mailbox }));
    for (const key of keys) mailroom.answer(key);
    for (const [beat, left] of [250, 150, 50].entries()) {
      const removed = mailroom.answeredKeys();
      expect(removed).to.have.length(Math.min(100, left));
      mailbox = new Map([...mailbox].filter(([key]) => !removed.includes(key)));
      mailroom.acknowledged(row("a", { beat: beat + 2, mailbox }));
    }
    expect(mailroom.answeredKeys()).to.deep.equal([]);
  });

  it("tells apart two entries about the same lease and epoch by their keys", () => {
    expect(mailKey(note, "1")).not.to.equal(mailKey(note, "2"));
    const mailroom = new Mailroom();
    const both = new Map([
      ["k1", note],
      ["k2", note],
    ]);
    expect(mailroom.deliver(row("a", { mailbox: both }))).to.have.length(2);
    mailroom.answer("k1");
    expect(mailroom.answeredKeys()).to.deep.equal(["k1"]);
  });
});

describe("the view of the fleet", () => {
  it("takes no row back to a lower beat, and lifts no fence", () => {
    const view = new FleetView(new ForcedFences(new VirtualTime().clock(), 12_500));
    view.apply(
      rowsOf(row("a", { beat: 5 }), row("b", { beat: 2, fencedBy: "a", fenceKind: "observer" })),
      at(0),
    );
    view.apply(rowsOf(row("a", { beat: 4 }), row("b", { beat: 2 })), at(0));
    expect(view.row("a")?.beat).to.equal(5);
    expect(view.isFenced("b")).to.equal(true);
  });

  it("reports a fence and a draining once, also when a single row showed it first (bug: it was no news then)", () => {
    const view = new FleetView(new ForcedFences(new VirtualTime().clock(), 12_500));
    view.apply(rowsOf(row("a"), row("b")), at(0));
    const fenced = row("a", { fencedBy: "x", fenceKind: "observer" });
    const draining = row("b", { beat: 2, draining: true });
    view.applyWorker(fenced);
    view.applyWorker(draining);
    const first = view.apply(rowsOf(fenced, draining), at(0));
    expect(first.newlyFenced.map(({ workerId }) => workerId)).to.deep.equal(["a"]);
    expect(first.newlyDraining.map(({ workerId }) => workerId)).to.deep.equal(["b"]);
    const second = view.apply(rowsOf(fenced, draining), at(0));
    expect([...second.newlyFenced, ...second.newlyDraining]).to.deep.equal([]);
  });

  it("forgets rows that a whole read lacks", () => {
    const view = new FleetView(new ForcedFences(new VirtualTime().clock(), 12_500));
    view.apply(rowsOf(row("a"), row("b")), at(0));
    view.apply(rowsOf(row("a")), at(0));
    expect(view.workers.map(({ workerId }) => workerId)).to.deep.equal(["a"]);
  });
});

describe("tasks", () => {
  const passing = new StoreError("store-timeout", "no answer", { retryable: true, ambiguous: true });

  function tasks(): { readonly tasks: Tasks; readonly fatal: unknown[]; readonly failed: string[] } {
    const fatal: unknown[] = [];
    const failed: string[] = [];
    const made = new Tasks(
      "w",
      (event) => {
        if (event.type === "store-failed") failed.push(event.operation);
      },
      (error) => fatal.push(error),
    );
    return { tasks: made, fatal, failed };
  }

  it("run once at a time by name", async () => {
    const { tasks: made } = tasks();
    expect(made.start("x", () => Promise.resolve())).to.equal(true);
    expect(made.start("x", () => Promise.resolve())).to.equal(false);
    await made.settle();
    expect(made.start("x", () => Promise.resolve())).to.equal(true);
  });

  it("end no worker by a store's error, and name it", async () => {
    const { tasks: made, fatal, failed } = tasks();
    made.start("x", () => Promise.reject(passing));
    await made.settle();
    expect(fatal).to.deep.equal([]);
    expect(failed).to.deep.equal(["x"]);
  });

  for (const error of [
    new TypeError("a mistake"),
    new StoreError("table-missing", "gone", { retryable: false, ambiguous: false }),
  ]) {
    it(`end the worker by ${error.message === "gone" ? "a missing table" : "a mistake in the code"}`, async () => {
      const { tasks: made, fatal } = tasks();
      made.start("x", () => Promise.reject(error));
      await made.settle();
      expect(fatal).to.deep.equal([error]);
    });
  }

  it("have settled only when what they started has ended too (bug: a note begun by a move was not waited for)", async () => {
    const { tasks: made } = tasks();
    let over = false;
    made.start("first", async () => {
      await Promise.resolve();
      made.start("second", async () => {
        for (let n = 0; n < 20; n++) await Promise.resolve();
        over = true;
      });
    });
    await made.settle();
    expect(over).to.equal(true);
  });
});

describe("a wake-up", () => {
  it("during the sleep cuts it short", async () => {
    const time = new VirtualTime();
    const wakeup = new Wakeup(time.clock());
    const waited = wakeup.wait(1_000, new AbortController().signal);
    await time.advance(10);
    wakeup.wake();
    await time.runUntilSettled(waited);
    expect(time.nowMs).to.equal(10);
    expect(time.pendingTimers).to.equal(0);
  });

  it("before the sleep is not lost", async () => {
    const time = new VirtualTime();
    const wakeup = new Wakeup(time.clock());
    wakeup.wake();
    await time.runUntilSettled(wakeup.wait(1_000, new AbortController().signal));
    expect(time.nowMs).to.equal(0);
    expect(wakeup.take()).to.equal(true);
    expect(wakeup.take()).to.equal(false);
  });

  it("is not needed when the signal ends the sleep, which leaves no timer", async () => {
    const time = new VirtualTime();
    const stop = new AbortController();
    const waited = new Wakeup(time.clock()).wait(1_000, stop.signal);
    stop.abort();
    await time.runUntilSettled(waited);
    expect(time.nowMs).to.equal(0);
    expect(time.pendingTimers).to.equal(0);
  });
});

describe("slots", () => {
  it("let so many run at a time, in the order of arrival, also after a failure", async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    let running = 0;
    let most = 0;
    const work = (name: string) => async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      order.push(name);
      await Promise.resolve();
      running -= 1;
      if (name === "b") throw new Error("failed");
    };
    await Promise.allSettled(["a", "b", "c", "d", "e"].map((name) => slots.run(work(name))));
    expect(order).to.deep.equal(["a", "b", "c", "d", "e"]);
    expect(most).to.equal(2);
  });

  it("says since when two deployments are alive, and forgets it with one of them", () => {
    const view = new FleetView(new ForcedFences(new VirtualTime().clock(), 12_500));
    const old = row("a", { deployment: "v1", join: 1 });
    const fresh = row("b", { deployment: "v2", join: 2 });
    view.apply(rowsOf(old), at(1_000));
    expect(view.rollout).to.equal(undefined);
    view.apply(rowsOf(old, fresh), at(2_000));
    view.apply(rowsOf(old, fresh), at(3_000));
    expect(view.rollout?.sinceMs).to.equal(2_000);
    view.apply(rowsOf({ ...old, fencedBy: "b", fenceKind: "observer" }, fresh), at(4_000));
    expect(view.rollout).to.equal(undefined);
  });
});
