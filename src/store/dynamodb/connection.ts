import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type AttributeValue,
  type DynamoDBClient,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { StoreError } from "../../model/errors.js";
import type { Connections } from "../../runtime/connections.js";
import { isCalledOff, type Call, type PlainOutcome, type WriteOutcome } from "../call.js";
import { sdkErrorName, toStoreError, type CallContext } from "./errors.js";
import type { Expression } from "./expression.js";
import { Gate } from "./gate.js";
import { RowNames } from "./row-names.js";

/** A row as the store returns it. */
export type Item = Record<string, AttributeValue>;
export type Key = Record<string, AttributeValue>;

/** More keys the store refuses. */
const mostKeysABatch = 100;

/** Everything the ports of one store share: the client, the tables' names, and how a call is made. */
export class DynamoDbConnection {
  readonly client: DynamoDBClient;
  readonly application: string;
  readonly leaseTable: string;
  readonly fleetTable: string;
  /** Rows per page, for tests; the store's own measure where undefined. */
  readonly pageLimit: number | undefined;
  /** What attributes are called at this moment. */
  readonly names = new RowNames();
  readonly #connections: Pick<Connections, "dropIdle">;
  readonly #bulk: Gate;

  /** @param bulkAtOnce so many calls about leases and history are under way at a time */
  constructor(
    client: DynamoDBClient,
    application: string,
    pageLimit: number | undefined,
    connections: Pick<Connections, "dropIdle">,
    bulkAtOnce: number,
  ) {
    this.#connections = connections;
    this.#bulk = new Gate(bulkAtOnce);
    this.client = client;
    this.application = application;
    this.leaseTable = application;
    this.fleetTable = `${application}-fleet`;
    this.pageLimit = pageLimit;
  }

  /** One attempt of one call; what it throws is a StoreError. */
  async attempt<T>(
    context: CallContext,
    call: Call | undefined,
    send: (options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    // The SDK would report this as an abort like any other, and a write as one that may have been applied.
    if (call?.signal?.aborted === true) {
      throw new StoreError("store-timeout", `${context.doing}: the call was called off before it was made`, {
        retryable: true,
        ambiguous: false,
      });
    }
    const signal = call?.signal;
    const sendNow = (): Promise<T> => send(signal === undefined ? {} : { abortSignal: signal });
    try {
      return await (this.#isBulk(context) ? this.#bulk.pass(context.doing, signal, sendNow) : sendNow());
    } catch (error) {
      // Refused conditions are outcomes: whoever sent the condition turns them into values.
      if (error instanceof ConditionalCheckFailedException) throw error;
      // The gate's: nothing was sent.
      if (error instanceof StoreError) throw error;
      // The SDK does not always say why it gave a call up; whoever did it has.
      const isGivenUp = signal?.aborted === true && sdkErrorName(error) === "AbortError";
      const failure = toStoreError(error, context, isGivenUp ? signal.reason : undefined);
      // Only the want of an answer says something about the connections.
      if (failure.code === "store-timeout" && !isCalledOff(call)) this.#connections.dropIdle();
      throw failure;
    }
  }

  /** Lease rows and history come by the hundred; the fleet's own rows are few, and a beat among them must not wait. */
  #isBulk({ table, action }: CallContext): boolean {
    return table === this.leaseTable || action === "PutItem";
  }

  async get(
    table: string,
    key: Key,
    consistent: boolean,
    doing: string,
    call?: Call,
  ): Promise<Item | undefined> {
    const input = { TableName: table, Key: key, ConsistentRead: consistent };
    const output = await this.attempt({ table, action: "GetItem", doing, writes: false }, call, (options) =>
      this.client.send(new GetItemCommand(input), options),
    );
    return output.Item;
  }

  /**
   * Rows by their keys, eventually consistent. What the answer lacks is not there: keys that the store left unread are
   * asked for again, since a row that was not read must not look gone.
   */
  async getMany(table: string, keys: readonly Key[], doing: string, call?: Call): Promise<Item[]> {
    const items: Item[] = [];
    for (let from = 0; from < keys.length; from += mostKeysABatch) {
      let left: Key[] = keys.slice(from, from + mostKeysABatch);
      while (left.length > 0) {
        const input = { RequestItems: { [table]: { Keys: left, ConsistentRead: false } } };
        const context = { table, action: "BatchGetItem", doing, writes: false };
        const output = await this.attempt(context, call, (options) =>
          this.client.send(new BatchGetItemCommand(input), options),
        );
        items.push(...(output.Responses?.[table] ?? []));
        const unread: Key[] = output.UnprocessedKeys?.[table]?.Keys ?? [];
        if (unread.length >= left.length) {
          // Not one was read: asked again at once, a store out of capacity would be asked without end.
          throw new StoreError(
            "store-throttled",
            `${doing} in table ${table}: the store read none of the rows`,
            {
              retryable: true,
              ambiguous: false,
            },
          );
        }
        left = unread;
      }
    }
    return items;
  }

  /**
   * One conditional update. A refused condition returns the row that it was refused on: the store's answer where it
   * gives one, otherwise a consistent read just after.
   */
  async update<Row>(
    table: string,
    key: Key,
    expression: Expression,
    doing: string,
    read: (item: Item) => Row | undefined,
    call: Call | undefined,
  ): Promise<WriteOutcome<Row>> {
    const input = {
      TableName: table,
      Key: key,
      ...expression.update(),
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    } as const;
    let attributes: Item | undefined;
    try {
      const output = await this.attempt(
        { table, action: "UpdateItem", doing, writes: true },
        call,
        (options) => this.client.send(new UpdateItemCommand(input), options),
      );
      attributes = output.Attributes;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const item = error.Item ?? (await this.get(table, key, true, `read after a refusal to ${doing}`, call));
      return { ok: false, current: item === undefined ? undefined : read(item) };
    }
    const row = attributes === undefined ? undefined : read(attributes);
    if (row === undefined) {
      throw new StoreError(
        "store-rejected",
        `${doing} in table ${table}: the store did not return the new row`,
        {
          retryable: false,
          ambiguous: true,
        },
      );
    }
    return { ok: true, row };
  }

  async remove(
    table: string,
    key: Key,
    expression: Expression,
    doing: string,
    call: Call | undefined,
  ): Promise<PlainOutcome> {
    const input = { TableName: table, Key: key, ...expression.condition() };
    try {
      await this.attempt({ table, action: "DeleteItem", doing, writes: true }, call, (options) =>
        this.client.send(new DeleteItemCommand(input), options),
      );
      return { ok: true };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { ok: false };
      throw error;
    }
  }

  /** Every page of a query. */
  async query(input: QueryCommandInput & { TableName: string }, doing: string, call?: Call): Promise<Item[]> {
    const context = { table: input.TableName, index: input.IndexName, action: "Query", doing, writes: false };
    const limit = this.pageLimit === undefined ? {} : { Limit: this.pageLimit };
    const items: Item[] = [];
    let from: Key | undefined;
    do {
      const page = { ...limit, ...input, ...(from === undefined ? {} : { ExclusiveStartKey: from }) };
      const output = await this.attempt(context, call, (options) =>
        this.client.send(new QueryCommand(page), options),
      );
      items.push(...(output.Items ?? []));
      from = output.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }
}
