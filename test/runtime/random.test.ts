import { expect } from "chai";
import { jitter } from "../../src/runtime/random.js";
import { systemClock, systemRandom } from "../../src/runtime/system.js";
import { seededRandom } from "../../src/testing/index.js";

const drawing = (value: number) => ({ ...seededRandom(1), next: () => value });

describe("jitter", () => {
  it("scatters a duration between its two shares", () => {
    expect(jitter(drawing(0), 1_000, 0.9, 1)).to.equal(900);
    expect(jitter(drawing(0.5), 1_000, 0.9, 1)).to.equal(950);
    expect(jitter(drawing(0.999_999), 1_000, 0.9, 1)).to.be.below(1_000);
  });
});

describe("the host's clocks and randomness", () => {
  it("reads three clocks that go on", () => {
    const a = systemClock.now();
    const b = systemClock.now();
    for (const name of ["monoMs", "bootMs", "wallMs"] as const) {
      expect(a[name]).to.be.above(0);
      expect(b[name] - a[name]).to.be.within(0, 1_000);
    }
    expect(a.wallMs).to.be.above(Date.parse("2024-01-01"));
  });

  it("fires a timer once, and not when it was cancelled", async () => {
    let cancelled = 0;
    systemClock.setTimer(1, () => (cancelled += 1))();
    let fired = 0;
    await new Promise<void>((resolve) => {
      const cancel = systemClock.setTimer(2, () => {
        fired += 1;
        cancel();
        resolve();
      });
    });
    expect([fired, cancelled]).to.deep.equal([1, 0]);
  });

  it("fires a timer whose time is over at once, and has Node warn of nothing", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    try {
      await new Promise<void>((resolve) => systemClock.setTimer(-0.3, resolve));
    } finally {
      process.off("warning", onWarning);
    }
    expect(warnings).to.deep.equal([]);
  });

  it("makes identifiers of 16 hexadecimal digits or more, never the same twice", () => {
    const ids = Array.from({ length: 1_000 }, () => systemRandom.id());
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{16,}$/);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("draws from 0 up to 1", () => {
    for (let i = 0; i < 100; i++) expect(systemRandom.next()).to.be.within(0, 1);
  });
});
