// Where workers under test write what they worked: a table of the store that is fenced by token, the way
// `lease.fencingToken` is meant. The store itself refuses a write under a smaller token than the lease's last.
import {
  CreateTableCommand,
  DynamoDBClient,
  UpdateItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";

const TableName = "sink";
const createSeconds = 60;

/** What the store calls it when it refuses a write that came too late. */
export const refusedByStore = "ConditionalCheckFailedException";

/** Makes the table, once a run. */
export async function createSink(client) {
  await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: "lease", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "lease", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: createSeconds, minDelay: 1, maxDelay: 1 }, { TableName });
}

/** A worker's way to it. */
export class Sink {
  #client;

  /** @param config of the client; endpoint, region and keys that are not in it are those of the environment */
  constructor(config = {}) {
    this.#client = new DynamoDBClient(config);
  }

  /** @throws ConditionalCheckFailedException where a later tenure of the lease has written */
  async write({ leaseKey, fencingToken }) {
    await this.#client.send(
      new UpdateItemCommand({
        TableName,
        Key: { lease: { S: leaseKey } },
        UpdateExpression: "SET #token = :mine ADD #writes :one",
        // The same tenure may write often; an older one never again.
        ConditionExpression: "attribute_not_exists(#token) OR #token <= :mine",
        ExpressionAttributeNames: { "#token": "token", "#writes": "writes" },
        ExpressionAttributeValues: { ":mine": { N: String(fencingToken) }, ":one": { N: "1" } },
      }),
    );
  }
}
