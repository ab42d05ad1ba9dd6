import { checkpointCases } from "./contract/checkpoints.js";
import { membershipCases, plannerCases } from "./contract/fleet.js";
import type { CaseMap, ContractCase, StoreHarness } from "./contract/harness.js";
import { metaCases } from "./contract/meta.js";
import { operatorCases } from "./contract/operator.js";
import { observationCases } from "./contract/observing.js";
import { ownershipCases } from "./contract/ownership.js";
import { readingCases } from "./contract/reading.js";
import { historyCases, tableCases } from "./contract/rest.js";

export type { ContractCase, StoreHarness } from "./contract/harness.js";

const groups: Readonly<Record<string, CaseMap>> = {
  "reading leases": readingCases,
  ownership: ownershipCases,
  checkpoints: checkpointCases,
  membership: membershipCases,
  "who observes whom": observationCases,
  meta: metaCases,
  "planner desk": plannerCases,
  history: historyCases,
  operator: operatorCases,
  tables: tableCases,
};

/**
 * What every store must do, as a list of cases that any test runner can register. Each condition of each write has a
 * case that fails when the condition is left out.
 * @param open makes a store with empty tables; called once a case
 */
export function storeContract(open: () => Promise<StoreHarness>): readonly ContractCase[] {
  return Object.entries(groups).flatMap(([group, cases]) =>
    Object.entries(cases).map(([title, body]) => ({
      group,
      title,
      async run(): Promise<void> {
        const harness = await open();
        try {
          await body(harness);
        } finally {
          await harness.close();
        }
      },
    })),
  );
}
