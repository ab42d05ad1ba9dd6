import type { CreateTableCommandInput, KeySchemaElement, TableDescription } from "@aws-sdk/client-dynamodb";

/** The KCL 3's index: which rows name an owner. */
export const ownerIndex = "LeaseOwnerToLeaseKeyIndex";

/** The attribute by which the store drops old history. */
export const expiryAttribute = "expiresAt";

export interface TableShape {
  readonly keys: readonly KeySchemaElement[];
  readonly create: Omit<CreateTableCommandInput, "TableName">;
}

const string = (name: string) => ({ AttributeName: name, AttributeType: "S" }) as const;
const hash = (name: string) => ({ AttributeName: name, KeyType: "HASH" }) as const;
const range = (name: string) => ({ AttributeName: name, KeyType: "RANGE" }) as const;

export const ownerIndexShape = {
  IndexName: ownerIndex,
  KeySchema: [hash("leaseOwner"), range("leaseKey")],
  Projection: { ProjectionType: "KEYS_ONLY" as const },
};
export const leaseAttributeDefinitions = [string("leaseKey"), string("leaseOwner")];

/** As the KCL 3 makes it. */
export const leaseTableShape: TableShape = {
  keys: [hash("leaseKey")],
  create: {
    AttributeDefinitions: leaseAttributeDefinitions,
    KeySchema: [hash("leaseKey")],
    BillingMode: "PAY_PER_REQUEST",
    GlobalSecondaryIndexes: [ownerIndexShape],
  },
};

export const fleetTableShape: TableShape = {
  keys: [hash("pk"), range("sk")],
  create: {
    AttributeDefinitions: [string("pk"), string("sk")],
    KeySchema: [hash("pk"), range("sk")],
    BillingMode: "PAY_PER_REQUEST",
  },
};

/** Keys as people write them: `leaseOwner (S, HASH), leaseKey (S, RANGE)`. */
export function describeKeys(keys: readonly KeySchemaElement[], types: ReadonlyMap<string, string>): string {
  return keys
    .map(
      ({ AttributeName: name = "?", KeyType: kind = "?" }) => `${name} (${types.get(name) ?? "S"}, ${kind})`,
    )
    .join(", ");
}

/** What differs between a table and what is needed, as a clause; undefined when nothing does. */
export function keyDifference(
  found: readonly KeySchemaElement[] | undefined,
  table: TableDescription,
  needed: readonly KeySchemaElement[],
): string | undefined {
  const types = new Map(
    table.AttributeDefinitions?.map(({ AttributeName = "", AttributeType = "" }) => [
      AttributeName,
      AttributeType,
    ]),
  );
  const isKey = describeKeys(found ?? [], types);
  const mustBe = describeKeys(needed, new Map());
  return isKey === mustBe ? undefined : `its key is ${isKey}, and must be ${mustBe}`;
}
