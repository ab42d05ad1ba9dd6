// What a subject's lease table says of its checkpoints.
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";

export class LeaseTable {
  #client;
  #name;

  constructor(endpoint, name) {
    this.#client = new DynamoDBClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "bench", secretAccessKey: "bench" },
    });
    this.#name = name;
  }

  /** By shard. Rows of leaders and workers have none. */
  async checkpoints() {
    const found = new Map();
    const request = { TableName: this.#name, ConsistentRead: true };
    for await (const { Items } of paginateScan({ client: this.#client }, request)) {
      for (const { leaseKey, checkpoint } of Items) {
        if (checkpoint !== undefined) found.set(leaseKey.S, JSON.stringify(checkpoint));
      }
    }
    return found;
  }

  close() {
    this.#client.destroy();
  }
}
