import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StoreError } from "../../../src/model/errors.js";
import { createDynamoDbStore } from "../../../src/store/dynamodb/index.js";
import { Gate } from "../../../src/store/dynamodb/gate.js";
import type { Store } from "../../../src/store/store.js";
import { startFaultProxy, type FaultProxy } from "../../../src/testing/fault-proxy.js";
import { emulated } from "../../support/dynamodb.js";

/** Waits for what a socket does; the test's own timeout bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a store's connections", () => {
  let server: Server;
  let proxy: FaultProxy;
  let store: Store;

  beforeEach(async () => {
    // Nothing found, nothing applied: whether a call gets through is all that is asked.
    server = createServer((request, response) => {
      request.resume();
      request.on("end", () => response.end("{}"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy = await startFaultProxy({
      target: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    });
    store = createDynamoDbStore({ application: "orders", ...emulated(proxy.endpoint) });
  });

  afterEach(async () => {
    store.close();
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  });

  it("let a beat through while more calls about leases hang than there are connections", async () => {
    proxy.set({ kind: "silent", where: ({ body }) => body["TableName"] === "orders" });
    const controllers = Array.from({ length: 80 }, () => new AbortController());
    const hanging = controllers.map(({ signal }, i) =>
      store.leases.get(`s${String(i)}`, { consistent: true, signal }).catch((error: unknown) => error),
    );
    await until(() => proxy.counts.get("GetItem")?.requests === 40);
    // No row comes back, which the store takes ill; that it was answered at all is the point.
    const status = {
      draining: false,
      joining: false,
      blind: false,
      leases: 0,
      weight: 0,
      utilisation: 0,
      unfit: [],
      failing: [],
    };
    const beat = await store.membership
      .beat({ workerId: "w", beat: 1, status, removeMail: [] })
      .catch((error: unknown) => error);
    expect(beat).to.have.property("code", "store-rejected");
    await store.membership.readFleet({ consistent: true });
    for (const controller of controllers) controller.abort();
    const errors = await Promise.all(hanging);
    expect(errors.filter((error) => error instanceof StoreError && !error.ambiguous)).to.have.length(80);
    expect(proxy.counts.get("GetItem")?.requests, "who waited for a place never sent").to.equal(40);
  });

  it("that stood idle are not tried one after the other when one of them went deaf", async () => {
    const read = (signal: AbortSignal): Promise<unknown> =>
      store.membership.readFleet({ consistent: true, signal });
    const wait = new AbortController();
    await Promise.all(Array.from({ length: 10 }, () => read(wait.signal)));
    expect(proxy.connections).to.be.greaterThan(5);
    proxy.set({ kind: "half-open" });
    const first = new AbortController();
    const sent = proxy.counts.get("Query")?.requests ?? 0;
    const deaf = read(first.signal).catch((error: unknown) => error);
    await until(() => proxy.counts.get("Query")?.requests === sent + 1);
    first.abort();
    expect(await deaf).to.have.property("code", "store-timeout");
    // The very next one gets through: its connection is new.
    await read(wait.signal);
    await until(() => proxy.connections === 1);
  });
});

describe("a gate", () => {
  it("lets so many in at a time, and the others in the order of their coming", async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    const open: (() => void)[] = [];
    const passes = [0, 1, 2, 3].map((i) =>
      gate.pass("read", undefined, () => {
        order.push(i);
        return new Promise<void>((resolve) => open.push(resolve));
      }),
    );
    await Promise.resolve();
    expect(order).to.deep.equal([0, 1]);
    open[1]?.();
    await passes[1];
    await until(() => order.length === 3);
    open[0]?.();
    open[2]?.();
    await until(() => order.length === 4);
    open[3]?.();
    await Promise.all(passes);
    expect(order).to.deep.equal([0, 1, 2, 3]);
  });

  it("lets nobody in who gave up, and passes the place on", async () => {
    const gate = new Gate(1);
    let leave = (): void => undefined;
    const first = gate.pass("read", undefined, () => new Promise<void>((resolve) => (leave = resolve)));
    const signal = new AbortController();
    const second = gate.pass("read", signal.signal, () => Promise.reject(new Error("sent")));
    const third = gate.pass("read", undefined, () => Promise.resolve("third"));
    signal.abort();
    const error = await second.catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: "store-timeout", ambiguous: false });
    leave();
    await first;
    expect(await third).to.equal("third");
    expect(await gate.pass("read", undefined, () => Promise.resolve("later"))).to.equal("later");
  });
});
