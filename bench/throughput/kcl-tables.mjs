// The KCL's lease tables, on DynamoDB Local: the KCL 3 does not start on dynalite. A new application of its takes a minute
// and a half to the first record. So every run has a table as one that was there before leaves it behind, all leases its
// worker's and none of them read from, and no leader: a lease that is lost comes back within two rounds of the next one.
import {
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { startDynamoDbLocal } from "../../scripts/dynamodb-local/start.mjs";
import { hashRange, shardName } from "./canned/records.mjs";
import { LeaseTable } from "./lease-table.mjs";

/** As KclSubject.java is called. */
const worker = "worker";

export class KclTables {
  #dynamodb;
  #client;
  #made = 0;

  static async start() {
    const tables = new KclTables();
    tables.#dynamodb = await startDynamoDbLocal();
    tables.#client = new DynamoDBClient({
      endpoint: tables.#dynamodb.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
    });
    return tables;
  }

  async of({ shards }) {
    const application = `bench-${++this.#made}`;
    await this.#client.send(new CreateTableCommand(tableOf(application)));
    for (const Item of rowsOf(shards)) {
      await this.#client.send(new PutItemCommand({ TableName: application, Item }));
    }
    const table = new LeaseTable(this.#dynamodb.endpoint, application);
    return {
      application,
      endpoint: this.#dynamodb.endpoint,
      checkpoints: () => table.checkpoints(),
      end: async () => {
        table.close();
        await this.#client.send(new DeleteTableCommand({ TableName: application }));
      },
    };
  }

  async stop() {
    this.#client.destroy();
    await this.#dynamodb.stop();
  }
}

function tableOf(TableName) {
  return {
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: [{ AttributeName: "leaseKey", KeyType: "HASH" }],
    AttributeDefinitions: [
      { AttributeName: "leaseKey", AttributeType: "S" },
      { AttributeName: "leaseOwner", AttributeType: "S" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "LeaseOwnerToLeaseKeyIndex",
        KeySchema: [
          { AttributeName: "leaseOwner", KeyType: "HASH" },
          { AttributeName: "leaseKey", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
  };
}

/** The mark of an application that is past the KCL 2, and a lease for each shard. */
function rowsOf(shards) {
  const version = {
    leaseKey: { S: "Migration3.0" },
    entityType: { S: "CLIENT_VERSION_MIGRATION" },
    cv: { S: "CLIENT_VERSION_3X" },
    mb: { S: worker },
    mts: { N: String(Date.now()) },
    h: { L: [] },
  };
  const leases = Array.from({ length: shards }, (_, shard) => {
    const { StartingHashKey, EndingHashKey } = hashRange(shard, shards);
    return {
      leaseKey: { S: shardName(shard) },
      entityType: { S: "LEASE" },
      leaseOwner: { S: worker },
      leaseCounter: { N: "1" },
      ownerSwitchesSinceCheckpoint: { N: "0" },
      checkpoint: { S: "TRIM_HORIZON" },
      checkpointSubSequenceNumber: { N: "0" },
      startingHashKey: { S: StartingHashKey },
      endingHashKey: { S: EndingHashKey },
    };
  });
  return [version, ...leases];
}
