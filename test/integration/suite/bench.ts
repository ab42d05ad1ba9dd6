import { randomUUID } from "node:crypto";
import {
  DeleteTableCommand,
  GetItemCommand,
  ListTablesCommand,
  UpdateItemCommand,
  waitUntilTableExists,
  waitUntilTableNotExists,
  type AttributeValue,
  type DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import { createDynamoDbStore } from "../../../src/store/dynamodb/index.js";
import type { Store } from "../../../src/store/store.js";
import { dynamodbAt, type FleetOptions, type TestFleet } from "../../../src/testing/index.js";
import type { DynamoDbOptions } from "../../../src/index.js";
import { emulated, emulatorClient } from "../../support/dynamodb.js";
import { builtTesting } from "../../support/built.js";
import type { Place } from "./place.js";

/** The handler file of the suite's worker processes. */
export const handler = new URL("handler.mjs", import.meta.url);

/** What every group of cases has at hand: an application of its own on the place, and what was opened for it. */
export class Bench {
  readonly place: Place;
  readonly application: string;
  readonly client: DynamoDBClient;
  readonly #closers: (() => unknown)[] = [];

  /** @param name told apart from other runs', which may use the same endpoint */
  constructor(place: Place, name: string) {
    this.place = place;
    this.application = `suite-${name}-${randomUUID().slice(0, 8)}`;
    this.client = emulatorClient(place.endpoints.dynamodb);
    this.onClose(() => {
      this.client.destroy();
    });
  }

  /** A fleet of the built package, closed with the bench. */
  async fleet(options: Partial<FleetOptions> = {}): Promise<TestFleet> {
    const { startFleet } = await builtTesting();
    const fleet = await startFleet({
      application: this.application,
      endpoints: this.place.endpoints,
      // The shortest there may be has 400 ms for a call, which a busy machine may not keep.
      leaseDurationMs: 5_000,
      ...options,
    });
    this.onClose(() => fleet.close());
    return fleet;
  }

  store(): Store {
    const store = createDynamoDbStore({
      application: this.application,
      ...dynamodbAt(this.place.endpoints),
    });
    this.onClose(() => {
      store.close();
    });
    return store;
  }

  get fleetTable(): string {
    return `${this.application}-fleet`;
  }

  get dynamodb(): DynamoDbOptions {
    return emulated(this.place.endpoints.dynamodb);
  }

  /** The same, and what happens before each update of a row leaves the worker. */
  dynamodbWith(beforeUpdate: (table: string | undefined) => Promise<void>): DynamoDbOptions {
    return {
      client: (defaults) => {
        const client = emulatorClient(this.place.endpoints.dynamodb, defaults);
        client.middlewareStack.add(
          (next, { commandName }) =>
            async (args) => {
              if (commandName === "UpdateItemCommand" && "TableName" in args.input)
                await beforeUpdate(args.input.TableName);
              return next(args);
            },
          { step: "initialize" },
        );
        return client;
      },
    };
  }

  async row(leaseKey: string): Promise<Record<string, AttributeValue> | undefined> {
    const Key = { leaseKey: { S: leaseKey } };
    const get = new GetItemCommand({ TableName: this.application, Key, ConsistentRead: true });
    return (await this.client.send(get)).Item;
  }

  /** Sets one attribute of a row, as an operator would. */
  async set(
    table: string,
    key: Record<string, string>,
    name: string,
    value: AttributeValue,
  ): Promise<Record<string, AttributeValue> | undefined> {
    const update = new UpdateItemCommand({
      TableName: table,
      Key: Object.fromEntries(Object.entries(key).map(([part, text]) => [part, { S: text }])),
      UpdateExpression: "SET #name = :value",
      ExpressionAttributeNames: { "#name": name },
      ExpressionAttributeValues: { ":value": value },
      ReturnValues: "ALL_NEW",
    });
    return (await this.client.send(update)).Attributes;
  }

  /**
   * Gives a lease to somebody else in one write, as whoever takes it does. A worker says so in the row's tenure; a Java
   * worker moves owner and counter only.
   */
  async takeAway(leaseKey: string, owner: string, by: "a worker" | "a Java worker"): Promise<void> {
    const { tenure, leaseCounter } = (await this.row(leaseKey)) ?? {};
    const epoch = { N: String(Number(leaseCounter?.N) + 1) };
    const taken = by === "a worker" ? { ...tenure?.M, worker: { S: owner }, epoch } : (tenure?.M ?? {});
    const update = new UpdateItemCommand({
      TableName: this.application,
      Key: { leaseKey: { S: leaseKey } },
      UpdateExpression: "SET leaseOwner = :owner, leaseCounter = :epoch, tenure = :tenure",
      ConditionExpression: "leaseCounter = :before",
      ExpressionAttributeValues: {
        ":owner": { S: owner },
        ":epoch": epoch,
        ":tenure": { M: taken },
        ":before": { N: String(leaseCounter?.N) },
      },
    });
    await this.client.send(update);
  }

  /** The application's tables. */
  async tables(): Promise<readonly string[]> {
    const names: string[] = [];
    let from: string | undefined;
    do {
      const page = await this.client.send(
        new ListTablesCommand(from === undefined ? {} : { ExclusiveStartTableName: from }),
      );
      names.push(...(page.TableNames ?? []));
      from = page.LastEvaluatedTableName;
    } while (from !== undefined);
    const own = [this.application, this.fleetTable];
    return names.filter((name) => own.includes(name)).sort();
  }

  async dropTables(): Promise<void> {
    for (const TableName of await this.tables()) {
      // A start that was refused may have left a table that is still being made, and no store deletes that.
      const wait = { client: this.client, minDelay: 1, maxDelay: 1, maxWaitTime: 60 };
      await waitUntilTableExists(wait, { TableName });
      await this.client.send(new DeleteTableCommand({ TableName }));
    }
  }

  /** A store lists a table for a while after it was told to delete it. */
  async untilDropped(): Promise<void> {
    const wait = { client: this.client, minDelay: 1, maxDelay: 1, maxWaitTime: 60 };
    for (const TableName of [this.application, this.fleetTable]) {
      await waitUntilTableNotExists(wait, { TableName });
    }
  }

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Ends what runs, and leaves no table behind in a store that may outlive the run. */
  async close(): Promise<void> {
    const [destroyClient, ...closers] = this.#closers.splice(0);
    for (const close of closers.toReversed()) await close();
    await this.dropTables();
    await destroyClient?.();
  }
}

/** The error that a promise ends with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail with an error");
}
