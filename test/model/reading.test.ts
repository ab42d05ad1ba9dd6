import { expect } from "chai";
import { holderElapsedMs, observerElapsedMs, readingAfter, type Reading } from "../../src/model/reading.js";

const start: Reading = { monoMs: 1_000, bootMs: 50_000, wallMs: 1_700_000_000_000 };
const after = (monoMs: number, bootMs: number, wallMs: number): Reading => ({
  monoMs: start.monoMs + monoMs,
  bootMs: start.bootMs + bootMs,
  wallMs: start.wallMs + wallMs,
});

describe("a reading of the three clocks", () => {
  for (const [clock, reading] of [
    ["monotonic", after(900, 100, 200)],
    ["boot", after(100, 900, 200)],
    ["wall", after(100, 200, 900)],
  ] as const) {
    it(`lets the ${clock} clock end a belief when it ran furthest`, () => {
      expect(holderElapsedMs(start, reading)).to.equal(900);
    });
  }

  it("counts a suspend against the holder, though the monotonic clock stood still", () => {
    expect(holderElapsedMs(start, after(10, 60_010, 60_010))).to.equal(60_010);
  });

  it("lets an observer wait by the slower of monotonic and wall time", () => {
    expect(observerElapsedMs(start, after(300, 900, 700))).to.equal(300);
    expect(observerElapsedMs(start, after(700, 900, 300))).to.equal(300);
  });

  it("shows an observer a negative difference when the wall clock went back", () => {
    expect(observerElapsedMs(start, after(1_000, 1_000, -5))).to.equal(-5);
  });

  it("never makes a death come early by a wall clock that jumps ahead", () => {
    expect(observerElapsedMs(start, after(10, 10, 3_600_000))).to.equal(10);
  });

  it("adds a duration to all three clocks", () => {
    expect(readingAfter(start, 7)).to.deep.equal(after(7, 7, 7));
  });
});
