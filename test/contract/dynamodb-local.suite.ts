import { expect } from "chai";
import { hasCode } from "../../src/model/errors.js";
import { leaseItem } from "../../src/store/lease-item.js";
import { lease } from "../../src/testing/contract/harness.js";
import { DynamoDbHarness } from "./dynamodb-harness.js";
import { registerContract } from "./register.js";
import { everyOption, preparedWith } from "./table-options.js";

/** What scripts/dynamodb-local/start.mjs exports: plain JavaScript, which runs without a build. */
interface Launcher {
  startDynamoDbLocal(): Promise<{ readonly endpoint: string; stop(): Promise<void> }>;
}
const launcher = new URL("../../scripts/dynamodb-local/start.mjs", import.meta.url).href;

describe("the contract of a store: DynamoDB Local", function () {
  this.timeout(30_000);
  let local: Awaited<ReturnType<Launcher["startDynamoDbLocal"]>>;
  let harness: DynamoDbHarness;

  before(async function () {
    // The first run fetches 51 MB.
    this.timeout(600_000);
    const { startDynamoDbLocal } = (await import(launcher)) as Launcher;
    local = await startDynamoDbLocal();
    harness = new DynamoDbHarness(local.endpoint);
  });

  after(async () => {
    harness.close();
    await local.stop();
  });

  registerContract(() => harness.open());

  it("adds the owner index to a table that the KCL 2 made, and finds its rows by it", async () => {
    const { store, raw, dropTables, close } = await harness.open();
    await dropTables();
    await harness.makeKcl2Table();
    await raw.put(leaseItem(lease("s1", { owner: "java" })));
    expect(hasCode(await store.tables.verify().catch((error: unknown) => error), "table-missing")).to.be.true;
    await Promise.all([store.tables.prepare(), store.tables.prepare()]);
    await store.tables.verify();
    expect(await store.leases.keysOf("java")).to.deep.equal(["s1"]);
    await dropTables();
    await close();
  });

  it("makes tables as the options ask, names what the store cannot do, and changes no table that stands", async () => {
    const newClient = (defaults?: Parameters<DynamoDbHarness["newClient"]>[0]) => harness.newClient(defaults);
    const made = await preparedWith(newClient, "tabled", everyOption);
    const units = { ReadCapacityUnits: 7, WriteCapacityUnits: 9 };
    expect(made.lease.ProvisionedThroughput).to.include(units);
    expect(made.fleet.ProvisionedThroughput).to.include(units);
    expect(made.lease.GlobalSecondaryIndexes?.[0]?.ProvisionedThroughput).to.include(units);
    expect(made.missing).to.deep.equal(["pointInTimeRecovery", "tags"]);
    expect(made.lease.DeletionProtectionEnabled).to.equal(true);
    expect(made.differences).to.deep.equal([]);
    const later = await preparedWith(newClient, "tabled", { billing: "on-demand" });
    const differs = "its billing is 7 read and 9 write units, asked for is on-demand";
    expect(later.differences).to.deep.equal([`tabled-fleet: ${differs}`, `tabled: ${differs}`]);
    expect(later.lease.ProvisionedThroughput).to.include(units);
  });

  describe("capabilities", () => {
    it("has a time to live for old history", () => {
      expect(harness.capabilities).to.not.be.empty;
      for (const capability of harness.capabilities) {
        expect(capability).to.deep.equal({ name: "ttl", present: true });
      }
    });
  });
});
