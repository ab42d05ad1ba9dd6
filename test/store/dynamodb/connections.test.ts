import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { LeaseholdError, StoreError } from "../../../src/model/errors.js";
import { attempts } from "../../../src/runtime/attempts.js";
import { DynamoDbConnection } from "../../../src/store/dynamodb/connection.js";
import { createDynamoDbStore } from "../../../src/store/dynamodb/index.js";
import { Gate } from "../../../src/store/dynamodb/gate.js";
import type { Store } from "../../../src/store/store.js";
import { startFaultProxy, type FaultProxy } from "../../../src/testing/fault-proxy.js";
import { seededRandom, VirtualTime } from "../../../src/testing/index.js";
import { quiet } from "../../testing/rows.js";
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
    const beat = await store.membership
      .beat({ workerId: "w", beat: 1, status: quiet, removeMail: [] })
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

describe("the idle connections of a store", () => {
  const noAnswer = new StoreError("store-timeout", "no answer", { retryable: true, ambiguous: true });

  /** One call, with room for one, given up for a reason. @returns how often idle connections were ended */
  async function endedBy(reason: Error, isBehindAnother = false): Promise<number> {
    let times = 0;
    const connections = { dropIdle: (): void => void (times += 1) };
    const client = new DynamoDBClient({ region: "us-east-1" });
    const connection = new DynamoDbConnection(client, "orders", undefined, connections, 1);
    const context = { table: "orders", action: "UpdateItem", doing: "update", writes: true };
    if (isBehindAnother) void connection.attempt(context, undefined, () => new Promise(() => undefined));
    const controller = new AbortController();
    const call = connection.attempt(
      context,
      controller,
      ({ abortSignal }) =>
        new Promise((_, reject) => {
          // As the SDK does.
          const error = Object.assign(new Error("Request aborted"), { name: "AbortError" });
          abortSignal?.addEventListener("abort", () => {
            reject(error);
          });
        }),
    );
    controller.abort(reason);
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).to.have.property("code", "store-timeout");
    return times;
  }

  it("are ended after a call without an answer", async () => {
    expect(await endedBy(noAnswer)).to.equal(1);
  });

  it("stay where the call was never sent for want of room (bug: under load each wait ended them all)", async () => {
    expect(await endedBy(noAnswer, true)).to.equal(0);
  });

  it("stay where the call was called off: that says nothing about them", async () => {
    expect(await endedBy(new LeaseholdError("worker-stopped", "the worker stops"))).to.equal(0);
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

  it("leaves no doubt about a write that waited in it until it was given up (bug: each raised its lease's epoch)", async () => {
    const time = new VirtualTime();
    const gate = new Gate(1);
    const hanging = new Promise<void>(() => undefined);
    void gate.pass("write", undefined, () => hanging);
    let sent = 0;
    const result = await time.runUntilSettled(
      attempts(time.clock(), seededRandom(1), { attemptTimeoutMs: 2_000, withinMs: 5_000 }, ({ signal }) =>
        gate.pass("write", signal, () => {
          sent += 1;
          return hanging;
        }),
      ),
    );
    expect(result).to.include({ ok: false, ambiguous: false });
    expect(result).to.have.property("error").with.property("message").that.includes("too many calls");
    expect(sent).to.equal(0);
    expect(time.pendingTimers).to.equal(0);
  });

  it("leaves the doubt about one that it had let through", async () => {
    const time = new VirtualTime();
    const gate = new Gate(1);
    const options = { attemptTimeoutMs: 2_000, withinMs: 5_000 };
    let leave = (): void => undefined;
    void gate.pass("write", undefined, () => new Promise<void>((resolve) => (leave = resolve)));
    const call = attempts(time.clock(), seededRandom(1), options, ({ signal }) =>
      gate.pass("write", signal, () => new Promise<void>(() => undefined)),
    );
    await time.advance(1_000);
    // The first attempt gets in, and has no answer; the next ones wait behind it.
    leave();
    expect(await time.runUntilSettled(call)).to.include({ ok: false, ambiguous: true });
  });
});
