import { expect } from "chai";
import { FleetHistory, openHistory, type HistoryQuestion } from "../src/fleet-history.js";
import { LeaseholdError } from "../src/model/errors.js";
import { seededRandom, VirtualTime } from "../src/testing/index.js";
import { ScriptedStore } from "./history/scripted-store.js";
import { at, atMs, busyLife } from "./model/past.js";

/** Lease s1 of the busy life, s2 of b's, and s3, which was marked and removed. */
function bench(): { scripted: ScriptedStore; history: FleetHistory } {
  const scripted = new ScriptedStore();
  const put = (leaseKey: string, life: ReturnType<typeof busyLife>): void => {
    for (const entry of life.entries) scripted.tables.addHistory({ ...entry, leaseKey });
    if (life.row !== undefined) scripted.put({ ...life.row, leaseKey });
  };
  put("s1", busyLife());
  put("s2", busyLife().change("handoff", "b", "handoff"));
  put("s3", busyLife().change("released").change("deleted").removed());
  scripted.tables.addAction({ action: "fence", worker: "c", by: "ann@ops", at: at(4) });
  scripted.tables.addAction({ action: "fence", worker: "z", by: "ann@ops", at: at(9) });
  const clock = new VirtualTime().clock();
  return { scripted, history: new FleetHistory("orders", scripted.store, clock, seededRandom(1)) };
}

const asked = async (question: HistoryQuestion): Promise<readonly string[]> => {
  const { tenures } = await bench().history.ask(question);
  return tenures.map(({ leaseKey, epoch, worker }) => `${leaseKey} ${String(epoch)} ${worker ?? "-"}`);
};

const instant = (second: number): Date => new Date(atMs(second));

async function refusal(work: Promise<unknown>): Promise<LeaseholdError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LeaseholdError) return error;
  throw new Error("it was not refused");
}

describe("a history that is asked", () => {
  it("tells the tenures of a lease", async () => {
    const tenures = ["s1 10 -", "s1 11 a", "s1 12 b", "s1 13 c", "s1 14 -", "s1 15 a"];
    expect(await asked({ lease: "s1" })).to.deep.equal(tenures);
  });

  it("tells the tenures of a worker, of leases without a row too", async () => {
    expect(await asked({ worker: "b" })).to.deep.equal(["s1 12 b", "s2 12 b", "s2 16 b", "s3 12 b"]);
  });

  it("tells who held a lease at an instant, and that nobody did", async () => {
    expect(await asked({ lease: "s1", at: instant(4.5) })).to.deep.equal(["s1 13 c"]);
    expect(await asked({ lease: "s1", at: instant(5.5) })).to.deep.equal(["s1 14 -"]);
    expect(await asked({ lease: "s1", at: instant(0.5) })).to.deep.equal([]);
  });

  it("tells what a worker held at an instant", async () => {
    expect(await asked({ worker: "b", at: instant(3.5) })).to.deep.equal(["s1 12 b", "s2 12 b", "s3 12 b"]);
    expect(await asked({ worker: "b", at: instant(100) })).to.deep.equal(["s2 16 b"]);
  });

  it("tells what lasted beyond an instant", async () => {
    expect(await asked({ lease: "s1", since: instant(5) })).to.deep.equal(["s1 14 -", "s1 15 a"]);
  });

  it("tells what operators did, to whom it is about", async () => {
    const workers = async (question: HistoryQuestion): Promise<readonly string[]> =>
      (await bench().history.ask(question)).actions.map(({ worker }) => worker);
    expect(await workers({})).to.deep.equal(["c", "z"]);
    expect(await workers({ lease: "s1" })).to.deep.equal(["c"]);
    expect(await workers({ worker: "z" })).to.deep.equal(["z"]);
    expect(await workers({ since: instant(5) })).to.deep.equal(["z"]);
    expect(await workers({ at: instant(4.5) })).to.deep.equal([]);
  });

  it("reads a single lease without a scan, its row before its history", async () => {
    const { scripted, history } = bench();
    await history.verify({ lease: "s1" });
    expect(scripted.calls.map(({ operation }) => operation)).to.deep.equal([
      "tables.verify",
      "leases.get",
      "history.list",
    ]);
  });

  it("reads all rows before all histories, so that nothing falls between the two", async () => {
    const { scripted, history } = bench();
    // A change comes between them: what it archives is in no row any more.
    scripted.on("history.page", () => {
      const life = busyLife().change("handoff", "b").change("handoff", "c").change("handoff", "a");
      for (const entry of life.entries) {
        if (!scripted.tables.historyOf("s1").has(entry.epoch)) scripted.tables.addHistory(entry);
      }
      if (life.row !== undefined) scripted.put(life.row);
    });
    const { ok, problems } = await history.verify();
    expect(problems).to.deep.equal([]);
    expect(ok).to.equal(true);
  });

  it("refuses what is no instant, a lease that never was, and tables that are not there", async () => {
    const { scripted, history } = bench();
    const error = await refusal(history.ask({ at: new Date("yesterday") }));
    expect([error.code, error.message]).to.deep.equal([
      "invalid-option",
      "at is Invalid Date: it must be a Date that is one",
    ]);
    const missing = await refusal(history.ask({ lease: "s9" }));
    expect(missing.code).to.equal("lease-missing");
    expect(missing.message).to.include('"s9"').and.to.include("orders");
    scripted.tables.drop();
    expect((await refusal(history.verify())).code).to.equal("table-missing");
    expect(() => openHistory({ application: "o" })).to.throw(LeaseholdError, /3 to 249/);
  });

  it("says of each lease what is missing", async () => {
    const { scripted, history } = bench();
    scripted.tables.drop();
    scripted.tables.create();
    const life = busyLife().without(12);
    for (const entry of life.entries) scripted.tables.addHistory({ ...entry, leaseKey: "s8" });
    if (life.row !== undefined) scripted.put({ ...life.row, leaseKey: "s8" });
    expect(await history.verify()).to.deep.equal({
      application: "orders",
      ok: false,
      leases: 1,
      epochs: 5,
      problems: [{ leaseKey: "s8", kind: "missing", epochs: [12, 12], text: "epoch 12 is missing" }],
    });
  });
});
