import { expect } from "chai";
import { startDynalite, type Dynalite } from "../../src/embedded/dynalite.js";
import { DynamoDbHarness } from "./dynamodb-harness.js";
import { registerContract } from "./register.js";

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
