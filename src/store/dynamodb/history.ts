import {
  ConditionalCheckFailedException,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { HistoryEntry } from "../../model/history.js";
import type { OperatorAction } from "../../model/operator-action.js";
import type { Call, WriteOutcome } from "../call.js";
import type { HistoryPage, HistoryStore } from "../history-store.js";
import type { DynamoDbConnection, Item, Key } from "./connection.js";
import { Expression } from "./expression.js";
import {
  actionIn,
  actionItem,
  historyIn,
  historyItem,
  historyPartition,
  operatorPartition,
  setAsideIn,
  setAsideKey,
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

  setAside(leaseKey: string, epoch: number, expiresAt: number, call?: Call): Promise<WriteOutcome<number>> {
    const update = new Expression()
      .set("epoch", { N: String(epoch) })
      .set("expiresAt", { N: String(expiresAt) });
    const held = update.name("epoch");
    // Only ever upwards, and never the same twice: a row made at what stands may have been used and deleted.
    update.require(`attribute_not_exists(${held}) OR ${held} < ${update.number(epoch)}`);
    const doing = `set an epoch of lease ${JSON.stringify(leaseKey)} aside`;
    const { fleetTable } = this.#connection;
    return this.#connection.update(fleetTable, setAsideKey(leaseKey), update, doing, setAsideIn, call);
  }

  async page(from: string | undefined, call?: Call): Promise<HistoryPage> {
    const { client, fleetTable, pageLimit } = this.#connection;
    const expression = new Expression();
    const filter = `begins_with(${expression.name("pk")}, ${expression.string(historyPartition(""))})`;
    const input = {
      TableName: fleetTable,
      ConsistentRead: true,
      FilterExpression: filter,
      ...expression.condition(),
      ...(pageLimit === undefined ? {} : { Limit: pageLimit }),
      ...(from === undefined ? {} : { ExclusiveStartKey: JSON.parse(from) as Key }),
    };
    const context = { table: fleetTable, action: "Scan", doing: "scan the history", writes: false };
    const output = await this.#connection.attempt(context, call, (options) =>
      client.send(new ScanCommand(input), options),
    );
    const { Items: items = [], LastEvaluatedKey: next } = output;
    return {
      entries: items.flatMap((item) => historyIn(item) ?? []),
      ...(next === undefined ? {} : { next: JSON.stringify(next) }),
    };
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
