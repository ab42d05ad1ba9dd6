import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import { Belief } from "../../src/tenure/belief.js";
import { VirtualTime } from "../../src/testing/index.js";

/** D − margin. */
const lengthMs = 9_000;

describe("a worker's belief", () => {
  let time: VirtualTime;
  let clock: ReturnType<VirtualTime["clock"]>;
  let belief: Belief;
  let lapses: number;

  beforeEach(() => {
    time = new VirtualTime();
    clock = time.clock();
    lapses = 0;
    belief = new Belief(clock, resolveProtocol(), () => (lapses += 1));
  });

  afterEach(() => {
    belief.end();
    expect(time.pendingTimers, "leaked timers").to.equal(0);
  });

  it("is not there before a beat was acknowledged, and its absence is no lapse", async () => {
    await time.advance(60_000);
    expect([belief.holds(), belief.remainingMs(), lapses]).to.deep.equal([false, 0, 0]);
  });

  it("lasts D less the safety margin from the send of the beat, not from its answer", async () => {
    const sentAt = clock.now();
    await time.advance(3_000);
    expect(belief.extend(sentAt)).to.equal(true);
    expect(belief.remainingMs()).to.equal(lengthMs - 3_000);
    await time.advance(lengthMs - 3_001);
    expect(belief.remainingMs()).to.equal(1);
    await time.advance(1);
    expect([belief.remainingMs(), lapses]).to.deep.equal([0, 1]);
  });

  it("is none when the acknowledged beat was sent too long ago", async () => {
    const sentAt = clock.now();
    await time.advance(lengthMs);
    expect(belief.extend(sentAt)).to.equal(false);
    expect([belief.holds(), lapses]).to.deep.equal([false, 0]);
  });

  it("is extended by every further beat without a lapse between", async () => {
    for (let i = 0; i < 10; i++) {
      belief.extend(clock.now());
      await time.advance(2_500);
    }
    expect([belief.remainingMs(), lapses]).to.deep.equal([lengthMs - 2_500, 0]);
  });

  it("ends by its timer when nobody asks, once", async () => {
    belief.extend(clock.now());
    await time.advance(60_000);
    expect(lapses).to.equal(1);
    expect([belief.holds(), lapses]).to.deep.equal([false, 1]);
  });

  it("is found gone at the first question after a stall, before any timer fired", async () => {
    belief.extend(clock.now());
    clock.freeze();
    await time.advance(60_000);
    expect(lapses, "no timer has fired").to.equal(0);
    expect(belief.remainingMs()).to.equal(0);
    expect(lapses).to.equal(1);
    clock.thaw();
    await time.advance(1);
    expect(lapses, "the late timer tells nothing again").to.equal(1);
  });

  it("is over after a suspend that the monotonic clock did not see", async () => {
    belief.extend(clock.now());
    clock.suspend();
    await time.advance(60_000);
    clock.wake();
    expect(belief.holds()).to.equal(false);
  });

  it("is over after a wall clock jumped ahead: a pause, and never a risk", () => {
    belief.extend(clock.now());
    clock.jumpWall(lengthMs);
    expect(belief.holds()).to.equal(false);
  });

  it("is no longer for a wall clock that went back", async () => {
    belief.extend(clock.now());
    clock.jumpWall(-3_600_000);
    await time.advance(lengthMs);
    expect(belief.holds()).to.equal(false);
  });

  it("has lapsed even if the next acknowledgement is the first to notice", async () => {
    belief.extend(clock.now());
    clock.freeze();
    await time.advance(lengthMs);
    // What comes is a new belief: those who rested on the old one have been told.
    expect(belief.extend(clock.now())).to.equal(true);
    expect(lapses).to.equal(1);
    clock.thaw();
  });

  it("has lapsed when a newer beat is too old by a wall clock that went back and forward again", () => {
    belief.extend(clock.now());
    clock.jumpWall(-3_600_000);
    const sentAt = clock.now();
    clock.jumpWall(3_600_000);
    expect(belief.holds(), "the older beat still stands").to.equal(true);
    expect(belief.extend(sentAt)).to.equal(false);
    expect(lapses).to.equal(1);
    belief.extend(clock.now());
    expect(lapses, "and it is told once").to.equal(1);
  });

  it("lapses anew after it was begun anew", async () => {
    belief.extend(clock.now());
    await time.advance(20_000);
    belief.extend(clock.now());
    await time.advance(20_000);
    expect(lapses).to.equal(2);
  });

  it("does not move its timer with every beat", async () => {
    belief.extend(clock.now());
    for (let i = 0; i < 5; i++) {
      expect(time.pendingTimers).to.equal(1);
      belief.extend(clock.now());
      await time.advance(1_000);
    }
  });

  it("is gone for good when ended, tells nobody, and no beat brings it back", () => {
    belief.extend(clock.now());
    belief.end();
    expect([belief.holds(), belief.extend(clock.now()), belief.holds(), lapses]).to.deep.equal([
      false,
      false,
      false,
      0,
    ]);
    expect(time.pendingTimers).to.equal(0);
  });

  it("asks nothing of whoever is told of the lapse: zero is known by then", () => {
    const during: number[] = [];
    const other = new Belief(clock, resolveProtocol(), () => {
      during.push(other.remainingMs());
    });
    other.extend(clock.now());
    clock.jumpWall(60_000);
    expect(other.remainingMs()).to.equal(0);
    expect(during).to.deep.equal([0]);
  });
});
