// Where the measured workers write what they worked, fenced the way `lease.fencingToken` is meant: the store itself refuses
// a write under a smaller token than the lease's last.
import {
  CreateTableCommand,
  DynamoDBClient,
  UpdateItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";

const TableName = "bench-sink";
const createSeconds = 30;

/** What the store calls it when it refuses a write that came too late. */
export const refusedByStore = "ConditionalCheckFailedException";

/** Makes the table, once a bench. */
export async function createSink(client) {
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: "lease", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "lease", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: createSeconds }, { TableName });
}

/** A worker's way to it: endpoint, region and keys are those of its environment. */
export class Sink {
  #client = new DynamoDBClient();

  /** @throws ConditionalCheckFailedException where a later tenure of the lease has written */
  async write({ leaseKey, fencingToken }) {
    await this.#client.send(
      new UpdateItemCommand({
        TableName,
        Key: { lease: { S: leaseKey } },
        UpdateExpression: "SET #token = :mine ADD #writes :one",
        ConditionExpression: "attribute_not_exists(#token) OR #token <= :mine",
        ExpressionAttributeNames: { "#token": "token", "#writes": "writes" },
        ExpressionAttributeValues: { ":mine": { N: String(fencingToken) }, ":one": { N: "1" } },
      }),
    );
  }
}
