import { expect } from "chai";
import fc from "fast-check";
import { orderOf } from "../../src/model/key-order.js";

/** By a comparison of each with each; stable. */
function plainOrder(keys: readonly string[]): number[] {
  return keys
    .map((key, at) => ({ key, at }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at - b.at))
    .map(({ at }) => at);
}

function order(keys: readonly string[]): number[] {
  return [...orderOf(keys, (key) => key)];
}

const shardId = (i: number): string => `shardId-${String(i).padStart(12, "0")}`;
/** Short ones, so that many are equal or begin alike, of units that numbers tell apart and of some that they do not. */
const units = fc.constantFrom("\0", "\u0001", "a", "b", "~", "\u007f", "\u0080", "é", "\ud83d", "\uffff");
const oddKey = fc.string({ unit: units, maxLength: 6 });
const anyKeys = fc.oneof(
  fc.array(oddKey, { maxLength: 200 }),
  fc.array(oddKey, { minLength: 100, maxLength: 200 }).map((keys) => keys.map((key) => `stream:${key}`)),
  fc.array(fc.nat(1_000_000).map(shardId), { maxLength: 300 }),
  fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(300)), { minLength: 100, maxLength: 300 }).map((keys) =>
    // Alike in more units than one number holds, and then not.
    keys.map(([stream, i]) => `${stream}-of-a-long-name:${shardId(i)}`),
  ),
);

describe("the order of keys", () => {
  it("is that of their code units, and that of their places where they are equal", () => {
    fc.assert(
      fc.property(anyKeys, (keys) => {
        expect(order(keys)).to.deep.equal(plainOrder(keys));
      }),
      { numRuns: 500 },
    );
  });

  it("ends where all keys are one and the same", () => {
    for (const key of ["", "a", "\uffff".repeat(20)]) {
      // The last is another, so that there is something to do.
      const keys = [...Array<string>(100).fill(`${key}b`), `${key}a`];
      expect(order(keys)).to.deep.equal(plainOrder(keys));
    }
  });

  it("leaves what stands in order as it is", () => {
    const keys = Array.from({ length: 100 }, (_, i) => shardId(i));
    expect(order(keys)).to.deep.equal(keys.map((_, i) => i));
    expect(order([])).to.deep.equal([]);
  });
});
