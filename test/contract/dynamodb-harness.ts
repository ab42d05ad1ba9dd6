import {
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ResourceNotFoundException,
  ScanCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { createDynamoDbStore, type Capability } from "../../src/store/dynamodb/index.js";
import type { StoreHarness } from "../../src/testing/store-contract.js";
import { losingAnswers } from "./losing.js";

const application = "contract";
const tables = { [application]: ["leaseKey"], [`${application}-fleet`]: ["pk", "sk"] };

/** The contract suite's store on a DynamoDB emulator: one pair of tables, emptied for every case. */
export class DynamoDbHarness {
  readonly #client: DynamoDBClient;
  readonly #endpoint: string;
  readonly capabilities: Capability[] = [];

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#client = this.newClient();
  }

  newClient(defaults: ConstructorParameters<typeof DynamoDBClient>[0] = {}): DynamoDBClient {
    return new DynamoDBClient({
      ...defaults,
      endpoint: this.#endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "contract", secretAccessKey: "contract" },
    });
  }

  async open(): Promise<StoreHarness> {
    const store = createDynamoDbStore({
      application,
      client: (defaults) => this.newClient(defaults),
      pageLimit: 2,
      onCapability: (capability) => this.capabilities.push(capability),
    });
    await store.tables.prepare();
    await this.#empty();
    return {
      store,
      losing: losingAnswers(store),
      raw: {
        put: async (item) => {
          await this.#client.send(new PutItemCommand({ TableName: application, Item: item }));
        },
        get: async (leaseKey) => {
          const Key = { leaseKey: { S: leaseKey } };
          const get = new GetItemCommand({ TableName: application, Key, ConsistentRead: true });
          return (await this.#client.send(get)).Item;
        },
      },
      dropTables: () => this.dropTables(),
      close: async () => store.close(),
    };
  }

  /** A lease table as the KCL 2 makes it: on demand, without the owner index. */
  async makeKcl2Table(): Promise<void> {
    const key = { AttributeName: "leaseKey" };
    const create = new CreateTableCommand({
      TableName: application,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [{ ...key, KeyType: "HASH" }],
      AttributeDefinitions: [{ ...key, AttributeType: "S" }],
    });
    await this.#client.send(create);
    const wait = { client: this.#client, minDelay: 1, maxDelay: 1, maxWaitTime: 20 };
    await waitUntilTableExists(wait, { TableName: application });
  }

  async dropTables(): Promise<void> {
    for (const TableName of Object.keys(tables)) {
      try {
        await this.#client.send(new DeleteTableCommand({ TableName }));
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
      const wait = { client: this.#client, minDelay: 1, maxDelay: 1, maxWaitTime: 20 };
      await waitUntilTableNotExists(wait, { TableName });
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #empty(): Promise<void> {
    for (const [TableName, keys] of Object.entries(tables)) {
      const { Items = [] } = await this.#client.send(new ScanCommand({ TableName }));
      for (const item of Items) {
        const Key = Object.fromEntries(Object.entries(item).filter(([name]) => keys.includes(name)));
        await this.#client.send(new DeleteItemCommand({ TableName, Key }));
      }
    }
  }
}
