import type { RootHookObject } from "mocha";

/** Hooks that hold for every test of the project; mocha takes them by this name. */
export const mochaHooks: RootHookObject = {};
