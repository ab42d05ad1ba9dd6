export { createDynamoDbStore, type DynamoDbStoreOptions } from "./dynamodb-store.js";
export type { Capability } from "./tables.js";
