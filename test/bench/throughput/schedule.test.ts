import { expect } from "chai";
import { bench } from "./bench.js";

const { expectedMs, isMeasured } = (await bench("schedule.mjs")) as {
  expectedMs(cells: object[], subjects: object[], run: object): number;
  isMeasured(cell: object | undefined, asked: object): boolean;
};
interface Cell {
  readonly name: string;
}
const { cells, inTurn } = (await bench("cells.mjs")) as {
  cells: Cell[];
  inTurn(wanted: Cell[]): Cell[];
};

describe("the throughput bench's schedule", () => {
  const asked = { commit: "0123abc", runs: 2, windowMs: 4_000, subjects: ["leasehold", "kcl"] };
  const round = { leasehold: {}, kcl: {} };
  const cell = {
    runs: [round, round],
    failures: [] as object[],
    windowMs: 4_000,
    measured: { commit: "0123abc" },
  };

  it("takes a cell for measured that the same commit measured whole, though a run of it was made again", () => {
    expect(isMeasured(cell, asked)).to.equal(true);
    expect(isMeasured({ ...cell, failures: [{ isLoss: false }] }, asked)).to.equal(true);
    expect(isMeasured({ ...cell, runs: [round, round, round] }, asked)).to.equal(true);
  });

  it("has a cell measured that was not, not of these sources, not as long, or not whole", () => {
    expect(isMeasured(undefined, asked)).to.equal(false);
    expect(isMeasured({ ...cell, measured: { commit: "4567def" } }, asked)).to.equal(false);
    expect(isMeasured({ ...cell, windowMs: 5_000 }, asked)).to.equal(false);
    expect(isMeasured({ ...cell, runs: [round] }, asked)).to.equal(false);
    expect(isMeasured({ ...cell, runs: [round, { leasehold: {} }] }, asked)).to.equal(false);
    expect(isMeasured({ ...cell, failures: [{ isLoss: true }] }, asked)).to.equal(false);
  });

  it("takes no cell for measured whose sources are no commit's", () => {
    for (const commit of ["0123abc-dirty", "unknown"]) {
      expect(isMeasured({ ...cell, measured: { commit } }, { ...asked, commit })).to.equal(false);
    }
  });

  it("begins with the cells of which something is promised, and leaves none out", () => {
    const turns = inTurn(cells).map(({ name }) => name);
    expect(turns.slice(0, 3).sort()).to.deep.equal(["100B-full-4", "1KiB-full-4", "1KiB-full-64"]);
    expect(turns.sort()).to.deep.equal(cells.map(({ name }) => name).sort());
  });

  it("has time for all cells and subjects in three quarters of an hour", () => {
    const onNode = { startMs: 1_500, warmUpMs: 3_000 };
    const subjects = [onNode, onNode, onNode, { startMs: 8_000, warmUpMs: 15_000 }];
    const once = expectedMs(cells, subjects, { runs: 1, windowMs: 4_000 });
    expect(expectedMs(cells, subjects, { runs: 3, windowMs: 4_000 })).to.be.closeTo(3 * once, 1);
    expect((3 * once) / 60_000).to.be.within(20, 45);
  });
});
