import { expect } from "chai";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { hasCode, messageOf } from "../../src/model/errors.js";
import { DynamoDbHarness } from "./dynamodb-harness.js";
import { registerContract } from "./register.js";
import { everyOption, preparedWith } from "./table-options.js";

describe("the contract of a store: DynamoDB on dynalite", () => {
  let dynalite: Dynalite;
  let harness: DynamoDbHarness;

  before(async () => {
    dynalite = await startDynalite();
    harness = new DynamoDbHarness(dynalite.endpoint);
  });

  after(async () => {
    harness.close();
    await dynalite.stop();
  });

  registerContract(() => harness.open());

  it("refuses a table that the KCL 2 made, since this store cannot add an index to it, and says what to do", async () => {
    const { store, dropTables, close } = await harness.open();
    await dropTables();
    await harness.makeKcl2Table();
    const error = await store.tables.prepare().catch((thrown: unknown) => thrown);
    expect(hasCode(error, "table-mismatch")).to.be.true;
    expect(messageOf(error)).to.match(/contract.*LeaseOwnerToLeaseKeyIndex.*add the index by hand/);
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
    expect(made.missing).to.deep.equal(["deletionProtection", "pointInTimeRecovery", "tags", "ttl"]);
    expect(made.differences).to.deep.equal([]);
    const later = await preparedWith(newClient, "tabled", { billing: "on-demand" });
    const differs = "its billing is 7 read and 9 write units, asked for is on-demand";
    expect(later.differences).to.deep.equal([`tabled-fleet: ${differs}`, `tabled: ${differs}`]);
    expect(later.lease.ProvisionedThroughput).to.include(units);
  });

  describe("capabilities", () => {
    it("says that the store has no time to live", () => {
      expect(harness.capabilities).to.not.be.empty;
      for (const { name, present, reason } of harness.capabilities) {
        expect([name, present]).to.deep.equal(["ttl", false]);
        expect(reason).to.match(/UnknownOperation/);
      }
    });
  });
});
