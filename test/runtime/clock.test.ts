import { expect } from "chai";
import { sleep, waitAtMost, wallTime } from "../../src/runtime/clock.js";
import { VirtualTime } from "../../src/testing/index.js";

describe("waiting on a clock", () => {
  let time: VirtualTime;
  let clock: ReturnType<VirtualTime["clock"]>;

  beforeEach(() => {
    time = new VirtualTime();
    clock = time.clock();
  });

  afterEach(() => {
    expect(time.pendingTimers, "leaked timers").to.equal(0);
  });

  it("sleeps as long as asked", async () => {
    await time.runUntilSettled(sleep(clock, 700));
    expect(time.nowMs).to.equal(700);
  });

  it("wakes as soon as the signal aborts, without an error", async () => {
    const controller = new AbortController();
    const slept = sleep(clock, 60_000, controller.signal);
    await time.advance(5);
    controller.abort();
    await time.runUntilSettled(slept);
    expect(time.nowMs).to.equal(5);
  });

  it("does not fall asleep under an aborted signal", async () => {
    await sleep(clock, 60_000, AbortSignal.abort());
  });

  it("waits for a promise no longer than it takes", async () => {
    await time.runUntilSettled(waitAtMost(clock, sleep(clock, 100), 1_000));
    expect(time.nowMs).to.equal(100);
  });

  it("waits for a promise no longer than allowed", async () => {
    await time.runUntilSettled(waitAtMost(clock, new Promise(() => {}), 1_000));
    expect(time.nowMs).to.equal(1_000);
  });

  it("takes a rejection for an end of the wait", async () => {
    await time.runUntilSettled(waitAtMost(clock, Promise.reject(new Error("no")), 1_000));
    expect(time.nowMs).to.equal(0);
  });

  it("writes the wall time as ISO 8601", () => {
    expect(wallTime(clock)).to.equal("2026-01-01T00:00:00.000Z");
  });
});
