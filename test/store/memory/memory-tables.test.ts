import { expect } from "chai";
import { hasCode } from "../../../src/model/errors.js";
import { createMemoryStore, MemoryTables, type MemorySnapshot } from "../../../src/store/memory/index.js";
import { leaseItem } from "../../../src/store/lease-item.js";
import { applied, change, fresh, identity, lease, status } from "../../../src/testing/contract/harness.js";

const put = (tables: MemoryTables, ...keys: readonly string[]): void => {
  for (const key of keys) tables.putRawLease(leaseItem(lease(key)));
};

describe("tables in memory", () => {
  it("exist unless they are said to be missing", async () => {
    await createMemoryStore({ application: "orders" }).tables.verify();
    const missing = createMemoryStore({ application: "orders", tables: new MemoryTables({ missing: true }) });
    let error: unknown;
    await missing.tables.verify().catch((thrown: unknown) => (error = thrown));
    expect(hasCode(error, "table-missing")).to.be.true;
  });

  it("are shared by all stores that are given them", async () => {
    const tables = new MemoryTables();
    const [one, other] = [1, 2].map(() => createMemoryStore({ application: "orders", tables }));
    applied(await one!.membership.create(identity("w1"), status()));
    expect((await other!.membership.readFleet(fresh)).workers).to.have.length(1);
  });

  it("show the same snapshot whatever is written after it", async () => {
    const tables = new MemoryTables();
    const store = createMemoryStore({ application: "orders", tables });
    put(tables, "s1", "s2");
    applied(await store.membership.create(identity("w1"), status()));
    const before = tables.snapshot();
    const rows = [before.scan(), before.fleet()];
    put(tables, "s3");
    applied(await store.ownership.change(change("s1")));
    applied(await store.membership.leave("w1"));
    await store.membership.remove("w1");
    await store.plannerDesk.countDeath();
    await store.membership.join("worker", 1);
    expect(before.scan().leases.map(({ epoch }) => epoch)).to.deep.equal([5, 5]);
    expect(before.lease("s1")?.epoch).to.equal(5);
    expect(before.worker("w1")?.fencedBy).to.be.undefined;
    expect([before.scan(), before.fleet()]).to.deep.equal(rows);
    expect([before.planner, before.meta]).to.deep.equal([undefined, undefined]);
    expect(tables.snapshot().scan().leases).to.have.length(3);
    expect(tables.snapshot().lease("s1")?.epoch).to.equal(6);
  });

  it("are read late where a read need not be consistent, and by the owner index", async () => {
    const tables = new MemoryTables();
    let stale: MemorySnapshot | undefined;
    const store = createMemoryStore({ application: "orders", tables, staleRead: () => stale });
    put(tables, "s1");
    stale = tables.snapshot();
    applied(await store.ownership.change(change("s1")));
    const late = { consistent: false };
    expect((await store.leases.get("s1", late))?.epoch).to.equal(5);
    expect((await store.leases.scan(late)).leases[0]?.epoch).to.equal(5);
    expect(await store.leases.keysOf("w1")).to.deep.equal([]);
    expect((await store.leases.get("s1", fresh))?.epoch).to.equal(6);
    stale = undefined;
    expect((await store.leases.get("s1", late))?.epoch).to.equal(6);
    expect(await store.leases.keysOf("w1")).to.deep.equal(["s1"]);
  });

  it("lose every row when they are dropped", async () => {
    const tables = new MemoryTables();
    const store = createMemoryStore({ application: "orders", tables });
    put(tables, "s1");
    const entry = {
      leaseKey: "s1",
      epoch: 5,
      reason: "taken",
      since: "a",
      until: "b",
      endedBy: "released",
    } as const;
    await store.history.archive(entry, 9);
    expect(tables.historyKeys()).to.deep.equal(["s1"]);
    tables.drop();
    await store.tables.prepare();
    expect((await store.leases.scan(fresh)).leases).to.deep.equal([]);
    expect(tables.historyKeys()).to.deep.equal([]);
  });

  it("keep what they are given apart from what is changed outside", async () => {
    const store = createMemoryStore({ application: "orders" });
    const unfit = ["s1"];
    applied(await store.membership.create(identity("w1"), status({ unfit })));
    unfit.push("s2");
    expect((await store.membership.readWorker("w1", fresh))?.unfit).to.deep.equal(["s1"]);
  });

  it("hold unreadable rows, which are never taken", async () => {
    const tables = new MemoryTables();
    const item = { leaseKey: { S: "s1" }, leaseCounter: { N: "5" }, checkpoint: { S: "?" } };
    tables.putRawLease(item);
    const store = createMemoryStore({ application: "orders", tables });
    let error: unknown;
    await store.ownership.change(change("s1")).catch((thrown: unknown) => (error = thrown));
    expect(hasCode(error, "invalid-row")).to.be.true;
    expect(tables.snapshot().rawLease("s1")).to.deep.equal(item);
    expect(() => tables.putRawLease({})).to.throw(TypeError);
  });
});
