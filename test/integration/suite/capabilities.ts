import { PutItemCommand, TransactWriteItemsCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { Bench, failure } from "./bench.js";
import type { Place } from "./place.js";

/** That the place's description is true: what it says a store cannot do, the store refuses, and the other way round. */
export function capabilityCases(place: () => Place): void {
  describe("what the store can do", function () {
    this.timeout(60_000);
    let bench: Bench;

    before(async () => {
      bench = new Bench(place(), "capabilities");
      const partitions = { partitions: ["a"] };
      const fleet = await bench.fleet({ partitions, processor: { process: () => {} } });
      await fleet.until(() => fleet.of("tenure-began").length > 0);
      await fleet.stop();
    });

    after(async () => {
      await bench.close();
    });

    const item = (leaseKey: string): { TableName: string; Item: Record<string, { S: string }> } => ({
      TableName: bench.application,
      Item: { leaseKey: { S: leaseKey }, entityType: { S: "PROBE" } },
    });

    /** Whether the store knows the call; any other failure is one. */
    async function isKnown(call: Promise<unknown>): Promise<boolean> {
      try {
        await call;
        return true;
      } catch (error) {
        if (
          error instanceof Error &&
          /UnknownOperation|not supported/i.test(`${error.name} ${error.message}`)
        ) {
          return false;
        }
        throw error;
      }
    }

    it("transactions: as described, and no change of owner needs one", async () => {
      const both = ["t1", "t2"].map((key) => ({ Put: item(key) }));
      const known = await isKnown(bench.client.send(new TransactWriteItemsCommand({ TransactItems: both })));
      expect(known).to.equal(place().capabilities.transactions);
      // The fleet above took, checkpointed and released without.
      expect((await bench.row("a"))?.["tenure"]?.M?.["reason"]?.S).to.equal("released");
    });

    it("the old row on a refused condition: as described, and a refused write tells the row either way", async () => {
      const refused = new PutItemCommand({
        ...item("a"),
        ConditionExpression: "attribute_not_exists(leaseKey)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      const error = await failure(bench.client.send(refused));
      expect(error.name).to.equal("ConditionalCheckFailedException");
      expect("Item" in error && error.Item !== undefined).to.equal(place().capabilities.oldRowOnRefusal);
      const since = "2026-01-01T00:00:00.000Z";
      const created = await bench
        .store()
        .ownership.create(
          { leaseKey: "a", checkpoint: { sequenceNumber: "LATEST", subSequenceNumber: 0 }, parents: [] },
          1,
          { epoch: 1, reason: "created", since },
          "probe",
        );
      expect(created.ok).to.equal(false);
      expect(created.ok ? undefined : created.current?.leaseKey).to.equal("a");
    });

    it("time to live: as described", async () => {
      const TimeToLiveSpecification = { AttributeName: "probe", Enabled: true };
      const update = new UpdateTimeToLiveCommand({ TableName: bench.application, TimeToLiveSpecification });
      expect(await isKnown(bench.client.send(update))).to.equal(place().capabilities.timeToLive);
    });
  });
}
