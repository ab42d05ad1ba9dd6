import { createMemoryStore, MemoryTables } from "../../src/store/memory/index.js";
import { losingAnswers } from "./losing.js";
import { registerContract } from "./register.js";

for (const returnsOldRow of [true, false]) {
  const how = returnsOldRow ? "returns the old row" : "does not return the old row";
  describe(`the contract of a store: memory that ${how} on a refusal`, () => {
    registerContract(async () => {
      const tables = new MemoryTables({ missing: true });
      const store = createMemoryStore({ application: "contract", tables, returnsOldRow });
      await store.tables.prepare();
      return {
        store,
        losing: losingAnswers(store),
        raw: {
          put: async (item) => tables.putRawLease(item),
          get: async (leaseKey) => tables.snapshot().rawLease(leaseKey),
        },
        dropTables: async () => tables.drop(),
        close: async () => store.close(),
      };
    });
  });
}
