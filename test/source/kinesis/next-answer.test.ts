import { expect } from "chai";
import { NextAnswer } from "../../../src/source/kinesis/next-answer.js";

const full = 10 * 1_048_576;

describe("a shard's next answer is expected to bring", () => {
  it("all that one can, while nothing is known of the shard", () => {
    expect(new NextAnswer().expectedBytes(0)).to.equal(full);
  });

  const after = (bytes: number, behindMs: number | undefined, restMs: number): number => {
    const next = new NextAnswer();
    next.came(bytes, behindMs, 1_000);
    return next.expectedBytes(1_000 + restMs);
  };

  it("at the tip what can have been written since, 2 MB/s, whatever the last one brought", () => {
    expect(after(0, 0, 1_000)).to.equal(2_000_000);
    expect(after(1_500, 0, 200)).to.equal(400_000);
    expect(after(0, 0, 600_000)).to.equal(full);
  });

  it("behind it also what the last one left", () => {
    expect(after(0, 1_000, 200)).to.equal(2_400_000);
    expect(after(0, 3_600_000, 200)).to.equal(full);
  });

  it("as much as the last one, where that was more", () => {
    expect(after(13_000_000, 0, 200)).to.equal(13_000_000);
  });

  it("all that one can, where the service does not say how far behind it was", () => {
    expect(after(0, undefined, 200)).to.equal(full);
  });
});
