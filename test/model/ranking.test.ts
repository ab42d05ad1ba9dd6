import { expect } from "chai";
import fc from "fast-check";
import { Ranking } from "../../src/model/ranking.js";

interface Item {
  readonly name: number;
  value: number;
}

/** The first of the highest, by a look at each. */
function highest(items: readonly Item[], admits: (item: Item) => boolean): Item | undefined {
  let best: Item | undefined;
  let bestValue = -Infinity;
  for (const item of items) {
    if (item.value > bestValue && admits(item)) {
      best = item;
      bestValue = item.value;
    }
  }
  return best;
}

const anyValue = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double(),
  fc.constantFrom(Infinity, -Infinity, NaN, 0, -0),
);
const anyStep = fc.record({ at: fc.nat(19), value: anyValue, drop: fc.nat(4), odd: fc.boolean() });

describe("a ranking", () => {
  it("gives the first of the highest that are admitted, whatever moved or was dropped before", () => {
    fc.assert(
      fc.property(
        fc.array(anyValue, { maxLength: 20 }),
        fc.array(anyStep, { maxLength: 60 }),
        (values, steps) => {
          const items = values.map((value, name): Item => ({ name, value }));
          const ranking = new Ranking(items, ({ value }) => value);
          const dropped = new Set<Item>();
          for (const { at, value, drop, odd } of steps) {
            const item = items[at];
            if (item !== undefined && drop === 0) {
              dropped.add(item);
              ranking.drop(item);
            } else if (item !== undefined) {
              item.value = value;
              ranking.moved(item);
            }
            for (const admits of [
              (): boolean => true,
              ({ name }: Item): boolean => (name % 2 === 1) === odd,
              (): boolean => false,
            ]) {
              const plain = highest(items, (other) => !dropped.has(other) && admits(other));
              expect(ranking.first(admits)).to.equal(plain);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
