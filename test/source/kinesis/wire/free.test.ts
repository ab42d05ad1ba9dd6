import { expect } from "chai";
import { free } from "../../../../src/source/kinesis/wire/free.js";

describe("what is freed before the collector comes by", () => {
  it("takes no memory any more", async () => {
    // Once the other end of the channel is gone for certain.
    await new Promise((resolve) => setImmediate(resolve));
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000; i++) {
      const chunk = Buffer.allocUnsafeSlow(1_000_000);
      free(chunk);
      expect(chunk.length).to.equal(0);
    }
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(100_000_000);
  });

  it("is left alone where it is small, shares its memory, or is no bytes", () => {
    const large = Buffer.allocUnsafeSlow(100_000);
    const shared = Buffer.from(new SharedArrayBuffer(100_000));
    const text = "a".repeat(100_000);
    const left: readonly unknown[] = [
      Buffer.allocUnsafeSlow(100),
      large.subarray(0, 99_999),
      large.subarray(1),
      shared,
      text,
    ];
    for (const chunk of left) free(chunk);
    expect(left.map((chunk) => (chunk as Buffer).length)).to.deep.equal([
      100, 99_999, 99_999, 100_000, 100_000,
    ]);
  });
});
