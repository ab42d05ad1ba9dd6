import { expect } from "chai";
import { hasCode, LeaseholdError } from "../../src/model/errors.js";
import { Bench } from "./bench.js";

function thrownBy(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a tenure", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench({ s1: "me@5", s2: "me@8" });
  });

  afterEach(() => {
    bench.close();
  });

  it("says how much time is left at the moment of the question", async () => {
    const tenure = await bench.hold();
    expect(tenure.remainingMs()).to.equal(9_000);
    await bench.time.advance(400);
    expect(tenure.remainingMs()).to.equal(8_600);
    bench.beat();
    expect(tenure.remainingMs()).to.equal(9_000);
  });

  it("shows a stalled event loop at the first check after it, though no timer has fired", async () => {
    const tenure = await bench.hold();
    bench.clock.freeze();
    await bench.time.advance(30_000);
    expect(tenure.ended).to.equal(false);
    expect(tenure.remainingMs()).to.equal(0);
    expect([tenure.ended, tenure.endReason, tenure.signal.aborted]).to.deep.equal([true, "lease-lost", true]);
    bench.clock.thaw();
  });

  it("aborts its signal once, with the reason why", async () => {
    const tenure = await bench.hold();
    let aborts = 0;
    tenure.signal.addEventListener("abort", () => (aborts += 1));
    await bench.time.advance(9_000);
    tenure.end("stop");
    expect(aborts).to.equal(1);
    expect(tenure.signal.reason).to.be.instanceOf(LeaseholdError).with.property("code", "lease-lost");
    expect(tenure.signal.reason)
      .to.have.property("message")
      .that.matches(/^lease s1 \(epoch 5\) .*lease-lost;/);
  });

  it("does not come back with the belief", async () => {
    const tenure = await bench.hold();
    await bench.time.advance(9_000);
    bench.beat();
    expect([bench.belief.holds(), tenure.remainingMs(), tenure.ended]).to.deep.equal([true, 0, true]);
    expect(
      hasCode(
        thrownBy(() => tenure.assertHeld()),
        "lease-lost",
      ),
    ).to.equal(true);
  });

  it("ends for the first reason only, and is told of once", async () => {
    const tenure = await bench.hold();
    tenure.end("stuck");
    tenure.end("fenced");
    expect(tenure.endReason).to.equal("stuck");
    expect(bench.all("tenure-ended").map(({ reason }) => reason)).to.deep.equal(["stuck"]);
  });

  it("ends alone: other leases of the worker go on", async () => {
    const [one, other] = [await bench.hold("s1"), await bench.hold("s2")];
    one.end("stuck");
    expect([one.remainingMs(), other.remainingMs()]).to.deep.equal([0, 9_000]);
    expect(bench.tenures.held()).to.deep.equal([other]);
  });

  it("asserts that enough time is left: exactly as much will do", async () => {
    const tenure = await bench.hold();
    await bench.time.advance(4_000);
    tenure.assertHeld();
    tenure.assertHeld(5_000);
    const error = thrownBy(() => tenure.assertHeld(5_001));
    expect(error).to.include({ code: "lease-short", retryable: true });
    expect((error as Error).message).to.include("lease s1 has 5000 ms left and 5001 are needed");
    expect(tenure.ended, "short is not lost").to.equal(false);
  });

  for (const ms of [NaN, -1, "5000", null] as unknown[]) {
    it(`refuses ${String(ms)} as the time needed, which no time left would be short of`, async () => {
      const tenure = await bench.hold();
      let ran = false;
      const asserted = thrownBy(() => tenure.assertHeld(ms as number));
      const guarded = await tenure.guard(ms as number, () => (ran = true)).catch((error: unknown) => error);
      for (const error of [asserted, guarded]) {
        expect(error).to.include({ code: "invalid-option" });
        expect((error as Error).message).to.include(`minRemainingMs is ${String(ms)}`);
      }
      expect(ran).to.equal(false);
    });
  }

  it("guards a side effect: with too little time it is not begun", async () => {
    const tenure = await bench.hold();
    await bench.time.advance(8_000);
    let ran = false;
    const code = await tenure.guard(1_001, () => (ran = true)).catch((error: unknown) => error);
    expect(hasCode(code, "lease-short")).to.equal(true);
    expect(ran).to.equal(false);
  });

  it("guards a side effect: what it brings is passed on, under the tenure's signal", async () => {
    const tenure = await bench.hold();
    expect(await tenure.guard(1_000, (signal) => (signal === tenure.signal ? "done" : "other"))).to.equal(
      "done",
    );
    const error = await tenure.guard(0, () => Promise.reject(new Error("own"))).catch((e: unknown) => e);
    expect(error).to.have.property("message", "own");
  });

  it("guards a side effect: one that outlived the lease is not taken for done", async () => {
    const tenure = await bench.hold();
    const error = await tenure
      .guard(0, async () => {
        await bench.time.advance(9_000);
        return "late";
      })
      .catch((thrown: unknown) => thrown);
    expect(hasCode(error, "lease-lost")).to.equal(true);
  });

  it("guards nothing after its end", async () => {
    const tenure = await bench.hold();
    tenure.end("fenced");
    let ran = false;
    await tenure.guard(0, () => (ran = true)).catch(() => undefined);
    expect(ran).to.equal(false);
  });

  it("has a fencing token that is read at use, since a raise changes it", async () => {
    const tenure = await bench.hold();
    expect(tenure.fencingToken).to.equal(5);
    bench.scripted.always("checkpoints.write", "lost-request");
    bench.scripted.on("ownership.change", () => {
      bench.scripted.always("checkpoints.write", "passes");
    });
    await bench.checkpoint(tenure, "200");
    expect(tenure.fencingToken).to.equal(6);
    expect(tenure.ended).to.equal(false);
  });

  it("remembers when work last made progress", async () => {
    const tenure = await bench.hold();
    const began = tenure.progressAtMs;
    await bench.time.advance(700);
    expect(tenure.progressAtMs).to.equal(began);
    tenure.progress();
    expect(tenure.progressAtMs - began).to.equal(700);
  });

  it("is unsettled until the last write of unknown outcome is cleared up, each counted once", async () => {
    const tenure = await bench.hold();
    const first = tenure.unsettle();
    const second = tenure.unsettle();
    first();
    first();
    expect(tenure.unsettled).to.equal(true);
    second();
    expect(tenure.unsettled).to.equal(false);
  });
});
