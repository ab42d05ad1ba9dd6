export { createMemoryStore } from "./memory-store.js";
export { MemoryTables, type MemorySnapshot } from "./memory-tables.js";
