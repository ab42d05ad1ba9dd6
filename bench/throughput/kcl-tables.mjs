// The KCL's lease tables, on DynamoDB Local: the KCL 3 does not start on dynalite. A new application of its takes a minute
// and a half to the first record. So there is one for each number of shards, and before every run but the first its worker
// comes back to leases that are still its own, whose checkpoints were set back to where nothing was read.
import { DynamoDBClient, paginateScan, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { startDynamoDbLocal } from "../../scripts/dynamodb-local/start.mjs";
import { LeaseTable } from "./lease-table.mjs";

export class KclTables {
  #dynamodb;
  #client;
  #made = new Set();

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
    const application = `bench-${shards}`;
    if (this.#made.has(application)) await this.#setBack(application);
    this.#made.add(application);
    const table = new LeaseTable(this.#dynamodb.endpoint, application);
    return {
      application,
      endpoint: this.#dynamodb.endpoint,
      checkpoints: () => table.checkpoints(),
      end: () => Promise.resolve(table.close()),
    };
  }

  /** A run that failed may have left no table: then the next makes it. */
  async #setBack(table) {
    try {
      for await (const { Items } of paginateScan({ client: this.#client }, { TableName: table })) {
        for (const { leaseKey, checkpoint } of Items) {
          // Its leader and its workers have rows there, too.
          if (checkpoint !== undefined) await this.#setBackLease(table, leaseKey);
        }
      }
    } catch (error) {
      if (error.name !== "ResourceNotFoundException") throw error;
    }
  }

  #setBackLease(table, leaseKey) {
    return this.#client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { leaseKey },
        UpdateExpression: "SET checkpoint = :start",
        ExpressionAttributeValues: { ":start": { S: "TRIM_HORIZON" } },
      }),
    );
  }

  async stop() {
    this.#client.destroy();
    await this.#dynamodb.stop();
  }
}
