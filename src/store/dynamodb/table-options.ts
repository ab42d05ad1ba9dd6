import type { CreateTableCommandInput, TableDescription } from "@aws-sdk/client-dynamodb";
import { LeaseholdError } from "../../model/errors.js";
import type { TableShape } from "./table-shapes.js";

/** Capacity bought in advance, of each table and of the lease table's index. */
export interface ProvisionedCapacity {
  /** Read units a second, an integer from 1 up. */
  readonly readCapacityUnits: number;
  /** Write units a second, an integer from 1 up. */
  readonly writeCapacityUnits: number;
}

/** How tables are made. A table that exists is not changed: where it differs, that is reported once a start. */
export interface TableOptions {
  /** How both tables are paid for. Default: `"on-demand"`. */
  readonly billing?: "on-demand" | ProvisionedCapacity | undefined;
  /** Tags of both tables, at most 50. Default: none. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Whether both tables can be restored to any second of the last 35 days. Default: false. */
  readonly pointInTimeRecovery?: boolean | undefined;
  /** Whether DynamoDB refuses to delete the tables. Default: false. */
  readonly deletionProtection?: boolean | undefined;
}

const names: readonly string[] = [
  "client",
  "billing",
  "tags",
  "pointInTimeRecovery",
  "deletionProtection",
] satisfies readonly ("client" | keyof TableOptions)[];
const mostTags = 50;

function invalid(name: string, value: unknown, rule: string): never {
  const isPlain = value === null || ["undefined", "number", "boolean"].includes(typeof value);
  const shown =
    typeof value === "function"
      ? "a value of type function"
      : isPlain
        ? String(value)
        : JSON.stringify(value);
  throw new LeaseholdError(
    "invalid-option",
    `dynamodb${name} is ${shown}: it must be ${rule}; or leave it out`,
  );
}

/**
 * Checks options as somebody without types may have given them.
 * @throws LeaseholdError `invalid-option` naming field, value and remedy; nothing was written
 */
export function checkDynamoDbOptions(given: unknown): void {
  if (typeof given !== "object" || given === null) invalid("", given, `an object of ${names.join(", ")}`);
  const options = new Map<string, unknown>(Object.entries(given));
  for (const name of options.keys()) {
    if (names.includes(name)) continue;
    throw new LeaseholdError(
      "invalid-option",
      `dynamodb.${name} is no option; known are ${names.join(", ")}`,
    );
  }
  const client = options.get("client");
  if (client !== undefined && typeof client !== "function") {
    invalid(".client", client, "a function that receives our defaults and returns a client");
  }
  const billing = options.get("billing");
  const tags = options.get("tags");
  if (billing !== undefined && billing !== "on-demand") checkCapacity(billing);
  if (tags !== undefined) checkTags(tags);
  for (const name of ["pointInTimeRecovery", "deletionProtection"]) {
    const value = options.get(name);
    if (value !== undefined && typeof value !== "boolean") invalid(`.${name}`, value, "true or false");
  }
}

function checkCapacity(billing: unknown): void {
  const rule = '"on-demand" or { readCapacityUnits, writeCapacityUnits }';
  if (typeof billing !== "object" || billing === null) invalid(".billing", billing, rule);
  const units = new Map(Object.entries(billing));
  for (const name of ["readCapacityUnits", "writeCapacityUnits"]) {
    const value: unknown = units.get(name);
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      invalid(`.billing.${name}`, value, "an integer from 1 up");
    }
    units.delete(name);
  }
  if (units.size > 0) invalid(".billing", billing, `${rule} and nothing else`);
}

function checkTags(tags: unknown): void {
  if (typeof tags !== "object" || tags === null || Array.isArray(tags)) {
    invalid(".tags", tags, "an object of names and texts");
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(tags);
  if (entries.length > mostTags) {
    invalid(".tags", `${String(entries.length)} tags`, `at most ${String(mostTags)}`);
  }
  for (const [name, value] of entries) {
    if (name.length < 1 || name.length > 128 || name.toLowerCase().startsWith("aws:")) {
      invalid(".tags", { [name]: value }, "named with 1 to 128 characters, not beginning with aws:");
    }
    if (typeof value !== "string" || value.length > 256) {
      invalid(`.tags.${name}`, value, "a text of at most 256 characters");
    }
  }
}

/** What a table is made from. */
export function createInput(
  table: string,
  { create }: TableShape,
  { billing = "on-demand", tags = {}, deletionProtection }: TableOptions,
): CreateTableCommandInput {
  const { BillingMode: _onDemand, GlobalSecondaryIndexes: indexes, ...rest } = create;
  const throughput =
    billing === "on-demand"
      ? undefined
      : {
          ReadCapacityUnits: billing.readCapacityUnits,
          WriteCapacityUnits: billing.writeCapacityUnits,
        };
  const capacity = throughput === undefined ? {} : { ProvisionedThroughput: throughput };
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    ...rest,
    TableName: table,
    BillingMode: throughput === undefined ? "PAY_PER_REQUEST" : "PROVISIONED",
    ...capacity,
    // An index has capacity of its own, and refuses writes of the table when it has too little.
    ...(indexes === undefined
      ? {}
      : { GlobalSecondaryIndexes: indexes.map((index) => ({ ...index, ...capacity })) }),
    ...(Tags.length === 0 ? {} : { Tags }),
    ...(deletionProtection === undefined ? {} : { DeletionProtectionEnabled: deletionProtection }),
  };
}

export interface TableDifference {
  readonly option: keyof TableOptions;
  /** What the table has, and what was asked for. */
  readonly difference: string;
}

/** Where a table is not what was asked for, as far as its description says. An option left out asks for nothing. */
export function tableDifferences(
  found: TableDescription,
  { billing, deletionProtection }: TableOptions,
): readonly TableDifference[] {
  const differences: TableDifference[] = [];
  if (billing !== undefined && billingOf(found) !== billingText(billing)) {
    differences.push({
      option: "billing",
      difference: `its billing is ${billingOf(found)}, asked for is ${billingText(billing)}`,
    });
  }
  const isProtected = found.DeletionProtectionEnabled === true;
  if (deletionProtection !== undefined && isProtected !== deletionProtection) {
    const words = (is: boolean): string => (is ? "on" : "off");
    differences.push({
      option: "deletionProtection",
      difference: `its deletion protection is ${words(isProtected)}, asked for is ${words(deletionProtection)}`,
    });
  }
  return differences;
}

function billingText(billing: "on-demand" | ProvisionedCapacity): string {
  return billing === "on-demand"
    ? billing
    : `${String(billing.readCapacityUnits)} read and ${String(billing.writeCapacityUnits)} write units`;
}

function billingOf({ BillingModeSummary, ProvisionedThroughput }: TableDescription): string {
  const { ReadCapacityUnits = 0, WriteCapacityUnits = 0 } = ProvisionedThroughput ?? {};
  // A table that was always provisioned has no summary.
  const isOnDemand = BillingModeSummary?.BillingMode === "PAY_PER_REQUEST" || ReadCapacityUnits === 0;
  return isOnDemand
    ? "on-demand"
    : billingText({ readCapacityUnits: ReadCapacityUnits, writeCapacityUnits: WriteCapacityUnits });
}
