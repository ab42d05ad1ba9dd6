import { expect } from "chai";
import { sleep } from "../../src/runtime/clock.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

for (const hostTurns of [true, false]) {
  describe(`virtual time, ${hostTurns ? "with" : "without"} a turn of the host's after each timer`, () => {
    it("stands still until told to go on", async () => {
      const time = new VirtualTime({ hostTurns });
      let fired = false;
      time.clock().setTimer(1, () => (fired = true));
      await time.settle();
      expect(fired).to.equal(false);
      await time.advance(1);
      expect(fired).to.equal(true);
      expect(time.nowMs).to.equal(1);
    });

    it("fires timers in the order of their times, and of their setting where times are equal", async () => {
      const time = new VirtualTime({ hostTurns });
      const clock = time.clock();
      const order: string[] = [];
      for (const [name, ms] of [
        ["c", 30],
        ["a", 10],
        ["b1", 20],
        ["b2", 20],
      ] as const) {
        clock.setTimer(ms, () => order.push(`${name}@${time.nowMs}`));
      }
      await time.advance(100);
      expect(order).to.deep.equal(["a@10", "b1@20", "b2@20", "c@30"]);
      expect(time.firedTimers).to.equal(4);
    });

    it("keeps its order with thousands of timers set and cancelled in disorder", async () => {
      const time = new VirtualTime({ hostTurns });
      const fired: number[] = [];
      for (let i = 0; i < 5_000; i++) {
        const ms = (i * 7_919) % 5_003;
        const cancel = time.schedule(ms, () => fired.push(ms));
        if (i % 3 === 0) cancel();
      }
      await time.advance(5_003);
      expect(fired).to.have.length(5_000 - 1_667);
      expect(fired).to.deep.equal([...fired].sort((a, b) => a - b));
      expect(time.pendingTimers).to.equal(0);
    });

    it("lets every promise continuation settle between two timers of one instant", async () => {
      const time = new VirtualTime({ hostTurns });
      const log: string[] = [];
      const chain = async (name: string): Promise<void> => {
        for (let i = 0; i < 100; i++) await Promise.resolve();
        await new Promise<void>((resolve) => queueMicrotask(resolve));
        log.push(`${name} done`);
      };
      time.schedule(5, () => void chain("first"));
      time.schedule(5, () => log.push("second"));
      await time.advance(5);
      expect(log).to.deep.equal(["first done", "second"]);
    });

    it("fires a timer set by a timer within the same run, and none that is due later", async () => {
      const time = new VirtualTime({ hostTurns });
      const clock = time.clock();
      const log: number[] = [];
      clock.setTimer(10, () => clock.setTimer(10, () => log.push(time.nowMs)));
      clock.setTimer(10, () => clock.setTimer(11, () => log.push(time.nowMs)));
      await time.runUntil(20);
      expect(log).to.deep.equal([20]);
    });

    it("calls afterEach after each event and what followed from it, and stops on what it throws", async () => {
      const time = new VirtualTime({ hostTurns });
      let value = 0;
      const seen: number[] = [];
      for (const ms of [1, 2, 3]) time.schedule(ms, () => void Promise.resolve().then(() => value++));
      const run = time.advance(10, () => {
        seen.push(value);
        if (value === 2) throw new Error("enough");
      });
      const error: unknown = await run.catch((thrown: unknown) => thrown);
      expect(error).to.have.property("message", "enough");
      expect(seen).to.deep.equal([1, 2]);
      expect(time.nowMs).to.equal(2);
    });

    it("passes on what a timer throws", async () => {
      const time = new VirtualTime({ hostTurns });
      time.schedule(1, () => {
        throw new Error("broken timer");
      });
      const error: unknown = await time.advance(2).catch((thrown: unknown) => thrown);
      expect(error).to.have.property("message", "broken timer");
    });

    it("runs until a promise settles, and says so when it does not", async () => {
      const time = new VirtualTime({ hostTurns });
      const clock = time.clock();
      const value = await time.runUntilSettled(sleep(clock, 250).then(() => 7));
      expect(value).to.equal(7);
      expect(time.nowMs).to.equal(250);
      const failed = sleep(clock, 1).then(() => Promise.reject(new Error("no")));
      expect(await time.runUntilSettled(failed).catch((e: unknown) => e)).to.have.property("message", "no");
      const never = time.runUntilSettled(sleep(clock, 500), 100);
      expect(await never.catch((e: unknown) => e))
        .to.have.property("message")
        .that.matches(/did not settle within 100 ms/);
    });

    it("refuses to run twice at once, and a duration that is no number", async () => {
      const time = new VirtualTime({ hostTurns });
      const first = time.advance(1);
      expect(await time.advance(1).catch((e: unknown) => e))
        .to.have.property("message")
        .that.matches(/already running/);
      await first;
      expect(() => time.schedule(NaN, () => {})).to.throw(RangeError);
      expect(() => time.clock().setTimer(NaN, () => {})).to.throw(RangeError);
      expect(() => time.clock({ rate: 0 })).to.throw(RangeError);
    });

    it("counts the timers that are neither fired nor cancelled, over all clocks", async () => {
      const time = new VirtualTime({ hostTurns });
      const a = time.clock();
      const b = time.clock();
      const cancel = a.setTimer(10, () => {});
      b.setTimer(20, () => {});
      time.schedule(30, () => {});
      expect([time.pendingTimers, a.pendingTimers, b.pendingTimers]).to.deep.equal([3, 1, 1]);
      cancel();
      cancel();
      expect([time.pendingTimers, a.pendingTimers]).to.deep.equal([2, 0]);
      b.freeze();
      await time.advance(100);
      expect(
        [time.pendingTimers, b.pendingTimers],
        "a frozen worker's overdue timer still counts",
      ).to.deep.equal([1, 1]);
      b.kill();
      expect([time.pendingTimers, b.pendingTimers]).to.deep.equal([0, 0]);
    });
  });
}

describe("virtual time without turns of the host's", () => {
  it("gives the host one now and then all the same, so that what it has to do is not starved", async () => {
    const time = new VirtualTime({ hostTurns: false });
    let turns = 0;
    let fired = 0;
    const tick = (): void => {
      if (++fired < 5_000) time.schedule(1, tick);
    };
    time.schedule(1, tick);
    const turn = (): void => {
      turns++;
      if (fired < 5_000) setImmediate(turn);
    };
    setImmediate(turn);
    await time.advance(10_000);
    expect(fired).to.equal(5_000);
    expect(turns).to.be.within(5, 100);
  });
});
