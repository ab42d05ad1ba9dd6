import { expect } from "chai";
import { FleetHistory } from "../../src/fleet-history.js";
import { tenureAt, type PastTenure } from "../../src/model/history-series.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { MemoryTables } from "../../src/store/memory/index.js";
import {
  createMemoryStore,
  drawScenario,
  seededRandom,
  simulate,
  VirtualTime,
} from "../../src/testing/index.js";
import type { Fault } from "../../src/testing/faults.js";
import { startWallMs } from "../../src/testing/virtual-clock.js";

/** A worker's hold on a lease, by the events, in true ms. */
interface Held {
  readonly leaseKey: string;
  readonly workerId: string;
  readonly fromMs: number;
  untilMs: number;
}

const runMs = 130_000;

/** Nobody hears when a killed process's hold ends: the row is its own until it is taken, shortly before the next begins. */
function cut(held: readonly Held[]): readonly Held[] {
  return held.map((one) => {
    const next = held.filter(({ leaseKey, fromMs }) => leaseKey === one.leaseKey && fromMs > one.fromMs);
    return { ...one, untilMs: Math.min(one.untilMs, ...next.map(({ fromMs }) => fromMs - 100)) };
  });
}

/** Whoever lives a life worth a history: kills, stops, joins, an operator's fence, a lapse, splits, a merge. */
const faults: readonly Fault[] = [
  { kind: "crash", worker: 0, atMs: 15_000 },
  { kind: "split", atMs: 18_000, pick: 0.2 },
  { kind: "start", worker: 0, atMs: 22_000 },
  { kind: "stop", worker: 1, atMs: 30_000 },
  { kind: "start", worker: 1, atMs: 36_000 },
  { kind: "forced-fence", worker: 2, atMs: 45_000 },
  { kind: "merge", atMs: 50_000, pick: 0.6 },
  { kind: "store-outage", atMs: 58_000, forMs: 12_000, of: "all", how: "silent" },
  { kind: "crash", worker: 2, atMs: 80_000 },
  { kind: "split", atMs: 82_000, pick: 0.7 },
  { kind: "start", worker: 2, atMs: 84_000 },
];

async function lived(): Promise<{ history: FleetHistory; held: readonly Held[] }> {
  let tables: MemoryTables | undefined;
  const held: Held[] = [];
  const open = new Map<string, Held>();
  const onEvent = (event: LeaseholdEvent, atMs: number): void => {
    if (event.type !== "tenure-began" && event.type !== "tenure-ended") return;
    const { leaseKey, workerId } = event;
    const key = `${leaseKey} ${workerId}`;
    if (event.type === "tenure-ended") {
      const ended = open.get(key);
      if (ended !== undefined) ended.untilMs = atMs;
      return;
    }
    const begun = { leaseKey, workerId, fromMs: atMs, untilMs: runMs };
    open.set(key, begun);
    held.push(begun);
  };
  await simulate(
    {
      ...drawScenario("history", { machines: [4, 4], shards: [12, 12], faults: [0, 0] }),
      // All clocks are right, so that what the writers wrote can be held against the truth.
      machines: [0, 1, 2, 3].map(() => ({ rate: 1, wallOffsetMs: 0, startMs: 0 })),
      protocol: {},
      conditions: { latencyMs: [1, 8] },
      workMs: [1, 50],
      faults,
      runMs,
      produceUntilMs: 110_000,
    },
    {
      onEvent,
      wrapStore: (store, rows) => {
        tables = rows;
        return store;
      },
    },
  );
  if (tables === undefined) throw new Error("there was no store");
  const store = createMemoryStore({ application: "simulated", tables });
  return {
    history: new FleetHistory("simulated", store, new VirtualTime().clock(), seededRandom(1)),
    held: cut(held),
  };
}

describe("the history of a fleet that has lived through kills, stops, joins, a fence and reshards", function () {
  this.timeout(60_000);
  let history: FleetHistory;
  let held: readonly Held[];

  before(async () => {
    ({ history, held } = await lived());
  });

  it("is whole", async () => {
    const verdict = await history.verify();
    expect(verdict.problems).to.deep.equal([]);
    expect(verdict.leases).to.equal(12 + 2 + 1 + 2);
    expect(verdict.epochs).to.be.greaterThan(100);
  });

  it("says who held each lease at every instant, as the workers' own events have it", async () => {
    const byLease = new Map<string, PastTenure[]>();
    for (const tenure of (await history.ask()).tenures) {
      byLease.set(tenure.leaseKey, [...(byLease.get(tenure.leaseKey) ?? []), tenure]);
    }
    let asked = 0;
    for (const { leaseKey, workerId, fromMs, untilMs } of held) {
      // Rows have whole milliseconds.
      for (let ms = fromMs + 2; ms < untilMs - 2; ms += 250) {
        const found = tenureAt(byLease.get(leaseKey) ?? [], startWallMs + ms);
        expect(found?.worker, `${leaseKey} at ${String(ms)}`).to.equal(workerId);
        asked += 1;
      }
    }
    expect(asked).to.be.greaterThan(5_000);
  });

  it("says what a worker held at an instant", async () => {
    for (const ms of [14_000, 29_000, 44_000, 79_000, 105_000]) {
      const now = held.filter((one) => one.fromMs < ms - 10 && one.untilMs > ms + 10);
      for (const worker of new Set(now.map(({ workerId }) => workerId))) {
        const { tenures } = await history.ask({ worker, at: new Date(startWallMs + ms) });
        const believed = now.filter((one) => one.workerId === worker).map(({ leaseKey }) => leaseKey);
        expect(tenures.map(({ leaseKey }) => leaseKey)).to.include.members(believed);
      }
    }
  });

  it("says why leases changed hands", async () => {
    const { tenures } = await history.ask();
    const causes = new Set(tenures.map(({ reason, cause }) => `${reason} ${cause ?? ""}`.trim()));
    expect([...causes]).to.include.members([
      "created",
      "taken",
      "taken-from-fenced observer",
      "handoff stop",
      "handoff handoff",
      "resumed",
      "released partition-ended",
    ]);
  });
});
