import { expect } from "chai";
import { bench } from "./bench.js";

interface Cell {
  readonly cell: string;
  readonly kcl: { readonly recordsPerCpuSecond: number; readonly rounds: number } | null;
  readonly ratios: { readonly toKcl: number | null };
}

const { cellOf, isComplete } = (await bench("summary.mjs")) as {
  cellOf(cell: object, rounds: object[], failures: object[]): Cell;
  isComplete(cell: object, wanted: string[]): boolean;
};
const { resultOf, withCell } = (await bench("results.mjs")) as {
  resultOf(
    cells: object[],
    subjects: string[],
  ): {
    readonly isComplete: boolean;
    readonly failures: object[];
    readonly leasehold: object | null;
  };
  withCell(kept: { readonly cell: string }[], cell: { readonly cell: string }): { readonly cell: string }[];
};

const run = (recordsPerCpuSecond: number): object => ({
  recordsPerCpuSecond,
  recordsPerSecond: 1,
  residentBytes: 1,
  serverShare: 0,
});
const shape = { name: "1KiB-full-4", shards: 4 };

describe("the throughput bench's summary of a cell", () => {
  it("has medians of the rounds that came through, and says how many did", () => {
    const rounds = [
      { leasehold: run(300), kcl: run(100) },
      { leasehold: run(400), kcl: run(200) },
      { leasehold: run(500) },
    ];
    const cell = cellOf(shape, rounds, [{ subject: "kcl", isLoss: false }]);
    expect(cell.kcl).to.include({ recordsPerCpuSecond: 150, rounds: 2 });
    expect(cell.ratios.toKcl).to.equal(2.67);
  });

  it("has no figure of a subject that lost records in any run", () => {
    const rounds = [{ leasehold: run(300), kcl: run(100) }, { leasehold: run(400) }];
    const cell = cellOf(shape, rounds, [{ subject: "kcl", isLoss: true }]);
    expect(cell.kcl).to.equal(null);
    expect(cell.ratios.toKcl).to.equal(null);
  });

  it("is incomplete where a wanted subject has no figure in a round, or records were lost", () => {
    const runs = [{ leasehold: {}, kcl: undefined }];
    expect(isComplete({ runs, failures: [] }, ["leasehold"])).to.equal(true);
    expect(isComplete({ runs, failures: [] }, ["leasehold", "kcl"])).to.equal(false);
    expect(isComplete({ runs, failures: [{ isLoss: true }] }, ["leasehold"])).to.equal(false);
  });
});

describe("the throughput bench's results", () => {
  it("put a cell in the place of the one before, in the order of all, and keep the others", () => {
    const kept = [{ cell: "100B-full-4", old: true }, { cell: "25KiB-500-64" }];
    const first = withCell(kept, { cell: "1KiB-full-4" });
    expect(first.map(({ cell }) => cell)).to.deep.equal(["100B-full-4", "1KiB-full-4", "25KiB-500-64"]);
    expect(withCell(first, { cell: "100B-full-4" })[0]).to.deep.equal({ cell: "100B-full-4" });
  });

  it("are incomplete where one cell is, and name its failures", () => {
    const whole = cellOf(shape, [{ leasehold: run(1), kcl: run(1) }], []);
    const failure = { subject: "kcl", round: 1, isLoss: false, error: "slow" };
    const part = cellOf({ ...shape, name: "1KiB-full-64" }, [{ leasehold: run(1) }], [failure]);
    expect(resultOf([whole], ["leasehold", "kcl"])).to.include({ isComplete: true });
    const result = resultOf([whole, part], ["leasehold", "kcl"]);
    expect(result.isComplete).to.equal(false);
    expect(result.failures).to.deep.equal([{ cell: "1KiB-full-64", ...failure }]);
    expect(result.leasehold).not.to.equal(null);
  });
});
