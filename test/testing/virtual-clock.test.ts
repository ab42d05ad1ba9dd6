import { expect } from "chai";
import { holderElapsedMs, observerElapsedMs, type Reading } from "../../src/model/reading.js";
import { sleep } from "../../src/runtime/clock.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

function between(from: Reading, to: Reading): readonly [number, number, number] {
  return [to.monoMs - from.monoMs, to.bootMs - from.bootMs, to.wallMs - from.wallMs];
}

describe("virtual clock", () => {
  it("reads the same on two clocks of one rate, and differently by their rates", async () => {
    const time = new VirtualTime();
    const fast = time.clock({ rate: 1.25 });
    const slow = time.clock({ rate: 0.75 });
    const [fastFrom, slowFrom] = [fast.now(), slow.now()];
    await time.advance(1_000);
    expect(between(fastFrom, fast.now())).to.deep.equal([1_250, 1_250, 1_250]);
    expect(between(slowFrom, slow.now())).to.deep.equal([750, 750, 750]);
  });

  it("fires timers by its own rate, not before they are due on it", async () => {
    const time = new VirtualTime();
    const at: Record<string, number> = {};
    for (const [name, rate] of [
      ["fast", 1.25],
      ["slow", 0.8],
      ["odd", 1.003],
    ] as const) {
      const clock = time.clock({ rate });
      const from = clock.now();
      clock.setTimer(1_000, () => {
        at[name] = time.nowMs;
        expect(clock.now().monoMs - from.monoMs).to.be.within(1_000 - 1e-6, 1_000 + 2 / 1_024);
      });
    }
    await time.advance(2_000);
    expect(at["fast"]).to.equal(800);
    expect(at["slow"]).to.equal(1_250);
    expect(at["odd"]).to.be.within(997, 997.1);
  });

  it("fires no timer in no time, so that a loop of them cannot hold time still", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    let rounds = 0;
    const again = (): void => {
      rounds++;
      clock.setTimer(0, again);
    };
    again();
    await time.advance(10);
    expect(rounds).to.equal(11);
  });

  it("starts a clock made later at that moment, with true wall time", async () => {
    const time = new VirtualTime();
    const first = time.clock();
    await time.advance(60_000);
    const second = time.clock({ wallOffsetMs: 5_000 });
    expect(second.now().wallMs - first.now().wallMs).to.equal(5_000);
    expect(second.now().monoMs).to.equal(first.now().monoMs - 60_000);
  });

  it("jumps its wall clock alone", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const from = clock.now();
    await time.advance(100);
    clock.jumpWall(3_600_000);
    expect(between(from, clock.now())).to.deep.equal([100, 100, 3_600_100]);
    expect(holderElapsedMs(from, clock.now())).to.equal(3_600_100);
    clock.jumpWall(-7_200_000);
    expect(observerElapsedMs(from, clock.now())).to.be.below(0);
  });

  it("runs no code while frozen though its clocks go on, and what is overdue at the thaw, in order", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const log: string[] = [];
    const note = (name: string) => () => log.push(`${name}@${time.nowMs}`);
    clock.setTimer(300, note("late"));
    clock.setTimer(200, note("early"));
    clock.setTimer(2_000, note("future"));
    const from = clock.now();
    await time.advance(100);
    clock.freeze();
    await time.advance(900);
    expect(log).to.deep.equal([]);
    expect(between(from, clock.now())).to.deep.equal([1_000, 1_000, 1_000]);
    clock.thaw();
    expect(log, "not within the call that thaws").to.deep.equal([]);
    await time.advance(1_500);
    expect(log).to.deep.equal(["early@1000", "late@1000", "future@2000"]);
  });

  it("lets what an overdue timer starts run before the next overdue timer", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const log: string[] = [];
    void sleep(clock, 10).then(() => log.push("first continues"));
    clock.setTimer(20, () => log.push("second fires"));
    clock.freeze();
    await time.advance(100);
    clock.thaw();
    await time.advance(1);
    expect(log).to.deep.equal(["first continues", "second fires"]);
  });

  it("holds an overdue timer that is cancelled before the thaw back for ever", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    let fired = false;
    const cancel = clock.setTimer(10, () => (fired = true));
    clock.freeze();
    await time.advance(100);
    cancel();
    clock.thaw();
    await time.advance(100);
    expect(fired).to.equal(false);
    expect(time.pendingTimers).to.equal(0);
  });

  it("stops its monotonic clock while suspended, not boot and wall, and its timers wait as much longer", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const log: number[] = [];
    clock.setTimer(1_000, () => log.push(time.nowMs));
    const from = clock.now();
    await time.advance(400);
    clock.suspend();
    await time.advance(5_000);
    expect(between(from, clock.now())).to.deep.equal([400, 5_400, 5_400]);
    clock.wake();
    expect(between(from, clock.now())).to.deep.equal([400, 5_400, 5_400]);
    await time.advance(600);
    expect(log).to.deep.equal([6_000]);
    expect(between(from, clock.now())).to.deep.equal([1_000, 6_000, 6_000]);
  });

  it("stays stopped when frozen within a suspend until both are over", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    let fired = 0;
    clock.setTimer(10, () => fired++);
    clock.freeze();
    clock.suspend();
    await time.advance(100);
    clock.wake();
    await time.advance(100);
    expect(fired).to.equal(0);
    clock.thaw();
    await time.advance(1);
    expect(fired).to.equal(1);
  });

  it("delivers answers at once, at the thaw after the overdue timers, or never to the dead", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const log: string[] = [];
    clock.deliver(() => log.push("at once"));
    clock.setTimer(5, () => log.push("timer"));
    clock.freeze();
    clock.deliver(() => log.push("answer"));
    await time.advance(10);
    clock.thaw();
    await time.advance(1);
    expect(log).to.deep.equal(["at once", "timer", "answer"]);
    clock.freeze();
    clock.deliver(() => log.push("lost"));
    clock.kill();
    clock.thaw();
    clock.deliver(() => log.push("lost too"));
    await time.advance(10);
    expect(log).to.have.length(3);
  });

  it("drops every timer of a killed worker and takes no new one", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const other = time.clock();
    const log: string[] = [];
    clock.setTimer(10, () => log.push("dead"));
    other.setTimer(10, () => log.push("alive"));
    clock.kill();
    clock.setTimer(10, () => log.push("dead"))();
    await time.advance(100);
    expect(log).to.deep.equal(["alive"]);
    expect(clock.pendingTimers).to.equal(0);
    expect(clock.isKilled).to.equal(true);
  });
});
