import { readFileSync } from "node:fs";
import type { LeaseItem } from "../../src/store/lease-item.js";

interface TableDump {
  readonly tables: Readonly<Record<string, { readonly items: readonly LeaseItem[] }>>;
}

/** What a real KCL fleet wrote, as it was recorded. */
export function kclFixture(name: string): unknown {
  const text = readFileSync(new URL(`../fixtures/kcl-rows/${name}.json`, import.meta.url), "utf8");
  return JSON.parse(text, (key, value: unknown) => (key === "B" ? binary(value) : value));
}

function binary(value: unknown): Uint8Array {
  return typeof value === "string"
    ? Buffer.from(value, "base64")
    : Uint8Array.from(Object.values(value as object));
}

/** The rows of a recorded table. */
export function kclItems(name: string): readonly LeaseItem[] {
  return Object.values((kclFixture(name) as TableDump).tables).flatMap((table) => table.items);
}
