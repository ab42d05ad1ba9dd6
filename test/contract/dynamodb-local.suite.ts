import { expect } from "chai";
import { startDynamoDbLocal } from "../../scripts/dynamodb-local/start.mjs";
import { DynamoDbHarness } from "./dynamodb-harness.js";
import { registerContract } from "./register.js";

describe("the contract of a store: DynamoDB Local", function () {
  this.timeout(30_000);
  let local: Awaited<ReturnType<typeof startDynamoDbLocal>>;
  let harness: DynamoDbHarness;

  before(async function () {
    // The first run fetches 51 MB.
    this.timeout(600_000);
    local = await startDynamoDbLocal();
    harness = new DynamoDbHarness(local.endpoint);
  });

  after(async () => {
    harness.close();
    await local.stop();
  });

  registerContract(() => harness.open());

  describe("capabilities", () => {
    it("has a time to live for old history", () => {
      expect(harness.capabilities).to.not.be.empty;
      for (const capability of harness.capabilities) {
        expect(capability).to.deep.equal({ name: "ttl", present: true });
      }
    });
  });
});
