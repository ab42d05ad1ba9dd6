export { checkDynamoDbOptions, type ProvisionedCapacity, type TableOptions } from "./table-options.js";
export { createDynamoDbStore, type DynamoDbStoreOptions } from "./dynamodb-store.js";
export type { Capability } from "./tables.js";
