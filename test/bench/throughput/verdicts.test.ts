import { expect } from "chai";
import { bench } from "./bench.js";

const { verdicts } = (await bench("reach.mjs")) as {
  verdicts(result: object): { readonly name: string; readonly kept: boolean; readonly shown: string }[];
};

describe("the throughput bench's verdicts", () => {
  const result = {
    ratios: { toBareSdk: 4, zeroCopyToBareSdk: 5, toKcl: null, residentToKcl: null },
    serverShare: 0.05,
    subjects: ["bareSdk", "leasehold", "leaseholdZeroCopy", "kcl"],
    cells: [{ cell: "1KiB-full-4" }],
  };
  const told = (of: object): string[] =>
    verdicts(of)
      .filter(({ name }) => name.includes("KCL"))
      .map(({ kept, shown }) => `${String(kept)}: ${shown}`);

  it("say of a subject that was wanted and has no figure that it failed", () => {
    expect(told(result)).to.deep.equal(["false: not measured: it failed", "false: not measured: it failed"]);
    expect(verdicts(result)).to.have.length(5);
  });

  it("say nothing of a subject that was not wanted", () => {
    expect(told({ ...result, subjects: ["bareSdk", "leasehold"] })).to.deep.equal([]);
  });
});
