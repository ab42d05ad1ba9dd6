import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { Rest } from "../../src/testing/rest.js";

describe("the check that balance rests", () => {
  const config = resolveProtocol({ leaseDurationMs: 10_000 });
  let nowMs: number;
  let found: string[];
  let rest: Rest;

  beforeEach(() => {
    nowMs = 0;
    found = [];
    const deps = {
      config,
      healedAtMs: 50_000,
      produceUntilMs: 200_000,
      nowMs: () => nowMs,
      leases: () => 10,
    };
    rest = new Rest(deps, (invariant, what) => {
      expect(invariant).to.equal("balance-rests");
      found.push(what);
    });
  });

  const at = (ms: number, event: LeaseholdEvent): void => {
    nowMs = ms;
    rest.event(event);
  };
  const move = (ms: number, leaseKey: string, workerId: string, target: string): void => {
    at(ms, { type: "handed-off", workerId, leaseKey, epoch: 1, target, reason: "handoff" });
  };

  it("lets leases move before healing, and for as long as the protocol needs to balance", () => {
    for (let i = 0; i < 20; i++) move(10_000 + i, "L", i % 2 === 0 ? "A" : "B", i % 2 === 0 ? "B" : "A");
    for (let i = 0; i < 10; i++) move(50_000 + i, `L${String(i)}`, "A", "B");
    expect(rest.restMs).to.equal(36_000);
    move(86_000, "M", "A", "B");
    expect(found).to.deep.equal([]);
  });

  it("finds one that goes back where it came from", () => {
    move(60_000, "L", "A", "B");
    move(86_001, "L", "B", "A");
    expect(found)
      .to.have.length(1)
      .and.to.match(/goes back/);
  });

  it("finds more moves in a minute than chance explains", () => {
    move(90_000, "L1", "A", "B");
    move(91_000, "L2", "A", "B");
    move(151_000, "L3", "A", "B");
    move(152_000, "L4", "A", "B");
    expect(found).to.deep.equal([]);
    move(153_000, "L5", "A", "B");
    expect(found)
      .to.have.length(1)
      .and.to.match(/nothing but chance/);
  });

  it("finds a single move where no load changes any more", () => {
    at(210_000, { type: "checkpointed", workerId: "A", leaseKey: "L", epoch: 1, checkpoint: "5" });
    move(246_000, "L", "A", "B");
    expect(found).to.deep.equal([]);
    move(246_001, "M", "A", "B");
    expect(found)
      .to.have.length(1)
      .and.to.match(/no load changes/);
  });

  it("begins anew with every change of members and of owners that nobody planned", () => {
    const changes: readonly LeaseholdEvent[] = [
      { type: "worker-created", workerId: "C" },
      { type: "draining", workerId: "A" },
      { type: "fenced", workerId: "A", victim: "B", beat: 3 },
      { type: "planner-elected", workerId: "A", epoch: 2 },
      { type: "directive-answered", workerId: "A", leaseKey: "L", epoch: 1, answer: "refused" },
      { type: "released", workerId: "A", leaseKey: "L", epoch: 1, reason: "stuck" },
    ];
    for (const [i, change] of changes.entries()) {
      at(300_000 + i * 40_000, change);
      move(300_000 + i * 40_000 + 35_000, `L${String(i)}`, "A", "B");
    }
    expect(found).to.deep.equal([]);
  });

  it("takes a stop's handoffs for none", () => {
    for (const leaseKey of ["L", "M", "N"]) {
      at(300_000, { type: "handed-off", workerId: "A", leaseKey, epoch: 1, target: "B", reason: "stop" });
    }
    expect(found).to.deep.equal([]);
  });
});
