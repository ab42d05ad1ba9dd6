import { expect } from "chai";

interface Cell {
  readonly leases: number;
  readonly case: string;
  readonly planMs: number;
  readonly unchangedPlanMs: number;
  readonly roundMs: number;
  readonly slowestRoundMs: number;
  readonly workerRoundMs: number;
}
interface Row {
  readonly leaseKey: string;
  readonly throughputKBps: number;
  readonly checkpoint: object;
}

const bench = (file: string): Promise<unknown> =>
  import(new URL(`../../bench/planner/${file}`, import.meta.url).href);
const { verdicts } = (await bench("reach.mjs")) as {
  verdicts(result: object): { readonly name: string; readonly kept: boolean; readonly shown: string }[];
};
const { copiedRow, leaseRow, worked } = (await bench("rows.mjs")) as {
  copiedRow(row: Row): Row;
  leaseRow(i: number, workers: number, owner: string): Row;
  worked(row: Row, round: number, throughputKBps: number): Row;
};

/** Every figure grows tenfold from size to size; `change` says what one cell has instead. */
function result(change: (cell: Cell) => Partial<Cell> = () => ({})): object {
  const cells = [1_000, 10_000, 100_000].flatMap((leases) =>
    ["join", "death", "steady"].map((kind): Cell => {
      const ms = leases / 10_000;
      const figures = { planMs: ms, unchangedPlanMs: ms, roundMs: ms, slowestRoundMs: ms, workerRoundMs: ms };
      const cell = { leases, case: kind, ...figures };
      return { ...cell, ...change(cell) };
    }),
  );
  return { cells };
}

const broken = (of: object): string[] =>
  verdicts(of)
    .filter(({ kept }) => !kept)
    .map(({ name, shown }) => `${name}: ${shown}`);

describe("the planner bench's verdicts", () => {
  it("are kept where all grows as the fleet does", () => {
    expect(broken(result())).to.deep.equal([]);
  });

  it("judge each step of ten: one that grows too fast is not made up for by another", () => {
    // 2 and then 50 times as much: 100 from the smallest to the largest, which linear is, too.
    const steep = result(({ leases, case: kind, planMs }) =>
      leases === 10_000 && kind === "death" ? { planMs: planMs / 5 } : {},
    );
    expect(broken(steep)).to.deep.equal([
      "plan() with 10 times the leases and workers, each step and case: 50 ×",
    ]);
  });

  it("judge the slowest round beside the median", () => {
    const slow = result(({ leases }) => (leases === 100_000 ? { slowestRoundMs: 300 } : {}));
    expect(broken(slow)).to.deep.equal(["the slowest of them, which scans the leases: 300 ms"]);
  });
});

describe("the planner bench's rows", () => {
  it("change throughput and checkpoint when they are checkpointed, and are others when they are scanned", () => {
    const row = leaseRow(3, 10, "a");
    const after = worked(row, 7, 12);
    expect(after.throughputKBps).to.equal(12);
    expect(after.checkpoint).to.not.deep.equal(row.checkpoint);
    const copy = copiedRow(after);
    expect(copy).to.deep.equal(after);
    expect(copy).to.not.equal(after);
    expect(copy.checkpoint).to.not.equal(after.checkpoint);
  });
});
