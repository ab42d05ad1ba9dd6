import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import sinon from "sinon";
import { hasCode, StoreError } from "../../../src/model/errors.js";
import { createDynamoDbStore } from "../../../src/store/dynamodb/index.js";
import { workerKey } from "../../../src/store/dynamodb/fleet-codec.js";
import { leaseItem } from "../../../src/store/lease-item.js";
import { change, checkpoint, lease, newLease } from "../../../src/testing/contract/harness.js";
import { refusal, serviceError, stubbed } from "./stub.js";

const thrownBy = async (call: Promise<unknown>): Promise<unknown> => {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("it did not throw");
};

describe("a conditional write", () => {
  it("takes the row from the refusal where the store returns it", async () => {
    const item = { ...leaseItem(lease("s1", { owner: "w2", writeId: "mine" })) };
    const { store, sent } = stubbed({ UpdateItem: () => refusal(item) });
    const outcome = await store.ownership.change(change("s1"));
    expect(outcome).to.deep.equal({ ok: false, current: lease("s1", { owner: "w2", writeId: "mine" }) });
    expect(sent.map(({ command }) => command)).to.deep.equal(["UpdateItem"]);
    expect(sent[0]?.input["ReturnValuesOnConditionCheckFailure"]).to.equal("ALL_OLD");
  });

  it("reads the row consistently where the store does not return it", async () => {
    const item = leaseItem(lease("s1", { owner: "w2" }));
    const { store, sent } = stubbed({ UpdateItem: () => refusal(), GetItem: () => ({ Item: item }) });
    const outcome = await store.ownership.change(change("s1"));
    expect(outcome).to.deep.equal({ ok: false, current: lease("s1", { owner: "w2" }) });
    expect(sent[1]?.input["ConsistentRead"]).to.equal(true);
  });

  it("has no row to show where none is found", async () => {
    const { store } = stubbed({ UpdateItem: () => refusal() });
    expect(await store.checkpoints.write(checkpoint("s1"))).to.deep.equal({ ok: false, current: undefined });
  });

  it("is in no doubt when only the read after its refusal fails", async () => {
    const { store } = stubbed({
      UpdateItem: () => refusal(),
      GetItem: () => serviceError("InternalServerError", 500),
    });
    const error = await thrownBy(store.ownership.change(change("s1")));
    expect(error).to.be.instanceOf(StoreError).that.includes({ retryable: true, ambiguous: false });
  });

  it("throws for an unreadable row on which it was refused", async () => {
    const { store } = stubbed({
      UpdateItem: () => refusal({ leaseKey: { S: "s1" }, leaseCounter: { N: "5" }, checkpoint: { S: "?" } }),
    });
    expect(hasCode(await thrownBy(store.ownership.change(change("s1"))), "invalid-row")).to.be.true;
  });

  it("is in doubt when the store does not say what it wrote", async () => {
    const { store } = stubbed({});
    const error = await thrownBy(store.ownership.change(change("s1")));
    expect(error).to.be.instanceOf(StoreError).that.includes({ code: "store-rejected", ambiguous: true });
  });

  it("passes the signal on, and sends nothing once it has aborted", async () => {
    const { store, sent } = stubbed({});
    const error = await thrownBy(store.leases.get("s1", { consistent: true, signal: AbortSignal.abort() }));
    expect(error).to.be.instanceOf(StoreError).that.includes({ code: "store-timeout", ambiguous: false });
    expect(sent).to.be.empty;
  });

  it("says why it was given up, whatever the SDK calls that", async () => {
    const waiting = new AbortController();
    const { store } = stubbed({
      GetItem: () => {
        waiting.abort(new Error("no answer within 400 ms"));
        return Object.assign(new Error("Request aborted"), { name: "AbortError" });
      },
    });
    const error = await thrownBy(store.leases.get("s1", { consistent: true, signal: waiting.signal }));
    expect(error).to.include({ code: "store-timeout" });
    expect(error).to.have.property("message").that.includes(": no answer within 400 ms; ");
  });

  it("throws what the store throws at a removal and an archiving", async () => {
    const failure = () => serviceError("InternalServerError", 500);
    const { store } = stubbed({ DeleteItem: failure, PutItem: failure });
    const entry = {
      leaseKey: "s1",
      epoch: 5,
      reason: "taken",
      since: "a",
      until: "b",
      endedBy: "released",
    } as const;
    for (const call of [store.ownership.remove("s1", 5), store.history.archive(entry, 9)]) {
      expect(await thrownBy(call))
        .to.be.instanceOf(StoreError)
        .that.includes({ ambiguous: true });
    }
  });

  it("never puts a lease or worker row", async () => {
    const { store, sent } = stubbed({ UpdateItem: () => refusal() });
    await store.ownership.create(newLease("s1"), 1, { epoch: 1, reason: "created", since: "a" }, "write-1");
    await store.ownership.change(change("s1"));
    await store.membership.fenceExited("w1", "parent");
    await store.membership.createTombstone("w1");
    expect(new Set(sent.map(({ command }) => command))).to.deep.equal(new Set(["UpdateItem", "GetItem"]));
  });
});

describe("a read by keys", () => {
  const row = (id: string): object => ({ ...workerKey(id), beat: { N: "1" } });
  const keysIn = (input: Readonly<Record<string, unknown>>): readonly Record<string, { S: string }>[] =>
    (input as { RequestItems: Record<string, { Keys: Record<string, { S: string }>[] }> }).RequestItems[
      "orders-fleet"
    ]!.Keys;

  it("asks again for the keys that the store left unread: a row that was not read is not gone", async () => {
    const { store, sent } = stubbed({
      BatchGetItem: (input, nth) =>
        nth === 1
          ? {
              Responses: { "orders-fleet": [row("w1")] },
              UnprocessedKeys: { "orders-fleet": { Keys: keysIn(input).slice(2) } },
            }
          : { Responses: { "orders-fleet": [row("w2"), row("w3")] } },
    });
    const { workers } = await store.membership.readPart(["w1", "w2", "w3"]);
    expect(workers.map(({ workerId }) => workerId)).to.deep.equal(["w1", "w2", "w3"]);
    expect(sent.map(({ input }) => keysIn(input).map((key) => key["sk"]?.S))).to.deep.equal([
      ["planner", "worker#w1", "worker#w2", "worker#w3"],
      ["worker#w2", "worker#w3"],
    ]);
  });

  it("is throttled when the store reads none of them", async () => {
    const { store, sent } = stubbed({
      BatchGetItem: (input) => ({ UnprocessedKeys: { "orders-fleet": { Keys: keysIn(input) } } }),
    });
    const error = await thrownBy(store.membership.readPart(["w1"]));
    expect(hasCode(error, "store-throttled")).to.be.true;
    expect(error).to.include({ retryable: true });
    expect(sent).to.have.length(1);
  });

  it("asks for a hundred keys a call at most, eventually consistent", async () => {
    const { store, sent } = stubbed({ BatchGetItem: () => ({ Responses: {} }) });
    await store.membership.readPart(Array.from({ length: 230 }, (_, i) => `w${String(i)}`));
    expect(sent.map(({ input }) => keysIn(input).length)).to.deep.equal([100, 100, 31]);
    expect(JSON.stringify(sent)).to.include('"ConsistentRead":false');
    expect(JSON.stringify(sent)).not.to.include('"ConsistentRead":true');
  });
});

describe("the store's own client", () => {
  it("gives the factory its defaults: one attempt, and a pool of its own", () => {
    let given: DynamoDBClientConfig | undefined;
    const store = createDynamoDbStore({
      application: "orders",
      client: (defaults) => {
        given = defaults;
        return new DynamoDBClient({ ...defaults, region: "us-east-1" });
      },
    });
    store.close();
    expect(given?.maxAttempts).to.equal(1);
    expect(given?.requestHandler).to.be.an("object");
  });

  it("makes a client itself when no factory is given", () => {
    expect(() => createDynamoDbStore({ application: "orders" }).close()).to.not.throw();
  });

  it("destroys its client at the end", () => {
    const client = new DynamoDBClient({ region: "us-east-1" });
    const destroy = sinon.spy(client, "destroy");
    createDynamoDbStore({ application: "orders", client: () => client }).close();
    expect(destroy.calledOnce).to.be.true;
  });
});
