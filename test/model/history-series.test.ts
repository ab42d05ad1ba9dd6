import { expect } from "chai";
import { lastsBeyond, tenureAt, tenuresOf } from "../../src/model/history-series.js";
import { at, atMs, busyLife, Life } from "./past.js";

const holders = (life: Life): readonly string[] =>
  tenuresOf(life.record).map(({ epoch, worker }) => `${String(epoch)} ${worker ?? "-"}`);

/** Who held it at each half second. */
const heldAt = (life: Life, ...seconds: readonly number[]): readonly string[] =>
  seconds.map((second) => {
    const found = tenureAt(tenuresOf(life.record), atMs(second));
    return found === undefined ? "?" : (found.worker ?? "-");
  });

describe("the tenures of a lease", () => {
  it("are its history's and its row's, each epoch once", () => {
    const life = busyLife();
    expect(life.entries.map(({ epoch }) => epoch)).to.deep.equal([10, 11, 12, 13]);
    expect(holders(life)).to.deep.equal(["10 -", "11 a", "12 b", "13 c", "14 -", "15 a"]);
  });

  it("of which both know one are told as the history tells them: with their end", () => {
    const life = busyLife();
    const before = life.row;
    life.change("handoff", "b", "handoff");
    // The row was read before the change, the history after it.
    const record = { ...life.record, row: before };
    expect(tenuresOf(record).map(({ epoch }) => epoch)).to.deep.equal([10, 11, 12, 13, 14, 15]);
    expect(tenuresOf(record).at(-2)).to.include({ epoch: 14, until: at(6), endedBy: "taken" });
    expect(tenuresOf(record).at(-1)).not.to.have.any.keys("until", "endedBy");
  });

  it("say how each began and why it ended", () => {
    const [, , given] = tenuresOf(busyLife().record);
    expect(given).to.deep.equal({
      leaseKey: "s1",
      epoch: 12,
      worker: "b",
      since: at(3),
      until: at(4),
      reason: "handoff",
      cause: "handoff",
      endedBy: "taken-from-fenced",
      endCause: "observer",
    });
  });

  it("of a row that nobody of us ever wrote are none", () => {
    expect(holders(new Life().foreign(7, "java"))).to.deep.equal([]);
  });
});

describe("who held a lease at an instant", () => {
  it("is who had begun last and not ended, nobody where it was free", () => {
    expect(heldAt(busyLife(), 1.5, 2, 2.5, 3, 4.5, 5.5, 6, 3_600)).to.deep.equal([
      "-",
      "a",
      "a",
      "b",
      "c",
      "-",
      "a",
      "a",
    ]);
  });

  it("is unknown before its creation, and where the history has a hole", () => {
    expect(heldAt(busyLife().without(12), 0.5, 2.5, 3.5, 4.5)).to.deep.equal(["?", "a", "?", "c"]);
  });

  it("is nobody once it is deleted, also when its row is gone", () => {
    const life = busyLife().change("released", undefined, "partition-ended").change("deleted");
    expect(heldAt(life, 6.5, 7.5, 9)).to.deep.equal(["a", "-", "-"]);
    expect(heldAt(life.removed(), 6.5, 7.5, 9)).to.deep.equal(["a", "-", "-"]);
  });

  it("goes by the epochs where two writers' clocks disagree", () => {
    // b's clock is behind: it seems to begin before a did.
    const life = new Life().created(10).change("taken", "a").change("handoff", "b");
    const tenures = tenuresOf(life.record).map((tenure) =>
      tenure.epoch === 12 ? { ...tenure, since: at(1.5) } : tenure,
    );
    expect(tenureAt(tenures, atMs(1.7))?.worker).to.equal("b");
  });
});

describe("what lasted beyond an instant", () => {
  it("is what ended after it, and what lasts", () => {
    const beyond = tenuresOf(busyLife().record).filter((tenure) => lastsBeyond(tenure, atMs(5)));
    expect(beyond.map(({ epoch }) => epoch)).to.deep.equal([14, 15]);
  });
});
