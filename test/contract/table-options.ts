import { DescribeTableCommand, type DynamoDBClient, type TableDescription } from "@aws-sdk/client-dynamodb";
import { createDynamoDbStore, type Capability, type TableOptions } from "../../src/store/dynamodb/index.js";

export interface Prepared {
  readonly lease: TableDescription;
  readonly fleet: TableDescription;
  /** Names of what the store cannot do, of both tables. */
  readonly missing: readonly string[];
  readonly differences: readonly string[];
}

/** Prepares the tables of an application with these options, and looks at what stands then. */
export async function preparedWith(
  newClient: (defaults?: ConstructorParameters<typeof DynamoDBClient>[0]) => DynamoDBClient,
  application: string,
  options: TableOptions,
): Promise<Prepared> {
  const capabilities: Capability[] = [];
  const differences: string[] = [];
  const store = createDynamoDbStore({
    ...options,
    application,
    client: (defaults) => newClient(defaults),
    onCapability: (capability) => capabilities.push(capability),
    onTableDifference: ({ table, difference }) => differences.push(`${table}: ${difference}`),
  });
  const client = newClient();
  try {
    await store.tables.prepare();
    const look = async (TableName: string): Promise<TableDescription> =>
      (await client.send(new DescribeTableCommand({ TableName }))).Table ?? {};
    return {
      lease: await look(application),
      fleet: await look(`${application}-fleet`),
      missing: [...new Set(capabilities.filter(({ present }) => !present).map(({ name }) => name))].sort(),
      differences: differences.sort(),
    };
  } finally {
    client.destroy();
    store.close();
  }
}

export const everyOption: TableOptions = {
  billing: { readCapacityUnits: 7, writeCapacityUnits: 9 },
  tags: { team: "orders" },
  pointInTimeRecovery: true,
  deletionProtection: true,
};
