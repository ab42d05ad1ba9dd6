import { expect } from "chai";
import type { LeaseholdEvent } from "../../src/model/events.js";
import { BeliefOracle } from "../../src/testing/belief-oracle.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import type { VirtualClock } from "../../src/testing/virtual-clock.js";
import { collectReports } from "./reports.js";

const lengthMs = 9_000;

class Setting {
  readonly time = new VirtualTime();
  readonly found = collectReports();
  readonly oracle = new BeliefOracle(lengthMs, this.found.report);
  readonly clocks: Record<string, VirtualClock> = {};

  worker(workerId: string, rate = 1): VirtualClock {
    const clock = this.time.clock({ rate });
    this.clocks[workerId] = clock;
    this.say({ type: "worker-created", workerId });
    return clock;
  }

  say(event: LeaseholdEvent): void {
    this.oracle.take(event, this.clocks[event.workerId]!);
  }

  send(workerId: string, beat: number, attempt = 1): void {
    this.say({ type: "beat-sent", workerId, beat, attempt });
  }

  acknowledge(workerId: string, beat: number): void {
    this.say({ type: "beat-acknowledged", workerId, beat, ageMs: 0 });
  }

  begin(workerId: string, epoch: number, leaseKey = "a"): void {
    this.say({
      type: "tenure-began",
      workerId,
      leaseKey,
      epoch,
      how: "taken",
      from: undefined,
      checkpoint: "TRIM_HORIZON",
    });
  }

  end(workerId: string, epoch: number, leaseKey = "a"): void {
    this.say({ type: "tenure-ended", workerId, leaseKey, epoch, reason: "handoff" });
  }

  /** A worker that has just beaten. */
  beating(workerId: string, rate = 1): VirtualClock {
    const clock = this.worker(workerId, rate);
    this.send(workerId, 1);
    this.acknowledge(workerId, 1);
    return clock;
  }

  check(): readonly string[] {
    this.oracle.check();
    return this.found.names;
  }
}

describe("the belief oracle", () => {
  it("finds nothing wrong with a tenure, its end, and the next one's by another", () => {
    const s = new Setting();
    s.beating("w1");
    s.beating("w2");
    s.begin("w1", 5);
    expect(s.oracle.believersOf("a")).to.deep.equal([{ workerId: "w1", epoch: 5 }]);
    s.end("w1", 5);
    s.begin("w2", 6);
    expect(s.check()).to.deep.equal([]);
    expect(s.oracle.believersOf("a")).to.deep.equal([{ workerId: "w2", epoch: 6 }]);
  });

  it("counts belief from the send time of the first attempt of the acknowledged beat", async () => {
    const s = new Setting();
    s.worker("w1");
    s.send("w1", 1);
    await s.time.advance(2_000);
    s.send("w1", 1, 2);
    await s.time.advance(1_000);
    expect(s.oracle.remainingMs("w1")).to.equal(0);
    s.acknowledge("w1", 1);
    expect(s.oracle.remainingMs("w1")).to.equal(lengthMs - 3_000);
    await s.time.advance(6_000);
    expect(s.oracle.remainingMs("w1")).to.equal(0);
  });

  it("counts belief by the worker's own clock, also while it stands still", async () => {
    const s = new Setting();
    const clock = s.beating("w1", 1.5);
    clock.freeze();
    await s.time.advance(2_000);
    expect(s.oracle.remainingMs("w1")).to.equal(lengthMs - 3_000);
    clock.jumpWall(5_999);
    expect(s.oracle.remainingMs("w1")).to.equal(1);
  });

  it("reports two believers of one lease", () => {
    const s = new Setting();
    s.beating("w1");
    s.beating("w2");
    s.begin("w1", 5);
    s.begin("w2", 6);
    expect(s.check()).to.deep.equal(["one-believer"]);
    expect(s.found.says[0]).to.match(/w1 \(epoch 5, .*w2 \(epoch 6/);
  });

  it("reports no second believer once the first one's belief has run out, even if nobody told it", async () => {
    const s = new Setting();
    s.beating("w1").freeze();
    s.begin("w1", 5);
    await s.time.advance(lengthMs);
    s.beating("w2");
    s.begin("w2", 6);
    expect(s.check()).to.deep.equal([]);
  });

  it("reports an epoch that is not above every one held before, by whomever", () => {
    for (const [first, second] of [
      [5, 5],
      [5, 4],
    ] as const) {
      const s = new Setting();
      s.beating("w1");
      s.begin("w1", first);
      s.end("w1", first);
      s.begin("w1", second);
      expect(s.check()).to.deep.equal(["epochs-increase"]);
    }
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.say({ type: "tenure-raised", workerId: "w1", leaseKey: "a", epoch: 5, to: 5 });
    expect(s.check()).to.deep.equal(["epochs-increase"]);
  });

  it("follows a raise", () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.say({ type: "tenure-raised", workerId: "w1", leaseKey: "a", epoch: 5, to: 6 });
    expect(s.check()).to.deep.equal([]);
    expect([...s.oracle.believedBy("w1")]).to.deep.equal([["a", 6]]);
  });

  it("reports a tenure begun without belief", async () => {
    const s = new Setting();
    s.worker("w1");
    s.begin("w1", 5);
    expect(s.check()).to.deep.equal(["work-within-belief"]);
    const late = new Setting();
    late.beating("w1");
    await late.time.advance(lengthMs);
    late.begin("w1", 5);
    expect(late.check()).to.deep.equal(["work-within-belief"]);
  });

  it("reports a tenure that outlives its belief and comes back with the next beat", async () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    await s.time.advance(lengthMs);
    s.send("w1", 2);
    s.acknowledge("w1", 2);
    expect(s.check()).to.deep.equal(["work-within-belief"]);
  });

  it("reports nothing when such a tenure ends and begins anew under a higher epoch", async () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    await s.time.advance(lengthMs);
    s.send("w1", 2);
    s.acknowledge("w1", 2);
    s.end("w1", 5);
    s.begin("w1", 6);
    expect(s.check()).to.deep.equal([]);
  });

  it("reports a beat that was never sent", () => {
    const s = new Setting();
    s.worker("w1");
    s.acknowledge("w1", 1);
    expect(s.check()).to.deep.equal(["belief-rests-on-beats"]);
  });

  it("reports who beats, or holds on, after it left", () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.say({ type: "leave-sent", workerId: "w1" });
    s.send("w1", 2);
    expect(s.check()).to.deep.equal(["fenced-is-silent", "work-within-belief"]);
  });

  it("reports who holds on after it ended", () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.say({ type: "worker-ended", workerId: "w1", reason: "fenced" });
    expect(s.oracle.remainingMs("w1")).to.equal(0);
    expect(s.check()).to.deep.equal(["work-within-belief"]);
  });

  it("holds no belief in a row that was deleted by hand against who takes the one made again", () => {
    const s = new Setting();
    s.beating("w1");
    s.beating("w2");
    s.oracle.sever("a", 5);
    s.begin("w1", 5); // the store's answer took its time
    s.begin("w2", 2 ** 20);
    expect(s.check()).to.deep.equal([]);
    s.beating("w3");
    s.begin("w3", 2 ** 20 + 1);
    expect(s.check()).to.deep.equal(["one-believer"]);
  });

  it("forgets the dead", () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.oracle.forget(["w1"]);
    s.beating("w2");
    s.begin("w2", 6);
    expect(s.check()).to.deep.equal([]);
    expect([s.oracle.remainingMs("w1"), s.oracle.believedBy("w1").size]).to.deep.equal([0, 0]);
  });

  it("reports a belief that a wall clock set back gives back, when it is told to look", () => {
    const s = new Setting();
    const clock = s.beating("w1");
    s.begin("w1", 5);
    clock.jumpWall(3_600_000);
    s.beating("w2");
    s.begin("w2", 6);
    expect(s.check()).to.deep.equal([]);
    clock.jumpWall(-3_600_000);
    s.oracle.look();
    expect(s.check()).to.deep.equal(["one-believer"]);
  });

  it("lets a worker go on that has read an operator's fence, but neither beat nor begin", () => {
    const s = new Setting();
    s.beating("w1");
    s.begin("w1", 5);
    s.say({ type: "force-fenced", workerId: "w1", by: "ann@ops", remainingMs: 8_000 });
    expect(s.check()).to.deep.equal([]);
    expect(s.oracle.remainingMs("w1")).to.be.greaterThan(0);
    s.send("w1", 2);
    s.begin("w1", 6, "b");
    expect(s.check()).to.deep.equal(["fenced-is-silent", "fenced-is-silent"]);
  });
});
