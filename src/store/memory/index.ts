export { createMemoryStore, type MemoryStoreOptions } from "./memory-store.js";
export { MemoryTables, type MemorySnapshot } from "./memory-tables.js";
