import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  PutItemCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import type { Batch } from "../../../src/index.js";
import { Bench, failure, handler } from "./bench.js";
import type { Place } from "./place.js";

/** The tables of an application: made, adopted, refused, deleted under its workers. */
export function tableCases(place: () => Place): void {
  describe("the tables", function () {
    this.timeout(120_000);
    let bench: Bench;

    beforeEach(() => {
      bench = new Bench(place(), "tables");
    });

    afterEach(async () => {
      await bench.close();
    });

    const idle = { partitions: { partitions: ["a"], turnIntervalMs: 100 }, processor: { process: () => {} } };

    async function describeTable(TableName: string): Promise<TableDescription> {
      const { Table } = await bench.client.send(new DescribeTableCommand({ TableName }));
      if (Table === undefined) throw new Error(`${TableName} has no description`);
      return Table;
    }

    /** Until the store has it ready. */
    async function makeTable(key: string): Promise<void> {
      await bench.client.send(
        new CreateTableCommand({
          TableName: bench.application,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [{ AttributeName: key, AttributeType: "S" }],
          KeySchema: [{ AttributeName: key, KeyType: "HASH" }],
        }),
      );
      while ((await describeTable(bench.application)).TableStatus !== "ACTIVE");
    }

    const keysIn = ({ KeySchema = [] }: Pick<TableDescription, "KeySchema">): readonly string[] =>
      KeySchema.map(({ AttributeName, KeyType }) => `${AttributeName ?? ""} ${KeyType ?? ""}`);

    it("are made by workers that start together, with the KCL's names and the owner index", async () => {
      const fleet = await bench.fleet({ ...idle, workers: 2 });
      expect(await bench.tables()).to.deep.equal([bench.application, bench.fleetTable]);
      const lease = await describeTable(bench.application);
      expect(keysIn(lease)).to.deep.equal(["leaseKey HASH"]);
      const [index, ...others] = lease.GlobalSecondaryIndexes ?? [];
      expect(index?.IndexName).to.equal("LeaseOwnerToLeaseKeyIndex");
      expect(keysIn(index ?? {})).to.deep.equal(["leaseOwner HASH", "leaseKey RANGE"]);
      expect(others).to.deep.equal([]);
      expect(keysIn(await describeTable(bench.fleetTable))).to.deep.equal(["pk HASH", "sk RANGE"]);
      await fleet.stop();
    });

    it("give old history a time to live, or the worker says that the store has none", async () => {
      const fleet = await bench.fleet(idle);
      const missing = fleet.of("capability-missing").map(({ capability }) => capability);
      if (place().capabilities.timeToLive) {
        const describeTtl = new DescribeTimeToLiveCommand({ TableName: bench.fleetTable });
        const { TimeToLiveDescription } = await bench.client.send(describeTtl);
        expect(TimeToLiveDescription?.TimeToLiveStatus).to.be.oneOf(["ENABLING", "ENABLED"]);
        expect(missing).to.deep.equal([]);
      } else {
        expect(missing).to.deep.equal(["ttl"]);
      }
    });

    it("that the KCL 2 made are adopted with their checkpoints; a store that adds no index refuses, and says what to do", async () => {
      await makeTable("leaseKey");
      const row = {
        leaseKey: { S: "a" },
        leaseCounter: { N: "7" },
        checkpoint: { S: "5" },
        checkpointSubSequenceNumber: { N: "0" },
        ownerSwitchesSinceCheckpoint: { N: "0" },
        theirs: { S: "kept" },
      };
      await bench.client.send(new PutItemCommand({ TableName: bench.application, Item: row }));
      const turns: (number | undefined)[] = [];
      const started = bench.fleet({ ...idle, processor: { process: ({ turn }: Batch) => turns.push(turn) } });
      if (place().capabilities.laterIndex) {
        const fleet = await started;
        await fleet.until(() => turns.length > 0);
        expect(turns[0]).to.equal(6);
        await fleet.stop();
        const now = await bench.row("a");
        expect(now?.["theirs"]).to.deep.equal(row.theirs);
        expect(Number(now?.["leaseCounter"]?.N)).to.be.greaterThan(7);
      } else {
        const error = await failure(started);
        expect(error.message).to.match(/LeaseOwnerToLeaseKeyIndex.*add the index by hand/);
        expect(await bench.row("a")).to.deep.equal(row);
      }
    });

    it("of another shape are refused, with what differs, and nothing is made", async () => {
      await makeTable("id");
      const error = await failure(bench.fleet(idle));
      expect(error.message).to.contain("table-mismatch");
      expect(error.message).to.contain(bench.application).and.to.contain("id").and.to.contain("leaseKey");
      expect(await bench.tables()).to.deep.equal([bench.application]);
    });

    it("deleted under a running fleet end every worker of it, with their name, and are not made again", async () => {
      const fleet = await bench.fleet({
        partitions: { partitions: ["a", "b"], turnIntervalMs: 100 },
        handler,
        workers: 2,
      });
      await fleet.until(() => fleet.of("tenure-began").length >= 2);
      await bench.dropTables();
      await bench.untilDropped();
      expect(await Promise.all(fleet.workers.map(({ exited }) => exited))).to.deep.equal([1, 1]);
      for (const failed of fleet.of("failed")) {
        expect(failed.code).to.equal("table-missing");
        expect(failed.message).to.contain(bench.application);
      }
      expect(fleet.of("failed")).to.have.length(2);
      expect(fleet.of("worker-ended").map(({ reason }) => reason)).to.deep.equal([
        "table-missing",
        "table-missing",
      ]);
      expect(await bench.tables()).to.deep.equal([]);
    });
  });
}
