import { expect } from "chai";
import fc from "fast-check";
import { clockRateBound, resolveProtocol } from "../../src/model/config.js";
import {
  beatAcknowledged,
  noBeats,
  observe,
  verdict,
  type Observation,
  type OwnBeats,
  type Verdict,
} from "../../src/model/expiry.js";
import type { Reading } from "../../src/model/reading.js";

const limits = { expiryMs: 12_500, blindGapMs: 5_000 };

/** One observer's local time and what it has seen of one row, told as a story of beats and reads. */
class Watch {
  mono = 0;
  boot = 0;
  wall = 0;
  own: OwnBeats = noBeats;
  seen: Observation | undefined;

  get now(): Reading {
    return { monoMs: this.mono, bootMs: this.boot, wallMs: this.wall };
  }

  /** Lets time pass on all three clocks. */
  pass(ms: number): this {
    this.mono += ms;
    this.boot += ms;
    this.wall += ms;
    return this;
  }

  beat(): this {
    this.own = beatAcknowledged(this.own, this.now, limits.blindGapMs);
    return this;
  }

  read(beat: number): this {
    this.seen = observe(this.seen, beat, this.now, this.own, limits.blindGapMs);
    return this;
  }

  /** Beats and reads the same number each second. */
  seconds(count: number, beat: number, what: "both" | "reads" | "beats" = "both"): this {
    for (let i = 0; i < count; i++) {
      this.pass(1_000);
      if (what !== "reads") this.beat();
      if (what !== "beats") this.read(beat);
    }
    return this;
  }

  get verdict(): Verdict {
    if (this.seen === undefined) throw new Error("nothing was read");
    return verdict(this.seen, this.own, this.now, limits);
  }

  get leftMs(): number | undefined {
    return this.verdict.kind === "counting" ? this.verdict.leftMs : undefined;
  }
}

const watching = (): Watch => new Watch().beat().read(7);

describe("an observer of one worker's beats", () => {
  it("finds it silent after T of its own time, and not one tick earlier", () => {
    const watch = watching().seconds(12, 7).pass(499);
    expect(watch.verdict).to.deep.equal({ kind: "counting", leftMs: 1 });
    expect(watch.pass(1).verdict).to.deep.equal({ kind: "silent", beat: 7 });
  });

  it("may only fence the beat that stood still", () => {
    expect(watching().seconds(5, 8).seconds(14, 9).verdict).to.deep.equal({ kind: "silent", beat: 9 });
  });

  it("counts from the receipt of the answer that first showed the beat", () => {
    const watch = new Watch().beat();
    // Sent at 0, received at 300: what was applied in between must not be counted as silence.
    expect(watch.pass(300).read(7).seen?.countFrom).to.deep.equal(watch.now);
    expect(watch.leftMs).to.equal(12_500);
  });

  it("starts over with every newer beat", () => {
    const watch = watching().seconds(10, 7).read(8);
    expect(watch.leftMs).to.equal(12_500);
  });

  it("goes on counting over reads that show the same beat", () => {
    expect(watching().seconds(3, 7).leftMs).to.equal(9_500);
  });

  it("learns nothing from a stale read that shows a lower beat", () => {
    const watch = watching().seconds(3, 7).pass(1_000).beat().read(5);
    expect(watch.seen?.beat).to.equal(7);
    expect(watch.leftMs).to.equal(8_500);
  });

  it("restarts nothing for one failed read", () => {
    const watch = watching().seconds(3, 7).seconds(1, 7, "beats").seconds(1, 7);
    expect(watch.leftMs).to.equal(7_500);
  });

  it("counts on over a gap of exactly D/2, and not over one tick more", () => {
    expect(watching().seconds(5, 7, "beats").read(7).leftMs).to.equal(7_500);
    const watch = watching().seconds(5, 7, "beats").pass(1).read(7);
    expect(watch.verdict.kind).to.equal("not-counting");
  });

  it("does not count while a gap in its reads is still open", () => {
    const watch = watching().seconds(10, 7).seconds(6, 7, "beats");
    expect(watch.verdict.kind).to.equal("not-counting");
  });

  it("does not count while a gap in its own beats is still open, however long the row stood still", () => {
    const watch = watching().seconds(10, 7).seconds(6, 7, "reads");
    expect(watch.verdict.kind).to.equal("not-counting");
  });

  it("restarts after a gap in its reads at its first beat after the first read", () => {
    const watch = watching().seconds(8, 7, "beats").read(7);
    expect(watch.verdict.kind).to.equal("not-counting");
    watch.pass(1_000).read(7);
    expect(watch.verdict.kind, "no beat yet").to.equal("not-counting");
    watch.pass(1_000).beat().read(7);
    expect(watch.leftMs).to.equal(12_500);
  });

  it("restarts after a gap in its own beats at the first read after the beat", () => {
    const watch = watching().seconds(8, 7, "reads").beat();
    expect(watch.verdict.kind, "the closed gap still counts").to.equal("not-counting");
    watch.pass(700).read(7);
    expect(watch.leftMs).to.equal(12_500);
  });

  it("does not keep a count over a gap in its own beats that closed between two reads", () => {
    const watch = watching().seconds(10, 7).pass(2_600).read(7).pass(2_600).beat().pass(2_400).beat();
    expect(watch.verdict.kind).to.equal("not-counting");
    expect(watch.read(7).leftMs).to.equal(12_500);
  });

  it("counts nothing before its own first beat", () => {
    const watch = new Watch().read(7).seconds(20, 7, "reads");
    expect(watch.verdict.kind).to.equal("not-counting");
    watch.beat();
    expect(watch.verdict.kind).to.equal("not-counting");
    expect(watch.read(7).leftMs).to.equal(12_500);
  });

  it("takes a newer beat read within its own blind time for no start", () => {
    const watch = watching().seconds(6, 7, "reads").read(8).pass(100).beat();
    expect(watch.verdict.kind).to.equal("not-counting");
    expect(watch.pass(1_000).read(8).leftMs).to.equal(12_500);
  });

  it("takes a suspend, which its monotonic clock does not see, for blind time", () => {
    const watch = watching().seconds(10, 7);
    watch.boot += 60_000;
    watch.wall += 60_000;
    expect(watch.verdict.kind).to.equal("not-counting");
  });

  it("starts over when a wall clock went back behind the start of the count", () => {
    const watch = watching().seconds(2, 7);
    watch.wall -= 3_000;
    expect(watch.verdict.kind).to.equal("not-counting");
    expect(watch.read(7).leftMs).to.equal(12_500);
  });

  it("waits longer, never shorter, when the wall clock went back within the count", () => {
    const watch = watching().seconds(10, 7);
    watch.wall -= 4_000;
    expect(watch.leftMs).to.equal(6_500);
  });

  it("changes its mind at the next question, not at the next read: it is asked before every attempt", () => {
    const watch = watching().seconds(13, 7);
    expect(watch.verdict.kind).to.equal("silent");
    expect(watch.pass(5_001).verdict.kind).to.equal("not-counting");
  });

  it("watches a tombstone like any other row", () => {
    expect(new Watch().beat().read(-1).seconds(13, -1).verdict).to.deep.equal({ kind: "silent", beat: -1 });
  });

  it("starts over with a tombstone that stands where a row with a higher beat was deleted (bug: it was never fenced)", () => {
    const watch = new Watch().beat().read(7).seconds(5, 7).seconds(1, -1);
    expect(watch.seconds(11, -1).verdict).to.deep.equal({ kind: "counting", leftMs: 1_500 });
    expect(watch.seconds(2, -1).verdict).to.deep.equal({ kind: "silent", beat: -1 });
    // A stale read of the deleted row only makes it wait longer.
    expect(watch.seconds(1, 7).seconds(1, -1).verdict).to.deep.equal({ kind: "counting", leftMs: 12_500 });
  });

  it("never finds silent before the belief of the silent is over, whatever the clock rates within the bound", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2_000, max: 60_000 }),
        fc.double({ min: 1 - clockRateBound, max: 1 + clockRateBound, noNaN: true }),
        fc.double({ min: 1 - clockRateBound, max: 1 + clockRateBound, noNaN: true }),
        (leaseDurationMs, holderRate, observerRate) => {
          const { expiryMs, safetyMarginMs } = resolveProtocol({ leaseDurationMs });
          // The beat is sent and seen at true time 0: the worst case.
          const beliefEndsAt = (leaseDurationMs - safetyMarginMs) / holderRate;
          expect(expiryMs / observerRate).to.be.above(beliefEndsAt);
        },
      ),
    );
  });
});
