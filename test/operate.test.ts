import { expect } from "chai";
import { resolveProtocol } from "../src/model/config.js";
import { LeaseholdError } from "../src/model/errors.js";
import type { WorkerRow } from "../src/model/worker-row.js";
import { openOperator, Operator } from "../src/operate.js";
import { seededRandom, VirtualTime } from "../src/testing/index.js";
import { row } from "./history/lease-rows.js";
import { ScriptedStore } from "./history/scripted-store.js";
import { identity, quiet } from "./testing/rows.js";

class Bench {
  readonly scripted = new ScriptedStore();
  readonly time = new VirtualTime();
  readonly operator: Operator;

  constructor(operator = "ann@ops") {
    const parts = {
      operator,
      config: resolveProtocol(),
      clock: this.time.clock(),
      random: seededRandom(1),
    };
    this.operator = new Operator("orders", this.scripted.store, parts);
  }

  worker(workerId: string, more: Partial<WorkerRow> = {}): void {
    this.scripted.tables.setWorker({ ...identity(workerId), ...quiet, beat: 3, mailbox: new Map(), ...more });
  }

  lease(leaseKey: string, sketch: string): void {
    this.scripted.put(row(leaseKey, sketch));
  }

  async refusal(workerId: string): Promise<LeaseholdError> {
    try {
      await this.time.runUntilSettled(this.operator.fence(workerId), 60_000);
    } catch (error) {
      if (error instanceof LeaseholdError) return error;
    }
    throw new Error("it was not refused");
  }

  get writes(): readonly string[] {
    return this.scripted.calls
      .map(({ operation }) => operation)
      .filter((name) => /forceFence|countDeath|record/.test(name));
  }
}

describe("an operator's fence", () => {
  it("is set, counted for all to see, put into the history in this order, and says what the worker held", async () => {
    const bench = new Bench();
    bench.worker("w1");
    bench.worker("w2");
    bench.lease("s2", "w1@5");
    bench.lease("s1", "w1@7");
    bench.lease("s3", "w2@5");
    const result = await bench.operator.fence("w1");
    const at = bench.scripted.tables.view().worker("w1")?.fencedAt ?? "";
    expect(Date.parse(at)).to.be.greaterThan(0);
    expect(result).to.deep.equal({
      application: "orders",
      workerId: "w1",
      by: "ann@ops",
      at,
      leases: ["s1", "s2"],
      freeWithinMs: 14_500,
    });
    expect(bench.writes).to.deep.equal(["membership.forceFence", "plannerDesk.countDeath", "history.record"]);
    expect(bench.scripted.tables.view().planner?.deaths).to.equal(1);
    expect([...bench.scripted.tables.actions().values()]).to.deep.equal([
      { action: "fence", worker: "w1", by: "ann@ops", at },
    ]);
  });

  it("of an unknown worker is refused, names those that there are, and writes nothing", async () => {
    const bench = new Bench();
    bench.worker("w2");
    bench.worker("w1");
    bench.worker("w0", { fencedBy: "w1", fenceKind: "observer" });
    const error = await bench.refusal("w9");
    expect(error.code).to.equal("worker-missing");
    expect(error.message).to.include("w9").and.to.include("w1, w2").and.not.to.include("w0");
    expect(bench.writes).to.deep.equal([]);
  });

  for (const [fence, text] of [
    [{ fencedBy: "w2", fenceKind: "observer" }, "w2 fenced it (observer)"],
    [{ fencedBy: "w1", fenceKind: "left" }, "it has left by itself"],
    [
      { fencedBy: "bob@ops", fenceKind: "forced", fencedAt: "2026-01-01T00:00:00.000Z" },
      "bob@ops fenced it at 2026",
    ],
  ] as const) {
    it(`of a worker that is fenced is refused and writes nothing: ${text}`, async () => {
      const bench = new Bench();
      bench.worker("w1", fence);
      const error = await bench.refusal("w1");
      expect(error.code).to.equal("worker-fenced");
      expect(error.message).to.include("w1").and.to.include(text);
      expect(bench.writes).to.deep.equal([]);
    });
  }

  it("that is not answered names the call, and what to look at", async () => {
    const bench = new Bench();
    bench.worker("w1");
    bench.scripted.always("membership.forceFence", "lost-request");
    expect((await bench.refusal("w1")).message).to.equal(
      "fence w1: no answer within 10000 ms; check the endpoint and the network, and ask again",
    );
  });

  it("that somebody else sets in between is no fence of ours", async () => {
    const bench = new Bench();
    bench.worker("w1");
    bench.scripted.on("membership.forceFence", () => {
      bench.worker("w1", { fencedBy: "w2", fenceKind: "observer" });
    });
    expect((await bench.refusal("w1")).message).to.include("w2 fenced it");
    expect(bench.writes).to.deep.equal(["membership.forceFence"]);
  });

  it("whose first answer was lost is ours all the same", async () => {
    const bench = new Bench();
    bench.worker("w1");
    bench.scripted.next("membership.forceFence", "throttled");
    const result = await bench.time.runUntilSettled(bench.operator.fence("w1"), 60_000);
    expect(result.by).to.equal("ann@ops");
    const again = new Bench();
    again.worker("w1");
    again.scripted.on("membership.forceFence", () => {
      // Applied before, by an attempt without an answer.
      const { fencedAt } = again.scripted.tables.view().worker("w1") ?? {};
      if (fencedAt !== undefined) return;
      const args = again.scripted.calls.at(-1)?.args as readonly string[];
      again.worker("w1", { fencedBy: args[1] ?? "", fenceKind: "forced", fencedAt: args[2] ?? "" });
    });
    expect((await again.operator.fence("w1")).by).to.equal("ann@ops");
    expect(again.scripted.tables.actions().size).to.equal(1);
  });

  it("of an application without tables names what is missing", async () => {
    const bench = new Bench();
    bench.scripted.tables.drop();
    expect((await bench.refusal("w1")).code).to.equal("table-missing");
  });

  it("is made by somebody whose name is no sentence and no blank", () => {
    for (const operator of ["", "  ", "x".repeat(101)]) {
      expect(() => openOperator({ application: "orders", operator }))
        .to.throw(LeaseholdError, /operator is .*1 to 100 characters/)
        .with.property("code", "invalid-option");
    }
    expect(() => openOperator({ application: "o", operator: "ann" })).to.throw(LeaseholdError, /3 to 249/);
    openOperator({ application: "orders", operator: "ann", leaseDurationMs: 4_000 }).close();
  });
});
