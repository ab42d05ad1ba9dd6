import { ConditionalCheckFailedException, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { HistoryEntry } from "../../model/history.js";
import type { OperatorAction } from "../../model/operator-action.js";
import type { Call } from "../call.js";
import type { HistoryStore } from "../history-store.js";
import type { DynamoDbConnection, Item } from "./connection.js";
import { Expression } from "./expression.js";
import {
  actionIn,
  actionItem,
  historyIn,
  historyItem,
  historyPartition,
  operatorPartition,
} from "./fleet-codec.js";

export class DynamoDbHistoryStore implements HistoryStore {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  archive(entry: HistoryEntry, expiresAt: number, call?: Call): Promise<void> {
    const doing = `archive epoch ${String(entry.epoch)} of lease ${JSON.stringify(entry.leaseKey)}`;
    return this.#putNew(historyItem(entry, expiresAt), doing, call);
  }

  record(action: OperatorAction, expiresAt: number, call?: Call): Promise<void> {
    return this.#putNew(actionItem(action, expiresAt), `record the fence of ${action.worker}`, call);
  }

  async actions(call?: Call): Promise<readonly OperatorAction[]> {
    const expression = new Expression();
    const input = {
      TableName: this.#connection.fleetTable,
      ConsistentRead: true,
      KeyConditionExpression: `${expression.name("pk")} = ${expression.string(operatorPartition)}`,
      ...expression.condition(),
    };
    const items = await this.#connection.query(input, "list what operators did", call);
    return items.flatMap((item) => actionIn(item) ?? []);
  }

  async #putNew(item: Item, doing: string, call: Call | undefined): Promise<void> {
    const { client, fleetTable } = this.#connection;
    const input = {
      TableName: fleetTable,
      Item: item,
      // The first entry of a key stands: whoever comes later made its own of the same row.
      ...new Expression().requireAbsent("pk").condition(),
    };
    try {
      await this.#connection.attempt(
        { table: fleetTable, action: "PutItem", doing, writes: true },
        call,
        (options) => client.send(new PutItemCommand(input), options),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async list(leaseKey: string, call?: Call): Promise<readonly HistoryEntry[]> {
    const items = await this.#connection.query(
      this.#queryOf(leaseKey),
      `list the history of ${leaseKey}`,
      call,
    );
    return items.flatMap((item) => historyIn(item) ?? []);
  }

  async highestEpoch(leaseKey: string, call?: Call): Promise<number | undefined> {
    const { client, fleetTable } = this.#connection;
    const context = {
      table: fleetTable,
      action: "Query",
      doing: `read the last epoch of ${leaseKey}`,
      writes: false,
    };
    const input = { ...this.#queryOf(leaseKey), ScanIndexForward: false, Limit: 1 };
    const output = await this.#connection.attempt(context, call, (options) =>
      client.send(new QueryCommand(input), options),
    );
    return epochOf(output.Items?.[0]);
  }

  /** The epochs of a lease: keys of digits only, so that entries of other kinds may stand beside them one day. */
  #queryOf(leaseKey: string) {
    const expression = new Expression();
    const partition = `${expression.name("pk")} = ${expression.string(historyPartition(leaseKey))}`;
    const digits = `${expression.name("sk")} BETWEEN ${expression.string("0")} AND ${expression.string(":")}`;
    return {
      TableName: this.#connection.fleetTable,
      ConsistentRead: true,
      KeyConditionExpression: `${partition} AND ${digits}`,
      ...expression.condition(),
    };
  }
}

/** By the key: the epoch counts even where the entry cannot be read. */
function epochOf(item: Item | undefined): number | undefined {
  const key = item?.["sk"]?.S;
  return key === undefined ? undefined : Number(key);
}
