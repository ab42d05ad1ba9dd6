export { createDynamoDbStore, type DynamoDbOptions, type DynamoDbStoreOptions } from "./dynamodb-store.js";
export type { Capability } from "./tables.js";
