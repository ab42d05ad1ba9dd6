import { expect } from "chai";
import { openHistory, type FleetHistory } from "../../../src/index.js";
import type { Bench } from "./bench.js";

/** Its history, asked as users ask it; closed with the bench. */
export function historyOf(bench: Bench): FleetHistory {
  const history = openHistory({ application: bench.application, dynamodb: bench.dynamodb });
  bench.onClose(() => {
    history.close();
  });
  return history;
}

/** Every lease has every epoch once, from its creation to now, each ended by what the next began with. */
export async function expectWholeHistory(bench: Bench, leases: number): Promise<void> {
  const verdict = await historyOf(bench).verify();
  expect(verdict.problems).to.deep.equal([]);
  expect([verdict.ok, verdict.leases]).to.deep.equal([true, leases]);
  expect(verdict.epochs).to.be.greaterThan(leases);
}
