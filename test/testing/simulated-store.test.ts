import { expect } from "chai";
import { StoreError } from "../../src/model/errors.js";
import { trimHorizon } from "../../src/model/position.js";
import type { NetworkFault } from "../../src/testing/faults.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import type { Conditions, Link } from "../../src/testing/simulated-network.js";
import { SimulatedStore, type StoreTraffic } from "../../src/testing/simulated-store.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import type { Store } from "../../src/store/store.js";
import { identity, quiet } from "./rows.js";

interface Setting {
  readonly time: VirtualTime;
  readonly simulated: SimulatedStore;
  readonly link: Link;
  readonly store: Store;
  readonly traffic: StoreTraffic[];
}

function setting(conditions: Partial<Conditions> = {}): Setting {
  const time = new VirtualTime();
  const traffic: StoreTraffic[] = [];
  const simulated = new SimulatedStore(time, { conditions, onTraffic: (call) => traffic.push(call) });
  const link = { worker: 0, clock: time.clock(), random: seededRandom(1) };
  return { time, simulated, link, store: simulated.connect(link), traffic };
}

/** Makes worker `w1`, at beat 0, and returns a function that beats once. */
async function withWorker({
  time,
  store,
}: Setting): Promise<(beat: number, signal?: AbortSignal) => Promise<boolean>> {
  await time.runUntilSettled(store.membership.create(identity("w1"), quiet));
  return (beat, signal) =>
    store.membership
      .beat({ workerId: "w1", beat, status: quiet, removeMail: [] }, signal === undefined ? {} : { signal })
      .then((outcome) => outcome.ok);
}

const rowBeat = ({ simulated }: Setting): number | undefined => simulated.rows.view().worker("w1")?.beat;

async function failure(promise: Promise<unknown>): Promise<StoreError> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).to.be.instanceOf(StoreError);
  return thrown as StoreError;
}

const lasting = { atMs: 0, forMs: 0 };
const lossy = (shares: Partial<Extract<NetworkFault, { kind: "store-lossy" }>>): NetworkFault => ({
  kind: "store-lossy",
  ...lasting,
  lostRequests: 0,
  lostAnswers: 0,
  duplicates: 0,
  delayed: 0,
  ...shares,
});

describe("the simulated store", () => {
  it("applies a call at its arrival and answers after the way back", async () => {
    const s = setting({ latencyMs: [10, 10] });
    const beat = await withWorker(s);
    const answer = beat(0);
    await s.time.advance(9);
    expect(rowBeat(s)).to.equal(0);
    await s.time.advance(1);
    expect(rowBeat(s)).to.equal(1);
    expect(await s.time.runUntilSettled(answer)).to.equal(true);
    expect(s.time.nowMs).to.equal(40);
    expect(s.traffic.map((call) => call.operation)).to.deep.equal(["membership.create", "membership.beat"]);
  });

  it("draws latencies from the seed: two runs take the same time", async () => {
    const durations = [];
    for (let run = 0; run < 2; run++) {
      const s = setting({ latencyMs: [1, 100] });
      const beat = await withWorker(s);
      for (let k = 0; k < 10; k++) await s.time.runUntilSettled(beat(k));
      durations.push(s.time.nowMs);
    }
    expect(durations[0]).to.equal(durations[1]);
  });

  it("loses a request: nothing is applied, and the caller waits until it gives up, in doubt", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.network.begin(lossy({ lostRequests: 1 }));
    const controller = new AbortController();
    const lost = failure(beat(0, controller.signal));
    await s.time.advance(10_000);
    controller.abort();
    expect(await lost).to.include({ code: "store-timeout", ambiguous: true, retryable: true });
    await s.time.advance(100_000);
    expect(rowBeat(s)).to.equal(0);
  });

  it("loses an answer: the write is applied, and the caller is in doubt", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.network.begin(lossy({ lostAnswers: 1 }));
    const controller = new AbortController();
    const lost = failure(beat(0, controller.signal));
    await s.time.advance(10_000);
    controller.abort();
    expect(await lost).to.include({ code: "store-timeout", ambiguous: true });
    expect(rowBeat(s)).to.equal(1);
  });

  it("gives up a call without a signal when the connection shows to be broken", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.network.begin(lossy({ lostRequests: 1 }));
    expect(await s.time.runUntilSettled(failure(beat(0)))).to.include({
      code: "store-unavailable",
      ambiguous: true,
    });
    expect(s.time.pendingTimers).to.equal(0);
  });

  it("applies a delayed request long after its caller gave up", async () => {
    const s = setting({ delayMs: [5_000, 5_000] });
    const beat = await withWorker(s);
    s.simulated.network.begin(lossy({ delayed: 1 }));
    const controller = new AbortController();
    const late = failure(beat(0, controller.signal));
    await s.time.advance(2_000);
    controller.abort();
    await late;
    expect([rowBeat(s), s.simulated.network.underWay]).to.deep.equal([0, 1]);
    await s.time.advance(4_000);
    expect([rowBeat(s), s.simulated.network.underWay]).to.deep.equal([1, 0]);
  });

  it("applies a doubled request twice: the second finds the row changed", async () => {
    const s = setting({ delayMs: [3_000, 3_000] });
    const beat = await withWorker(s);
    s.simulated.network.begin(lossy({ duplicates: 1 }));
    expect(await s.time.runUntilSettled(beat(0))).to.equal(true);
    expect(rowBeat(s)).to.equal(1);
    await s.time.advance(4_000);
    expect(rowBeat(s)).to.equal(1);
    expect(s.traffic.filter((call) => call.operation === "membership.beat")).to.have.length(2);
  });

  it("adds twice where the operation adds", async () => {
    const s = setting({ delayMs: [3_000, 3_000] });
    s.simulated.network.begin(lossy({ duplicates: 1 }));
    await s.time.runUntilSettled(s.store.plannerDesk.countDeath());
    await s.time.advance(4_000);
    expect(s.simulated.rows.view().planner?.deaths).to.equal(2);
  });

  it("throttles without doubt and without effect", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.network.begin({ kind: "store-throttled", ...lasting, share: 1 });
    const error = await s.time.runUntilSettled(failure(beat(0)));
    expect(error).to.include({ code: "store-throttled", ambiguous: false, retryable: true });
    expect(rowBeat(s)).to.equal(0);
  });

  it("takes longer while it is slow", async () => {
    const s = setting({ latencyMs: [2, 2] });
    const beat = await withWorker(s);
    const end = s.simulated.network.begin({ kind: "store-slow", ...lasting, factor: 100 });
    await s.time.runUntilSettled(beat(0));
    expect(s.time.nowMs).to.equal(4 + 400);
    end();
    await s.time.runUntilSettled(beat(1));
    expect(s.time.nowMs).to.equal(4 + 400 + 4);
  });

  for (const of of ["reads", "writes", "all"] as const) {
    it(`has an outage of ${of}, with refusals at once, and recovers`, async () => {
      const s = setting();
      const beat = await withWorker(s);
      const end = s.simulated.network.begin({ kind: "store-outage", ...lasting, of, how: "refusing" });
      const read = (): Promise<unknown> => s.store.membership.readFleet({ consistent: true });
      const outcome = (promise: Promise<unknown>): Promise<string> =>
        promise.then(
          () => "done",
          (error: unknown) => (error as StoreError).code,
        );
      const down = "store-unavailable";
      expect(await s.time.runUntilSettled(outcome(read()))).to.equal(of === "writes" ? "done" : down);
      expect(await s.time.runUntilSettled(outcome(beat(0)))).to.equal(of === "reads" ? "done" : down);
      expect(rowBeat(s)).to.equal(of === "reads" ? 1 : 0);
      end();
      expect(await s.time.runUntilSettled(outcome(read()))).to.equal("done");
    });
  }

  it("is silent in a silent outage, also to what was under way when it began", async () => {
    const s = setting({ latencyMs: [50, 50] });
    const beat = await withWorker(s);
    const controller = new AbortController();
    const lost = failure(beat(0, controller.signal));
    await s.time.advance(20);
    s.simulated.network.begin({ kind: "store-outage", ...lasting, of: "all", how: "silent" });
    await s.time.advance(5_000);
    controller.abort();
    expect(await lost).to.include({ code: "store-timeout", ambiguous: true });
    expect(rowBeat(s)).to.equal(0);
  });

  it("hits only the worker that a fault names", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.network.begin({ kind: "store-outage", ...lasting, of: "all", how: "refusing", worker: 1 });
    expect(await s.time.runUntilSettled(beat(0))).to.equal(true);
    const other = s.simulated.connect({ ...s.link, worker: 1 });
    await s.time.runUntilSettled(failure(other.membership.readFleet({ consistent: true })));
  });

  it("shows old rows to reads that need not be consistent, and never to those that must be", async () => {
    const s = setting({ latencyMs: [1, 1] });
    const beat = await withWorker(s);
    for (let k = 0; k < 10; k++) {
      await s.time.runUntilSettled(beat(k));
      await s.time.advance(1_000);
    }
    s.simulated.network.begin({ kind: "stale-reads", ...lasting, upToMs: 5_000 });
    const beats = new Set<number | undefined>();
    for (let i = 0; i < 40; i++) {
      const row = await s.time.runUntilSettled(s.store.membership.readWorker("w1", { consistent: false }));
      beats.add(row?.beat);
      const sure = await s.time.runUntilSettled(s.store.membership.readWorker("w1", { consistent: true }));
      expect(sure?.beat).to.equal(10);
    }
    expect(beats.size).to.be.greaterThan(3);
    for (const seen of beats) expect(seen).to.be.within(4, 10);
  });

  it("ends the run where a read is asked to be older than the rows that are kept", async () => {
    const time = new VirtualTime();
    const simulated = new SimulatedStore(time, { conditions: { staleMs: 500 }, oldestReadMs: 400 });
    const { membership } = simulated.connect({ ...setting().link, clock: time.clock() });
    for (let i = 0; i < 40; i++) membership.readFleet({ consistent: false }).catch(() => undefined);
    let thrown: unknown;
    await time.advance(1_000).catch((error: unknown) => (thrown = error));
    expect(thrown)
      .to.be.instanceOf(RangeError)
      .with.property("message")
      .that.matches(/oldestReadMs is 400/);
  });

  it("scans a large table in two pages, each as of its own moment", async () => {
    const s = setting({ latencyMs: [10, 10] });
    const put = (i: number, epoch: number): void => {
      const leaseKey = `lease-${i}`;
      const none = {
        ownerSwitchesSinceCheckpoint: 0,
        ownersWornOut: 0,
        parents: [],
        children: [],
        marked: false,
      };
      s.simulated.rows.setLease({ leaseKey, epoch, checkpoint: trimHorizon, ...none });
    };
    for (let i = 0; i < 10; i++) put(i, 1);
    const scan = s.store.leases.scan({ consistent: true });
    await s.time.advance(20);
    for (let i = 0; i < 10; i++) put(i, 2);
    const { leases } = await s.time.runUntilSettled(scan);
    expect(leases.map(({ epoch }) => epoch)).to.deep.equal([1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
    expect(leases.map(({ leaseKey }) => leaseKey)).to.deep.equal(
      Array.from({ length: 10 }, (_, i) => `lease-${i}`),
    );
    expect(s.traffic).to.have.length(2);
  });

  it("lets what a killed worker sent land, and tells it nothing", async () => {
    const s = setting({ latencyMs: [10, 10] });
    const beat = await withWorker(s);
    let told = false;
    void beat(0).then(() => (told = true));
    await s.time.advance(5);
    s.link.clock.kill();
    await s.time.advance(1_000);
    expect([rowBeat(s), told]).to.deep.equal([1, false]);
  });

  it("keeps a stopped worker's answer until its thaw", async () => {
    const s = setting({ latencyMs: [10, 10] });
    const beat = await withWorker(s);
    let told = false;
    void beat(0).then(() => (told = true));
    await s.time.advance(5);
    s.link.clock.freeze();
    await s.time.advance(1_000);
    expect([rowBeat(s), told]).to.deep.equal([1, false]);
    s.link.clock.thaw();
    await s.time.advance(0);
    expect(told).to.equal(true);
  });

  it("says that the tables are gone after their deletion", async () => {
    const s = setting();
    const beat = await withWorker(s);
    s.simulated.rows.drop();
    expect(await s.time.runUntilSettled(failure(beat(0)))).to.include({
      code: "table-missing",
      retryable: false,
    });
  });

  it("does not send what was called off before", async () => {
    const s = setting();
    const beat = await withWorker(s);
    expect(await failure(beat(0, AbortSignal.abort()))).to.include({
      code: "store-timeout",
      ambiguous: false,
    });
    await s.time.advance(1_000);
    expect(rowBeat(s)).to.equal(0);
  });

  it("passes every port on", async () => {
    const s = setting();
    const { store } = s;
    const calls: readonly [string, () => Promise<unknown>][] = [
      ["tables.prepare", () => store.tables.prepare()],
      ["tables.verify", () => store.tables.verify()],
      ["tables.meta", () => store.tables.meta()],
      ["leases.scan", () => store.leases.scan({ consistent: true })],
      ["leases.get", () => store.leases.get("a", { consistent: true })],
      ["leases.keysOf", () => store.leases.keysOf("w1")],
      ["ownership.remove", () => store.ownership.remove("a", 1)],
      ["membership.readFleet", () => store.membership.readFleet({ consistent: true })],
      ["membership.readWorker", () => store.membership.readWorker("w1", { consistent: true })],
      ["membership.join", () => store.membership.join("worker", 1)],
      ["membership.create", () => store.membership.create(identity("w1"), quiet)],
      ["membership.post", () => store.membership.post("w1", new Map())],
      ["membership.fence", () => store.membership.fence("w1", "w2", 0)],
      ["membership.leave", () => store.membership.leave("w1")],
      ["membership.fenceExited", () => store.membership.fenceExited("w1", "parent")],
      ["membership.remove", () => store.membership.remove("w1")],
      ["membership.createTombstone", () => store.membership.createTombstone("w1")],
      ["plannerDesk.claim", () => store.plannerDesk.claim("w1", undefined)],
      ["plannerDesk.countDeath", () => store.plannerDesk.countDeath()],
      ["history.list", () => store.history.list("a")],
      ["history.highestEpoch", () => store.history.highestEpoch("a")],
      ["history.setAside", () => store.history.setAside("a", 5, 9)],
    ];
    for (const [, call] of calls) await s.time.runUntilSettled(call());
    expect(s.traffic.map((call) => call.operation)).to.deep.equal(calls.map(([name]) => name));
    store.close();
    expect(s.time.pendingTimers).to.equal(0);
  });
});
