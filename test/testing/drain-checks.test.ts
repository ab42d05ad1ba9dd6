import { expect } from "chai";
import type { Lease } from "../../src/model/lease.js";
import { DrainChecks } from "../../src/testing/drain-checks.js";
import type { SimulatedProcess } from "../../src/testing/simulated-process.js";
import type { HeldLease } from "../../src/tenure/tenure.js";
import { collectReports } from "./reports.js";

/** A worker w1 with a tenure of lease a at epoch 7, whose checkpoint stands at record `checkpoint`. */
function setting(checkpoint: number, clearSinceMs = 0) {
  const found = collectReports();
  let nowMs = 0;
  const witness = {
    nowMs: () => nowMs,
    row: () => ({ leaseKey: "a" }) as Lease,
    indexOf: () => checkpoint,
    clearSinceMs: () => clearSinceMs,
    graceMs: 30_000,
    isExplicit: false,
    onUndrained: () => undefined,
  };
  const checks = new DrainChecks(witness, found.report);
  const process = { isHurried: false } as unknown as SimulatedProcess;
  const signal = new AbortController().signal;
  const lease = { leaseKey: "a", fencingToken: 7, signal } as HeldLease;
  const earlier = { leaseKey: "a", fencingToken: 6, signal: AbortSignal.abort() } as HeldLease;
  const at = { workerId: "w1", leaseKey: "a", epoch: 7 };
  return {
    found,
    begin: () => {
      checks.called(process, lease);
    },
    end: (lastIndex: number | undefined) => {
      checks.returned(process, lease, lastIndex);
    },
    beginEarlier: () => {
      checks.called(process, earlier);
    },
    endEarlier: () => {
      checks.returned(process, earlier, undefined);
    },
    stop: () => {
      nowMs = 10_000;
      checks.event(process, { type: "draining", workerId: "w1" });
    },
    give: (reason: "handoff" | "stop", isHandedOff: boolean) => {
      nowMs += 100;
      checks.event(process, { type: "tenure-ended", ...at, reason });
      if (isHandedOff) checks.event(process, { type: "handed-off", ...at, reason, target: "w2" });
    },
  };
}

describe("the checks of drains", () => {
  it("find nothing wrong with a lease that is given away at rest and checkpointed", () => {
    const s = setting(4);
    s.begin();
    s.end(4);
    s.give("handoff", true);
    expect(s.found.says).to.deep.equal([]);
  });

  it("report a lease handed over while a batch of it is worked", () => {
    const s = setting(4);
    s.begin();
    s.give("handoff", true);
    expect(s.found.names).to.deep.equal(["drained-before-handoff"]);
  });

  it("report a lease handed over while a batch of an earlier tenure of it is worked", () => {
    const s = setting(4);
    s.beginEarlier();
    s.give("handoff", true);
    expect(s.found.names).to.deep.equal(["drained-before-handoff"]);
    expect(s.found.says[0]).to.match(/a batch of epoch 6 is being worked/);
  });

  it("find nothing wrong where that batch has returned", () => {
    const s = setting(4);
    s.beginEarlier();
    s.endEarlier();
    s.give("handoff", true);
    expect(s.found.names).to.deep.equal([]);
  });

  it("report a lease handed over whose checkpoint is behind its work", () => {
    const s = setting(3);
    s.begin();
    s.end(4);
    s.give("handoff", true);
    expect(s.found.names).to.deep.equal(["drained-before-handoff"]);
  });

  it("report a stop that gives a lease up undrained, where nothing kept it from draining", () => {
    const s = setting(4);
    s.begin();
    s.stop();
    s.give("stop", false);
    expect(s.found.names).to.deep.equal(["stops-drain"]);
  });

  it("excuse such a stop in bad weather", () => {
    const s = setting(4, 9_500);
    s.begin();
    s.stop();
    s.give("stop", false);
    expect(s.found.names).to.deep.equal([]);
  });
});
