import { expect } from "chai";
import { systemClock, systemRandom } from "../../src/runtime/system.js";
import { workerOptions, type RunSettings } from "../../src/cli/run-settings.js";
import { Worker } from "../../src/worker.js";

const plain: RunSettings = {
  application: "orders",
  stream: "orders",
  handler: "handler.mjs",
  logLevel: "info",
  json: true,
};

describe("the settings of leasehold run", () => {
  it("become options of a worker", () => {
    const options = workerOptions({ ...plain, checkpointing: "explicit", leaseDurationMs: 2_000 });
    expect(options).to.include({ application: "orders", checkpointing: "explicit", leaseDurationMs: 2_000 });
    expect(() => new Worker({ ...options, processor: { process: () => undefined } })).not.to.throw();
  });

  it("leave to its default what nobody set", () => {
    // The deployment is that of the package around the handler: here this project's own.
    expect(workerOptions(plain)).to.have.all.keys("application", "source", "deployment");
  });

  // What is refused by the source has reached it.
  it("tell the stream how often and in what format it is read, and whether empty reads are handed over", () => {
    expect(() => workerOptions({ ...plain, idlePollIntervalMs: 199 })).to.throw(/idlePollIntervalMs is 199/);
    expect(() => workerOptions({ ...plain, emptyBatches: 1 as unknown as true })).to.throw(
      /emptyBatches is 1/,
    );
    expect(() => workerOptions({ ...plain, wire: "cbor" as "json" })).to.throw(/wire is "cbor"/);
    const { source } = workerOptions({ ...plain, idlePollIntervalMs: 200, emptyBatches: true });
    expect(source({ clock: systemClock, random: systemRandom }).name).to.equal("orders");
  });
});
