import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { Fault } from "../../src/testing/faults.js";
import { configOf, type Scenario } from "../../src/testing/scenario.js";
import { drawScenario } from "../../src/testing/scenario-draw.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { shippedWorker } from "../../src/testing/shipped-worker.js";
import { SimulatedStore } from "../../src/testing/simulated-store.js";
import { SimulatedStream } from "../../src/testing/simulated-stream.js";
import { simulate, type SimulationResult } from "../../src/testing/simulator.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

interface Seen {
  readonly atMs: number;
  readonly event: LeaseholdEvent;
}

/** A fleet of four on 16 shards whose machines start together; settled long before the faults. */
function scenario(faults: readonly Fault[], changes: Partial<Scenario> = {}): Scenario {
  return {
    ...drawScenario("promises", { machines: [4, 4], shards: [16, 16], faults: [0, 0] }),
    protocol: {},
    conditions: { latencyMs: [1, 8] },
    workMs: [1, 50],
    // Many records: their number in a while, which is the leases' weight, is then nearly even, and nothing to balance.
    putEveryMs: 10,
    faults,
    runMs: 120_000,
    produceUntilMs: 110_000,
    ...changes,
  };
}

async function run(
  scene: Scenario,
): Promise<{ readonly result: SimulationResult; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const result = await simulate(scene, { onEvent: (event, atMs) => seen.push({ event, atMs }) });
  return { result, seen };
}

/** Leases that came to another owner in this time. */
function moves(seen: readonly Seen[], fromMs: number, toMs: number): readonly Seen[] {
  return seen.filter(
    ({ event, atMs }) =>
      event.type === "tenure-began" &&
      event.how !== "resumed" &&
      event.how !== "raised" &&
      atMs >= fromMs &&
      atMs < toMs,
  );
}

const settledMs = 40_000;

describe("a simulated fleet keeps the promise that", function () {
  this.timeout(60_000);

  it("nothing moves where nobody comes or goes", async () => {
    const { seen } = await run(scenario([]));
    expect(moves(seen, 0, settledMs).length).to.be.at.least(16);
    expect(moves(seen, settledMs, 120_000)).to.deep.equal([]);
  });

  for (const of of ["reads", "writes", "all"] as const) {
    for (const how of ["silent", "refusing"] as const) {
      it(`an outage of ${of} (${how}) far longer than T in which nobody dies changes no owner`, async () => {
        const outage: Fault = { kind: "store-outage", atMs: settledMs, forMs: 60_000, of, how };
        const { seen, result } = await run(scenario([outage], { runMs: 150_000, produceUntilMs: 140_000 }));
        expect(moves(seen, settledMs, 150_000)).to.deep.equal([]);
        expect(result.emitted.get("fenced") ?? 0).to.equal(0);
        if (of !== "reads") expect(result.emitted.get("belief-lapsed")).to.equal(4);
      });
    }
  }

  it("an outage of the stream in which nobody dies changes no owner", async () => {
    const outage: Fault = { kind: "stream-outage", atMs: settledMs, forMs: 60_000 };
    const { seen } = await run(scenario([outage]));
    expect(moves(seen, settledMs, settledMs + 60_000)).to.deep.equal([]);
    // The backlog is a change of load: what it moves is handed over, never lost.
    for (const { event } of moves(seen, settledMs, 120_000)) expect(event).to.have.property("how", "handoff");
  });

  it("a dead worker's leases are owned again by T + 2p and the takes", async () => {
    for (const seed of [1, 2, 3]) {
      const atMs = settledMs + seed * 777;
      const scene = scenario([{ kind: "crash", worker: seed % 4, atMs }], { seed: String(seed) });
      const { expiryMs, pollIntervalMs } = configOf(scene);
      const { seen } = await run(scene);
      const taken = moves(seen, atMs, 120_000).filter(
        ({ event }) => event.type === "tenure-began" && event.how === "taken-from-fenced",
      );
      expect(taken.length).to.be.at.least(3);
      const latest = Math.max(...taken.map((one) => one.atMs));
      // Its last beat may have been seen up to p after it died; a second for look, fence and takes.
      expect(latest - atMs).to.be.within(0, expiryMs + 2 * pollIntervalMs + 1_000);
    }
  });

  it("clean stops, one after another, redo nothing and lose nobody's lease", async () => {
    const stops: Fault[] = [0, 1, 2, 3].flatMap((worker) => [
      { kind: "stop", worker, atMs: settledMs + worker * 15_000 } as const,
      { kind: "start", worker, atMs: settledMs + worker * 15_000 + 8_000 } as const,
    ]);
    const { result } = await run(scenario(stops));
    expect(result.redone).to.equal(0);
    expect(result.emitted.get("lease-lost-told") ?? 0).to.equal(0);
    expect(result.emitted.get("belief-lapsed") ?? 0).to.equal(0);
    expect(result.emitted.get("handed-off")).to.be.at.least(12);
  });

  it("a pause shorter than the belief costs nothing, a longer one the worker's leases and nothing else", async () => {
    const short: Fault = { kind: "pause", worker: 1, atMs: settledMs, forMs: 5_000 };
    const calm = await run(scenario([short]));
    expect(moves(calm.seen, settledMs, 120_000)).to.deep.equal([]);
    const long: Fault = { kind: "pause", worker: 1, atMs: settledMs, forMs: 30_000 };
    const { seen, result } = await run(scenario([long]));
    expect(result.emitted.get("fenced")).to.equal(1);
    // What the others give each other afterwards, to be even, is not taken from anybody.
    const taken = moves(seen, settledMs, settledMs + 30_000).filter(
      ({ event }) => event.type === "tenure-began" && event.how !== "handoff",
    );
    expect(taken.length).to.be.at.least(3);
    for (const { event } of taken) {
      expect(event.type === "tenure-began" ? event.from : undefined).to.match(/^worker-1\.1-/);
    }
  });

  it("a worker whose machine was suspended knows it at once when it wakes", async () => {
    const suspend: Fault = { kind: "suspend", worker: 1, atMs: settledMs, forMs: 30_000 };
    const { seen } = await run(scenario([suspend]));
    const wokeMs = settledMs + 30_000;
    const lost = seen.filter(
      ({ event, atMs }) => event.type === "tenure-ended" && atMs >= wokeMs - 1 && atMs < wokeMs + 3_000,
    );
    expect(lost.length).to.be.at.least(4);
  });

  it("deleted tables end every worker, with the reason, and are not made again", async () => {
    const time = new VirtualTime();
    const store = new SimulatedStore(time);
    const stream = new SimulatedStream(time, { shards: 6 });
    const ends: unknown[] = [];
    const workers = [0, 1, 2].map((slot) => {
      const clock = time.clock();
      const random = seededRandom(slot);
      return shippedWorker({
        application: "simulated",
        label: `worker-${slot}`,
        clock,
        random,
        store: store.connect({ worker: slot, clock, random }),
        source: stream.source({ clock, random }),
        processor: { process: () => undefined },
        protocol: {},
        emit: () => {},
      });
    });
    for (const worker of workers) {
      void worker.start().then(async () => {
        ends.push(await worker.ended.catch((error: unknown) => error));
      });
    }
    await time.advance(20_000);
    expect(workers.flatMap((worker) => worker.believes())).to.have.length(6);
    store.rows.drop();
    await time.advance(30_000);
    expect(ends.map((error) => (error as { code?: string }).code)).to.deep.equal(
      Array(3).fill("table-missing"),
    );
    expect(store.rows.exist).to.equal(false);
    await time.advance(100_000);
    expect(time.pendingTimers).to.equal(0);
  });
});
