import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { fixedPartitions } from "../../src/source/fixed/fixed-partitions.js";
import type { SourceRuntime } from "../../src/source/partition-source.js";
import { adapterEvents } from "../../src/telemetry/adapter-events.js";
import { Worker } from "../../src/worker.js";

describe("what adapters tell of themselves", () => {
  it("becomes events of the worker that runs on them", () => {
    const events: LeaseholdEvent[] = [];
    const told = adapterEvents(
      (event) => events.push(event),
      () => "me",
    );
    told.onCapability({ name: "ttl", present: true });
    told.onCapability({ name: "ttl", present: false });
    told.onCapability({ name: "ttl", present: false, reason: "denied" });
    told.onTableDifference({ table: "orders", option: "billing", difference: "another" });
    told.onFallback("because");
    const missing = { type: "capability-missing", workerId: "me", capability: "ttl" };
    expect(events).to.deep.equal([
      { ...missing, reason: "the store does not say why" },
      { ...missing, reason: "denied" },
      { type: "table-differs", workerId: "me", table: "orders", option: "billing", difference: "another" },
      { type: "source-fallback", workerId: "me", reason: "because" },
    ]);
  });

  it("is told by a source to its worker's log, which says why", () => {
    const lines: [fields: Readonly<Record<string, unknown>>, message: string][] = [];
    const events: LeaseholdEvent[] = [];
    const runtimes: SourceRuntime[] = [];
    new Worker({
      application: "orders",
      label: "web",
      source: (runtime) => {
        runtimes.push(runtime);
        return fixedPartitions({ partitions: ["p"] })(runtime);
      },
      processor: { process: () => undefined },
      onEvent: (event) => events.push(event),
      logger: {
        debug: () => {},
        info: () => {},
        warn: (...line) => lines.push(line),
        error: () => {},
      },
    });
    runtimes[0]?.onFallback?.("records come as JSON");
    expect(events).to.deep.equal([
      { type: "source-fallback", workerId: "web", reason: "records come as JSON" },
    ]);
    expect(lines).to.have.length(1);
    expect(lines[0]?.[1]).to.equal(
      "the source is read in a way that costs more CPU from now on: records come as JSON",
    );
  });
});
