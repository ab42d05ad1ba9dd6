import { expect } from "chai";
import { forEachLimited } from "../../src/runtime/pool.js";
import { sleep } from "../../src/runtime/clock.js";
import { VirtualTime } from "../../src/testing/index.js";

describe("a limited run over items", () => {
  it("has at most the limit under way, in order, and waits for all", async () => {
    const time = new VirtualTime();
    const clock = time.clock();
    const log: string[] = [];
    let underWay = 0;
    let most = 0;
    const run = forEachLimited([30, 10, 20, 10], 2, async (ms) => {
      most = Math.max(most, ++underWay);
      log.push(`+${String(ms)}`);
      await sleep(clock, ms);
      underWay -= 1;
      log.push(`-${String(ms)}`);
    });
    await time.runUntilSettled(run);
    expect(most).to.equal(2);
    expect(log).to.deep.equal(["+30", "+10", "-10", "+20", "-30", "+10", "-20", "-10"]);
    expect([underWay, time.nowMs]).to.deep.equal([0, 40]);
  });

  it("goes on after a rejection and throws the first one at the end", async () => {
    const done: number[] = [];
    const thrown = await forEachLimited([1, 2, 3, 4], 2, async (item) => {
      if (item === 2 || item === 3) throw new Error(`no ${String(item)}`);
      done.push(item);
    }).catch((error: unknown) => error);
    expect(done).to.deep.equal([1, 4]);
    expect(thrown).to.have.property("message", "no 2");
  });

  it("throws even what is undefined", async () => {
    const thrown = await forEachLimited([1], 1, () => Promise.reject(undefined)).then(
      () => "nothing",
      (error: unknown) => error,
    );
    expect(thrown).to.equal(undefined);
  });

  it("does nothing for no items", async () => {
    await forEachLimited([], 5, () => Promise.reject(new Error("called")));
  });
});
