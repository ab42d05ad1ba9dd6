import { expect } from "chai";
import type { Store } from "../../../src/store/store.js";

/** Every lease has every epoch once, from its creation to now, in its history and its row together. */
export async function expectContiguousEpochs(store: Store): Promise<void> {
  const { leases } = await store.leases.scan({ consistent: true });
  expect(leases).to.not.be.empty;
  for (const { leaseKey, epoch, tenure, previousTenure } of leases) {
    const archived = (await store.history.list(leaseKey)).map((entry) => entry.epoch);
    const inRow = [previousTenure?.epoch ?? epoch, tenure?.epoch ?? epoch];
    const epochs = [...new Set([...archived, ...inRow])].sort((a, b) => a - b);
    const first = epochs[0] ?? epoch;
    const expected = Array.from({ length: epoch - first + 1 }, (_, i) => first + i);
    expect(epochs, leaseKey).to.deep.equal(expected);
    expect(new Set(archived).size, `${leaseKey}: an epoch twice`).to.equal(archived.length);
  }
}
