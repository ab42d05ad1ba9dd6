import { storeContract, type StoreHarness } from "../../src/testing/store-contract.js";
import { kclRowCases } from "./kcl-rows.js";

/** Registers the contract suite, and the reading of rows that real KCL fleets wrote, with mocha. */
export function registerContract(open: () => Promise<StoreHarness>): void {
  const cases = storeContract(open);
  for (const group of new Set(cases.map((found) => found.group))) {
    describe(group, () => {
      for (const { title, run } of cases.filter((found) => found.group === group)) it(title, run);
    });
  }
  describe("rows that real KCL fleets wrote", () => {
    for (const [title, body] of Object.entries(kclRowCases)) {
      it(title, async () => {
        const harness = await open();
        try {
          await body(harness);
        } finally {
          await harness.close();
        }
      });
    }
  });
}
