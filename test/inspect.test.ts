import { expect } from "chai";
import { Inspector, openInspector } from "../src/inspect.js";
import { LeaseholdError } from "../src/model/errors.js";
import type { Lease } from "../src/model/lease.js";
import type { WorkerRow } from "../src/model/worker-row.js";
import { MemoryTables } from "../src/testing/index.js";
import { row } from "./history/lease-rows.js";
import { ScriptedStore } from "./history/scripted-store.js";
import { identity, quiet } from "./testing/rows.js";

class Bench {
  readonly scripted = new ScriptedStore();
  readonly inspector = new Inspector("orders", this.scripted.store);

  worker(workerId: string, more: Partial<WorkerRow> = {}): void {
    this.scripted.tables.setWorker({
      ...identity(workerId),
      ...quiet,
      beat: 3,
      mailbox: new Map(),
      ...more,
    });
  }

  lease(leaseKey: string, sketch: string, more: Partial<Lease> = {}): void {
    this.scripted.put({ ...row(leaseKey, sketch), ...more });
  }

  async states(): Promise<Record<string, string>> {
    const { leases } = await this.inspector.status();
    return Object.fromEntries(leases.map(({ leaseKey, state }) => [leaseKey, state]));
  }
}

describe("the inspector", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench();
  });

  const workerStates: readonly (readonly [string, Partial<WorkerRow>])[] = [
    ["live", {}],
    ["created", { beat: 0 }],
    ["joining", { joining: true }],
    ["draining", { draining: true, joining: true, blind: true }],
    ["blind", { blind: true, joining: true }],
    ["left", { fencedBy: "w", fenceKind: "left", draining: true }],
    ["fenced", { fencedBy: "o", fenceKind: "observer", draining: true }],
    ["fenced", { fencedBy: "p", fenceKind: "parent", beat: -1 }],
    ["missing", { beat: -1 }],
  ];
  for (const [state, more] of workerStates) {
    it(`says ${state} of a worker whose row shows ${JSON.stringify(more)}`, async () => {
      bench.worker("w", more);
      expect((await bench.inspector.status()).workers.map((worker) => worker.state)).to.deep.equal([state]);
    });
  }

  it("counts a worker's leases in the rows, not in what it says of itself", async () => {
    bench.worker("w", {
      deployment: "2.0.1",
      leases: 9,
      utilisation: 0.256,
      maxLeases: 5,
      unfit: ["s7"],
      failing: ["s2"],
    });
    bench.lease("s1", "w@5");
    bench.lease("s2", "w@5");
    expect((await bench.inspector.status()).workers).to.deep.equal([
      {
        workerId: "w",
        state: "live",
        deployment: "2.0.1",
        leases: 2,
        load: 16.38,
        capacity: 64,
        maxLeases: 5,
        stuck: ["s7"],
        failing: ["s2"],
      },
    ]);
  });

  it("shows a worker that leases name and that has no row", async () => {
    bench.worker("z");
    bench.lease("s1", "ghost@5");
    const { workers } = await bench.inspector.status();
    expect(workers.map(({ workerId, state, leases }) => [workerId, state, leases])).to.deep.equal([
      ["ghost", "missing", 1],
      ["z", "live", 0],
    ]);
  });

  it("tells owned, free, orphaned, waiting and finished leases apart, and lists no marked one", async () => {
    bench.worker("w");
    bench.worker("dead", { fencedBy: "w", fenceKind: "observer" });
    bench.lease("free", "free@5");
    bench.lease("owned", "w@5");
    bench.lease("orphaned", "dead@5");
    bench.lease("unknown", "ghost@5");
    bench.lease("foreign", "w@5", { owner: "java-1", epoch: 6 });
    bench.lease("finished", "free@5:SHARD_END");
    bench.lease("waiting", "free@1", { parents: ["finished", "owned"] });
    bench.lease("ready", "free@1", { parents: ["finished", "gone"] });
    bench.lease("deleted", "free@9", { marked: true });
    expect(await bench.states()).to.deep.equal({
      finished: "finished",
      foreign: "foreign",
      free: "free",
      orphaned: "orphaned",
      owned: "owned",
      ready: "free",
      unknown: "owned",
      waiting: "waiting",
    });
  });

  it("shows owner, epoch, checkpoint and parents of a lease, in the order of their keys", async () => {
    bench.worker("w");
    bench.lease("s2", "w@7:123", { parents: ["s1"] });
    bench.lease("s1", "free@5:SHARD_END");
    expect((await bench.inspector.status()).leases).to.deep.equal([
      { leaseKey: "s1", owner: null, epoch: 5, checkpoint: "SHARD_END", state: "finished", parents: [] },
      { leaseKey: "s2", owner: "w", epoch: 7, checkpoint: "123", state: "owned", parents: ["s1"] },
    ]);
  });

  it("shows a row that cannot be read, and what is wrong with it", async () => {
    bench.scripted.tables.putRawLease({ leaseKey: { S: "bad" }, leaseCounter: { N: "5" } });
    const [lease] = (await bench.inspector.status()).leases;
    expect(lease).to.include({ leaseKey: "bad", state: "invalid", owner: null, epoch: null });
    expect(lease!.problem).to.equal("it has no checkpoint");
  });

  it("names the application, the liveness and the planner", async () => {
    expect(await bench.inspector.status()).to.include({
      application: "orders",
      liveness: "worker",
      planner: null,
    });
    bench.scripted.tables.setMeta({ liveness: "lease", format: 1, joins: 1 });
    bench.worker("w");
    bench.scripted.tables.setPlanner({ owner: "w", epoch: 3, deaths: 0 });
    expect(await bench.inspector.status()).to.include({ liveness: "lease", planner: "w" });
  });

  it("names no planner where the last one has left or has no row", async () => {
    bench.scripted.tables.setPlanner({ owner: "w", epoch: 3, deaths: 0 });
    expect((await bench.inspector.status()).planner).to.equal(null);
    bench.worker("w", { fencedBy: "w", fenceKind: "left" });
    expect((await bench.inspector.status()).planner).to.equal(null);
  });

  it("writes nothing and creates nothing", async () => {
    bench.worker("w");
    bench.lease("s1", "w@5");
    const before = bench.scripted.tables.snapshot();
    await bench.inspector.status();
    expect(bench.scripted.tables.view()).to.equal(before);
    expect(new Set(bench.scripted.calls.map(({ operation }) => operation))).to.deep.equal(
      new Set(["tables.verify", "membership.readFleet", "leases.scan"]),
    );
  });

  it("says that the tables are missing, and does not make them", async () => {
    bench.scripted.tables.drop();
    const error = await bench.inspector.status().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(LeaseholdError).with.property("code", "table-missing");
    expect(bench.scripted.tables.exist).to.equal(false);
  });

  it("asks again when the store throttles, and tells what it cannot mend", async () => {
    bench.scripted.next("leases.scan", "throttled");
    await bench.inspector.status();
    bench.scripted.next("leases.scan", "denied");
    const error = await bench.inspector.status().catch((thrown: unknown) => thrown);
    expect(error).to.have.property("code", "store-denied");
  });

  it("is opened for a proper name only", () => {
    expect(() => openInspector({ application: "x" }))
      .to.throw(LeaseholdError)
      .with.property("code", "invalid-application");
  });

  it("reads consistently", async () => {
    const tables = new MemoryTables();
    const { store } = new ScriptedStore();
    const asked: boolean[] = [];
    const inspector = new Inspector("orders", {
      ...store,
      membership: {
        ...store.membership,
        readFleet: (call) => {
          asked.push(call.consistent);
          return store.membership.readFleet(call);
        },
      },
      leases: {
        ...store.leases,
        scan: (call) => {
          asked.push(call.consistent);
          return store.leases.scan(call);
        },
      },
    });
    await inspector.status();
    expect([tables.exist, asked]).to.deep.equal([true, [true, true]]);
  });
});
