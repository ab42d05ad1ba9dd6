import { expect } from "chai";
import { StoreError } from "../../src/model/errors.js";
import {
  answerOf,
  attempts,
  remedies,
  type Attempt,
  type AttemptOptions,
} from "../../src/runtime/attempts.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";

const throttled = (): StoreError =>
  new StoreError("store-throttled", "slow down", { retryable: true, ambiguous: false });
const down = (): StoreError =>
  new StoreError("store-unavailable", "connection lost", { retryable: true, ambiguous: true });
const denied = (): StoreError =>
  new StoreError("store-denied", "not allowed", { retryable: false, ambiguous: false });

const options: AttemptOptions = { attemptTimeoutMs: 2_000, withinMs: 10_000 };

describe("attempts", () => {
  let time: VirtualTime;
  let clock: ReturnType<VirtualTime["clock"]>;
  let tries: (Attempt & { readonly atMs: number })[];

  beforeEach(() => {
    time = new VirtualTime();
    clock = time.clock();
    tries = [];
  });

  afterEach(() => {
    expect(time.pendingTimers, "leaked timers").to.equal(0);
  });

  /** Makes the call; each try ends as the next of `ends` says, the last one for all that follow. */
  function run(ends: readonly (string | StoreError)[], more: Partial<AttemptOptions> = {}) {
    return attempts(clock, seededRandom(1), { ...options, ...more }, (attempt) => {
      tries.push({ ...attempt, atMs: time.nowMs });
      const end = ends[Math.min(tries.length, ends.length) - 1];
      if (end instanceof StoreError) return Promise.reject(end);
      return end === "hang" ? new Promise<string>(() => {}) : Promise.resolve(end ?? "");
    });
  }

  it("counts an answer from the send time of the first attempt, however many there were", async () => {
    const sent = clock.now();
    const result = await time.runUntilSettled(run(["hang", throttled(), "done"]));
    expect(result).to.deep.equal({ ok: true, value: "done", firstSentAt: sent, ambiguous: true });
    expect(tries.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
    for (const { firstSentAt } of tries) expect(firstSentAt).to.deep.equal(sent);
    expect(tries[2]!.atMs).to.be.above(2_000);
  });

  it("remembers that an earlier attempt may have been applied, and tells the next ones", async () => {
    await time.runUntilSettled(run([throttled(), down(), throttled(), "done"]));
    expect(tries.map(({ ambiguous }) => ambiguous)).to.deep.equal([false, false, true, true]);
  });

  it("is in no doubt when every failure was certain", async () => {
    const result = await time.runUntilSettled(run([throttled(), throttled(), "done"]));
    expect(result).to.include({ ok: true, ambiguous: false });
  });

  it("keeps the doubt of the first attempt over the certain failure of the last", async () => {
    const result = await time.runUntilSettled(run([down(), denied()]));
    expect(result).to.include({ ok: false, ambiguous: true });
    expect(result).to.have.property("error").with.property("code", "store-denied");
  });

  it("ends at the first error that a repeat cannot mend", async () => {
    const result = await time.runUntilSettled(run([denied(), "done"]));
    expect(result).to.include({ ok: false, ambiguous: false });
    expect(tries).to.have.length(1);
  });

  it("gives up an attempt after its time even if the call ignores its signal", async () => {
    const call = run(["hang", "done"]);
    await time.advance(1_999);
    expect(tries[0]!.signal.aborted).to.equal(false);
    await time.advance(1);
    expect(tries[0]!.signal.aborted).to.equal(true);
    expect(await time.runUntilSettled(call)).to.include({ ok: true, ambiguous: true });
    expect(tries[1]!.signal.aborted).to.equal(false);
  });

  it("says of an attempt without an answer what was called and what to do, where users see its error", async () => {
    const unanswered = { call: "join the fleet", remedy: remedies.worker };
    const result = await time.runUntilSettled(run(["hang"], { unanswered, withinMs: 0 }));
    expect(result)
      .to.have.nested.property("error.message")
      .that.equals(`join the fleet: no answer within 2000 ms; ${remedies.worker}`);
    const unnamed = await time.runUntilSettled(run(["hang"], { withinMs: 0 }));
    expect(unnamed).to.have.nested.property("error.message", "no answer within 2000 ms");
  });

  it("throws the last error for whoever can do nothing without an answer", async () => {
    const within = { ...options, withinMs: 0 };
    const asked = (end: Promise<string>): Promise<unknown> =>
      answerOf(clock, seededRandom(1), within, () => end).catch((error: unknown) => error);
    expect(await asked(Promise.resolve("done"))).to.equal("done");
    expect(await asked(Promise.reject(down()))).to.have.property("code", "store-unavailable");
  });

  it("takes no answer of an attempt that it gave up", async () => {
    let late: (value: string) => void = () => {};
    const call = attempts(clock, seededRandom(1), options, ({ number }) =>
      number === 1
        ? new Promise<string>((resolve) => {
            late = resolve;
          })
        : Promise.resolve("second"),
    );
    await time.advance(2_000);
    late("first");
    expect(await time.runUntilSettled(call)).to.include({ value: "second" });
  });

  it("begins no attempt when its time is over, and tells the last error", async () => {
    const result = await time.runUntilSettled(run(["hang"]));
    expect(result).to.include({ ok: false, ambiguous: true });
    expect(result).to.have.property("error").with.property("code", "store-timeout");
    expect(tries.at(-1)!.atMs).to.be.below(10_000);
    expect(tries.at(-1)!.atMs).to.be.above(6_000);
  });

  it("backs off longer each time, up to a second, and never in step", async () => {
    await time.runUntilSettled(run([throttled()], { withinMs: 20_000 }));
    const waits = tries.slice(1).map(({ atMs }, i) => atMs - tries[i]!.atMs);
    for (const [i, wait] of waits.entries()) {
      const most = Math.min(1_000, 50 * 2 ** i);
      expect(wait).to.be.within(most / 2, most + 1);
    }
    expect(new Set(waits.slice(6).map(Math.round)).size).to.be.above(3);
  });

  it("asks before every attempt whether it may still be made", async () => {
    let allowed = 2;
    const result = await time.runUntilSettled(run([down()], { mayTry: () => allowed-- > 0 }));
    expect(tries).to.have.length(2);
    expect(result).to.include({ ok: false, ambiguous: true });
  });

  it("sends nothing at all when it may not from the start, and is in no doubt", async () => {
    const result = await time.runUntilSettled(run(["done"], { mayTry: () => false }));
    expect(result).to.include({ ok: false, ambiguous: false });
    expect(tries).to.have.length(0);
  });

  it("sends nothing when called off before", async () => {
    const result = await run(["done"], { signal: AbortSignal.abort() });
    expect(result).to.include({ ok: false, ambiguous: false });
    expect(tries).to.have.length(0);
  });

  it("ends at once when called off during an attempt, in doubt", async () => {
    const controller = new AbortController();
    const call = run(["hang"], { signal: controller.signal });
    await time.advance(500);
    controller.abort();
    expect(await time.runUntilSettled(call)).to.include({ ok: false, ambiguous: true });
    expect(time.nowMs).to.equal(500);
    expect(tries[0]!.signal.aborted).to.equal(true);
  });

  it("ends at once when called off between attempts", async () => {
    const controller = new AbortController();
    const call = run([throttled()], { signal: controller.signal });
    await time.advance(1);
    controller.abort();
    expect(await time.runUntilSettled(call)).to.include({ ok: false, ambiguous: false });
    expect(tries).to.have.length(1);
  });

  it("lets go of a signal that outlives it", async () => {
    const controller = new AbortController();
    let listeners = 0;
    const signal = new Proxy(controller.signal, {
      get(target, name) {
        if (name === "addEventListener") listeners += 1;
        if (name === "removeEventListener") listeners -= 1;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    await time.runUntilSettled(run([throttled(), "done"], { signal }));
    expect(listeners).to.equal(0);
  });

  it("tells of every failed attempt", async () => {
    const errors: unknown[] = [];
    await time.runUntilSettled(
      run([throttled(), down(), "done"], { onError: (error) => errors.push(error) }),
    );
    expect(errors.map((error) => (error as StoreError).code)).to.deep.equal([
      "store-throttled",
      "store-unavailable",
    ]);
  });

  it("throws on what is no error of a store", async () => {
    const thrown = await time
      .runUntilSettled(
        attempts(clock, seededRandom(1), options, () => Promise.reject(new TypeError("a bug"))),
      )
      .catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(TypeError);
  });

  it("leaves no timer behind a call that throws before it returns a promise", async () => {
    const thrown = await attempts(clock, seededRandom(1), options, () => {
      throw new RangeError("at once");
    }).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(RangeError);
    expect(time.pendingTimers).to.equal(0);
  });

  it("gets an end even when the wall clock goes back and back again", async () => {
    const call = run([throttled()], { onError: () => clock.jumpWall(-100_000) });
    expect(await time.runUntilSettled(call)).to.include({ ok: false });
    expect(tries.length).to.be.at.most(1_000);
  });
});
