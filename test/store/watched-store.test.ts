import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { LeaseholdError, StoreError } from "../../src/model/errors.js";
import { createMemoryStore } from "../../src/store/memory/index.js";
import type { Store } from "../../src/store/store.js";
import { watchedStore } from "../../src/store/watched-store.js";

const throttle = new StoreError("store-throttled", "slow down", {
  retryable: true,
  ambiguous: false,
  call: "dynamodb:Query on table/orders-fleet",
});

describe("a watched store", () => {
  function watched(fail: () => Error | undefined): {
    readonly store: Store;
    readonly events: LeaseholdEvent[];
  } {
    const events: LeaseholdEvent[] = [];
    const memory = createMemoryStore({ application: "orders" });
    const readFleet: Store["membership"]["readFleet"] = (call) => {
      const error = fail();
      return error === undefined ? memory.membership.readFleet(call) : Promise.reject(error);
    };
    const membership = Object.assign(Object.create(memory.membership) as Store["membership"], { readFleet });
    return {
      store: watchedStore(
        { ...memory, membership },
        () => "me",
        (event) => events.push(event),
      ),
      events,
    };
  }

  it("tells of each failed call, and of the first answer after it", async () => {
    const failures: (Error | undefined)[] = [throttle, throttle, undefined, undefined];
    const { store, events } = watched(() => failures.shift());
    await store.tables.prepare();
    for (let i = 0; i < 4; i++) {
      await store.membership.readFleet({ consistent: true }).catch((error: unknown) => {
        expect(error).to.equal(throttle);
      });
    }
    const failed = {
      type: "store-call-failed",
      workerId: "me",
      operation: "membership.readFleet",
      code: "store-throttled",
      error: "slow down",
      retryable: true,
      call: "dynamodb:Query on table/orders-fleet",
    };
    expect(events).to.deep.equal([
      failed,
      failed,
      { type: "store-call-answered", workerId: "me", operation: "membership.readFleet" },
    ]);
  });

  it("says nothing of a call that its caller called off", async () => {
    const { store, events } = watched(() => throttle);
    const wanted = new AbortController();
    wanted.abort(new LeaseholdError("worker-stopped", "the call was called off"));
    await store.membership.readFleet({ consistent: true, signal: wanted.signal }).catch(() => undefined);
    expect(events).to.deep.equal([]);
    const late = new AbortController();
    late.abort(new StoreError("store-timeout", "no answer", { retryable: true, ambiguous: true }));
    await store.membership.readFleet({ consistent: true, signal: late.signal }).catch(() => undefined);
    expect(events).to.have.length(1);
  });
});
