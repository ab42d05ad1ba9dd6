import { expect } from "chai";
import fc from "fast-check";
import { LeaseholdError } from "../../src/model/errors.js";
import {
  comparePositions,
  formatPosition,
  isFinished,
  isSentinel,
  position,
  samePosition,
  sentinels,
  shardEnd,
  trimHorizon,
} from "../../src/model/position.js";

const numbers = fc.bigInt({ min: 0n, max: 10n ** 60n });

describe("a position", () => {
  it("orders sentinels before and after every number as the KCL does", () => {
    const order = ["AT_TIMESTAMP", "TRIM_HORIZON", "LATEST", "0", "1", "99999999999999999999", "SHARD_END"];
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) {
        const sign = Math.sign(comparePositions(position(a), position(b)));
        expect(sign, `${a} against ${b}`).to.equal(Math.sign(i - j));
      }
    }
  });

  it("orders numbers as integers, where bytes would say otherwise", () => {
    expect(comparePositions(position("9"), position("10"))).to.be.below(0);
    expect(comparePositions(position("10"), position("9"))).to.be.above(0);
  });

  it("orders any two numbers as big integers do", () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const order = comparePositions(position(String(a)), position(String(b)));
        expect(Math.sign(order)).to.equal(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it("orders records of one aggregate by their index, and only those", () => {
    expect(comparePositions(position("7", 1), position("7", 2))).to.be.below(0);
    expect(comparePositions(position("7", 9), position("8", 0))).to.be.below(0);
  });

  it("is the same only with the same index", () => {
    expect(samePosition(position("7", 1), position("7", 1))).to.equal(true);
    expect(samePosition(position("7", 1), position("7", 2))).to.equal(false);
    expect(samePosition(position("7"), position("8"))).to.equal(false);
  });

  for (const bad of ["", "-1", "+1", "01", "1.5", "1e3", "trim_horizon", " 1", "0x10", "9".repeat(129)]) {
    it(`refuses ${JSON.stringify(bad.slice(0, 12))} by name and rule`, () => {
      expect(() => position(bad))
        .to.throw(LeaseholdError, JSON.stringify(bad))
        .with.property("code", "checkpoint-invalid");
    });
  }

  for (const bad of [-1, 0.5, NaN, 2 ** 53]) {
    it(`refuses the index ${String(bad)}`, () => {
      expect(() => position("1", bad)).to.throw(LeaseholdError, `is ${String(bad)}: it must be an integer`);
    });
  }

  it("takes numbers of 128 digits", () => {
    expect(position("9".repeat(128)).sequenceNumber).to.have.length(128);
  });

  it("is finished at SHARD_END only", () => {
    expect(isFinished(shardEnd)).to.equal(true);
    for (const other of ["LATEST", "TRIM_HORIZON", "5"]) expect(isFinished(position(other))).to.equal(false);
  });

  it("knows its sentinels", () => {
    expect(sentinels.every(isSentinel)).to.equal(true);
    expect(isSentinel("0")).to.equal(false);
  });

  it("is printed as one word, with the index where it has one", () => {
    expect([trimHorizon, position("123"), position("123", 4)].map(formatPosition)).to.deep.equal([
      "TRIM_HORIZON",
      "123",
      "123.4",
    ]);
  });
});
