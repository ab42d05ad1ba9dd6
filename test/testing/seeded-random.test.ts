import { expect } from "chai";
import { seededRandom } from "../../src/testing/seeded-random.js";

const draws = (seed: number | string, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe("seeded random", () => {
  it("draws the same from the same seed, and otherwise from another", () => {
    expect(draws(7, 50)).to.deep.equal(draws(7, 50));
    expect(draws("7", 50)).to.deep.equal(draws(7, 50));
    expect(draws(8, 50)).not.to.deep.equal(draws(7, 50));
  });

  it("is the same on every machine and in every version: first draws of seed 1", () => {
    const random = seededRandom(1);
    expect([random.integer(0, 999), random.integer(0, 999), random.integer(0, 999)]).to.deep.equal([
      15, 325, 798,
    ]);
  });

  it("spreads its draws evenly over [0, 1), whatever the seed", () => {
    for (const seed of [0, 1, 2, "a", "b", ""]) {
      const buckets = new Array<number>(10).fill(0);
      for (const value of draws(seed, 10_000)) {
        expect(value).to.be.within(0, 1 - Number.EPSILON / 2);
        const bucket = Math.floor(value * 10);
        buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      }
      for (const count of buckets) expect(count).to.be.within(850, 1_150);
    }
  });

  it("forks streams that the name decides and that draw from nothing of the parent", () => {
    const parent = seededRandom(3);
    const before = parent.fork("worker-1").next();
    parent.next();
    expect(parent.fork("worker-1").next()).to.equal(before);
    expect(parent.fork("worker-2").next()).not.to.equal(before);
    expect(seededRandom(4).fork("worker-1").next()).not.to.equal(before);
    const drawn = seededRandom(3);
    drawn.fork("x").next();
    expect(drawn.next()).to.equal(seededRandom(3).next());
  });

  it("makes identifiers of hexadecimal digits, never the same twice", () => {
    const [a, b] = [seededRandom(5).fork("a"), seededRandom(5).fork("b")];
    const ids = [a, b].flatMap((random) => Array.from({ length: 5_000 }, () => random.id()));
    expect(new Set(ids).size).to.equal(10_000);
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{24}$/);
  });

  it("draws integers with both ends included, chances, and items of a list", () => {
    const random = seededRandom(6);
    const dice = new Set(Array.from({ length: 500 }, () => random.integer(1, 6)));
    expect([...dice].sort()).to.deep.equal([1, 2, 3, 4, 5, 6]);
    const picked = new Set(Array.from({ length: 200 }, () => random.pick(["a", "b", "c"])));
    expect([...picked].sort()).to.deep.equal(["a", "b", "c"]);
    const hits = Array.from({ length: 10_000 }, () => random.chance(0.2)).filter(Boolean).length;
    expect(hits).to.be.within(1_800, 2_200);
    expect(() => random.pick([])).to.throw(RangeError);
    for (let i = 0; i < 100; i++) expect(random.between(5, 6)).to.be.within(5, 6);
  });
});
