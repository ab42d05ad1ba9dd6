import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { hasCode, LeaseholdError, messageOf, StoreError } from "../../model/errors.js";
import type { MetaRow } from "../../model/worker-row.js";
import { sleep, type Clock } from "../../runtime/clock.js";
import type { Call } from "../call.js";
import type { Tables } from "../tables.js";
import type { DynamoDbConnection } from "./connection.js";
import { sdkErrorName, type CallContext } from "./errors.js";
import { metaIn, metaKey } from "./fleet-codec.js";
import { TableExtras } from "./table-extras.js";
import { createInput, type TableDifference, type TableOptions } from "./table-options.js";
import {
  expiryAttribute,
  fleetTableShape,
  keyDifference,
  leaseAttributeDefinitions,
  leaseTableShape,
  ownerIndex,
  ownerIndexShape,
  type TableShape,
} from "./table-shapes.js";

/** What a store may lack without harm to any lease. */
export interface Capability {
  /**
   * `ttl`: old history is dropped by the store itself; without it, it stays until somebody deletes it. The others: an
   * option of the tables, told of only where it was asked for.
   */
  readonly name: "ttl" | keyof TableOptions;
  readonly present: boolean;
  /** Why it is absent. */
  readonly reason?: string;
}

export interface DynamoDbTablesOptions {
  readonly clock: Clock;
  readonly onCapability: (capability: Capability) => void;
  readonly onTableDifference: (difference: TableDifference & { readonly table: string }) => void;
}

const firstPollMs = 50;
const longestPollMs = 1_000;
/** Of one throttled call. */
const triesAtMost = 8;

export class DynamoDbTables implements Tables {
  readonly #connection: DynamoDbConnection;
  readonly #options: DynamoDbTablesOptions;
  readonly #asked: TableOptions;
  readonly #extras: TableExtras;
  /** Made here and not completed yet: a try of the preparation may end before the table can be used. */
  readonly #made = new Set<string>();

  /** @param asked what tables get that are made here */
  constructor(connection: DynamoDbConnection, options: DynamoDbTablesOptions, asked: TableOptions = {}) {
    this.#connection = connection;
    this.#options = options;
    this.#asked = asked;
    this.#extras = new TableExtras(connection, options, asked);
  }

  async prepare(call?: Call): Promise<void> {
    const { leaseTable, fleetTable } = this.#connection;
    // Both are checked before either is made or altered: a wrong one must not leave half a fleet behind.
    const [lease, fleet] = await Promise.all([
      this.#describe(leaseTable, call),
      this.#describe(fleetTable, call),
    ]);
    if (lease !== undefined) this.#check(leaseTable, lease, leaseTableShape);
    if (fleet !== undefined) this.#check(fleetTable, fleet, fleetTableShape);
    await Promise.all([
      this.#settle(leaseTable, leaseTableShape, call).then((found) => this.#ensureIndex(found, call)),
      this.#settle(fleetTable, fleetTableShape, call).then(() => this.#ensureExpiry(call)),
    ]);
  }

  async verify(call?: Call): Promise<void> {
    const { application, leaseTable, fleetTable } = this.#connection;
    const [lease, fleet] = await Promise.all([
      this.#describe(leaseTable, call),
      this.#describe(fleetTable, call),
    ]);
    const missing = [lease === undefined ? leaseTable : "", fleet === undefined ? fleetTable : ""].filter(
      Boolean,
    );
    if (lease === undefined || fleet === undefined) {
      throw new LeaseholdError(
        "table-missing",
        `application ${application} has no table ${missing.join(" and ")}; start a worker to make it, or check the application's name, the region and the endpoint`,
      );
    }
    this.#check(leaseTable, lease, leaseTableShape);
    this.#check(fleetTable, fleet, fleetTableShape);
    if (!hasOwnerIndex(lease)) {
      throw mismatch(leaseTable, `it has no index ${ownerIndex}`, "start a worker, which adds it");
    }
  }

  async meta(call?: Call): Promise<MetaRow | undefined> {
    const { fleetTable } = this.#connection;
    const item = await this.#connection.get(fleetTable, metaKey, true, "read meta", call);
    const meta = item === undefined ? undefined : metaIn(item);
    this.#connection.names.learn(meta);
    return meta;
  }

  /**
   * One call that is made again when it is throttled. Preparing takes half a dozen calls: where each second one is
   * throttled, beginning them all anew would get through once in a minute.
   */
  async #call<T>(
    context: CallContext,
    call: Call | undefined,
    send: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#connection.attempt(context, call, send);
      } catch (error) {
        if (!hasCode(error, "store-throttled") || tries >= triesAtMost) throw error;
        await sleep(
          this.#options.clock,
          Math.min(longestPollMs, firstPollMs * 2 ** (tries - 1)),
          call?.signal,
        );
        if (call?.signal?.aborted === true) throw error;
      }
    }
  }

  async #describe(table: string, call: Call | undefined): Promise<TableDescription | undefined> {
    const context = { table, action: "DescribeTable", doing: "describe it", writes: false };
    try {
      const output = await this.#call(context, call, (options) =>
        this.#connection.client.send(new DescribeTableCommand({ TableName: table }), options),
      );
      return output.Table;
    } catch (error) {
      if (hasCode(error, "table-missing")) return undefined;
      throw error;
    }
  }

  /** @throws LeaseholdError `table-mismatch` */
  #check(table: string, found: TableDescription, shape: TableShape): void {
    const difference = keyDifference(found.KeySchema, found, shape.keys);
    if (difference !== undefined) {
      throw mismatch(
        table,
        difference,
        "choose another application name, or delete the table if nobody uses it",
      );
    }
    const index = found.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === ownerIndex);
    const indexDifference =
      index === undefined ? undefined : keyDifference(index.KeySchema, found, ownerIndexShape.KeySchema);
    if (indexDifference !== undefined) {
      throw mismatch(
        table,
        `of its index ${ownerIndex}, ${indexDifference}`,
        "delete the index; a worker makes it anew",
      );
    }
  }

  /** Makes the table if need be and waits until it and its index can be used. */
  async #settle(table: string, shape: TableShape, call: Call | undefined): Promise<TableDescription> {
    let wasMissing = false;
    for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 1.5)) {
      const found = await this.#describe(table, call);
      if (found === undefined) {
        wasMissing = true;
        await this.#create(table, shape, call);
      } else if (isSettled(found)) {
        this.#check(table, found, shape);
        // One that another worker makes at this moment is that worker's to complete.
        if (this.#made.has(table)) await this.#extras.complete(table, found, call);
        else if (!wasMissing) await this.#extras.compare(table, found, call);
        this.#made.delete(table);
        return found;
      }
      await sleep(this.#options.clock, pollMs, call?.signal);
    }
  }

  async #create(table: string, shape: TableShape, call: Call | undefined): Promise<void> {
    const context = { table, action: "CreateTable", doing: "create it", writes: true };
    const input = createInput(table, shape, this.#asked);
    // An answer may be lost: what is found in use then is what an earlier try made.
    const mayBeOurs = this.#made.has(table);
    this.#made.add(table);
    try {
      await this.#call(context, call, (options) =>
        this.#connection.client.send(new CreateTableCommand(input), options),
      );
    } catch (error) {
      unlessInUse(error);
      if (!mayBeOurs) this.#made.delete(table);
    }
  }

  /** A table that the KCL 2 made has no owner index. */
  async #ensureIndex(found: TableDescription, call: Call | undefined): Promise<void> {
    if (hasOwnerIndex(found)) return;
    const { client, leaseTable } = this.#connection;
    // A table with provisioned capacity wants some for its index too: as much as it has itself.
    const { ReadCapacityUnits = 0, WriteCapacityUnits = 0 } = found.ProvisionedThroughput ?? {};
    const isProvisioned =
      ReadCapacityUnits > 0 && found.BillingModeSummary?.BillingMode !== "PAY_PER_REQUEST";
    const Create = {
      ...ownerIndexShape,
      ...(isProvisioned ? { ProvisionedThroughput: { ReadCapacityUnits, WriteCapacityUnits } } : {}),
    };
    const input = {
      TableName: leaseTable,
      AttributeDefinitions: leaseAttributeDefinitions,
      GlobalSecondaryIndexUpdates: [{ Create }],
    };
    const context = {
      table: leaseTable,
      action: "UpdateTable",
      doing: `add index ${ownerIndex}`,
      writes: true,
    };
    try {
      await this.#call(context, call, (options) => client.send(new UpdateTableCommand(input), options)).catch(
        unlessInUse,
      );
    } catch (error) {
      if (!hasCode(error, "store-rejected")) throw error;
      // Somebody else may have added it between the look and the attempt.
      const now = await this.#describe(leaseTable, call);
      if (now === undefined || !hasOwnerIndex(now)) {
        throw mismatch(
          leaseTable,
          `it has no index ${ownerIndex} (HASH leaseOwner, RANGE leaseKey, KEYS_ONLY), and the store refuses to add it: ${messageOf(error)}`,
          "add the index by hand, or begin with a new application name",
          error,
        );
      }
    }
    await this.#settle(leaseTable, leaseTableShape, call);
  }

  /** Lets the store drop old history, where it can. Nothing about leases depends on it. */
  async #ensureExpiry(call: Call | undefined): Promise<void> {
    const { client, fleetTable } = this.#connection;
    const context = {
      table: fleetTable,
      action: "UpdateTimeToLive",
      doing: "set its time to live",
      writes: true,
    };
    const TimeToLiveSpecification = { Enabled: true, AttributeName: expiryAttribute };
    try {
      // Who may set it need not be allowed to look.
      const mayHave = this.#hasExpiry(call).catch((error: unknown) => {
        if (!hasCode(error, "store-denied")) throw error;
        return false;
      });
      if (await mayHave) return;
      await this.#call(context, call, (options) =>
        client.send(new UpdateTimeToLiveCommand({ TableName: fleetTable, TimeToLiveSpecification }), options),
      );
      this.#options.onCapability({ name: "ttl", present: true });
    } catch (error) {
      // The store does not know it, or the worker may not: its absence is told, and costs storage only.
      if (!hasCode(error, "store-rejected", "store-denied")) throw error;
      // Another worker may have been quicker.
      if (await this.#hasExpiry(call).catch(() => false)) return;
      const reason = messageOf(error);
      // All that is learnt by who may set it and not look.
      const present = /TimeToLive is already enabled/.test(reason);
      this.#options.onCapability(present ? { name: "ttl", present } : { name: "ttl", present, reason });
    }
  }

  async #hasExpiry(call: Call | undefined): Promise<boolean> {
    const { client, fleetTable } = this.#connection;
    const context = {
      table: fleetTable,
      action: "DescribeTimeToLive",
      doing: "read its time to live",
      writes: false,
    };
    const { TimeToLiveDescription: found } = await this.#call(context, call, (options) =>
      client.send(new DescribeTimeToLiveCommand({ TableName: fleetTable }), options),
    );
    const isOn = found?.TimeToLiveStatus === "ENABLED" || found?.TimeToLiveStatus === "ENABLING";
    if (!isOn || found.AttributeName !== expiryAttribute) return false;
    this.#options.onCapability({ name: "ttl", present: true });
    return true;
  }
}

function hasOwnerIndex(table: TableDescription): boolean {
  return table.GlobalSecondaryIndexes?.some(({ IndexName }) => IndexName === ownerIndex) === true;
}

function isSettled(table: TableDescription): boolean {
  const isUsable = table.TableStatus === "ACTIVE" || table.TableStatus === "UPDATING";
  const indexes = table.GlobalSecondaryIndexes ?? [];
  return (
    isUsable && indexes.every(({ IndexStatus }) => IndexStatus === "ACTIVE" || IndexStatus === "UPDATING")
  );
}

/** Another worker makes or alters the table at this moment: wait for it as for one's own. */
function unlessInUse(error: unknown): void {
  const cause = error instanceof StoreError ? error.cause : undefined;
  if (sdkErrorName(cause) !== "ResourceInUseException") throw error;
}

function mismatch(table: string, difference: string, remedy: string, cause?: unknown): LeaseholdError {
  return new LeaseholdError("table-mismatch", `table ${table} cannot be used: ${difference}; ${remedy}`, {
    cause,
  });
}
