import { ScanCommand } from "@aws-sdk/client-dynamodb";
import type { InvalidRow, Lease } from "../../model/lease.js";
import type { KclRow } from "../../model/strangers.js";
import type { Call } from "../call.js";
import type { LeaseReader, LeaseScan } from "../lease-reader.js";
import type { DynamoDbConnection, Key } from "./connection.js";
import { Expression } from "./expression.js";
import { leaseIn, leaseKeyOf, readStoredLease } from "./lease-codec.js";
import { ownerIndex } from "./table-shapes.js";

/** Reads lease rows. Rows of other entity types share the table and are no leases. */
export class DynamoDbLeaseReader implements LeaseReader {
  readonly #connection: DynamoDbConnection;

  constructor(connection: DynamoDbConnection) {
    this.#connection = connection;
  }

  async scan(call: Call & { readonly consistent: boolean }): Promise<LeaseScan> {
    const { client, leaseTable, pageLimit } = this.#connection;
    const context = { table: leaseTable, action: "Scan", doing: "scan the leases", writes: false };
    const leases: Lease[] = [];
    const invalid: InvalidRow[] = [];
    const kclRows: KclRow[] = [];
    let from: Key | undefined;
    do {
      const page = {
        TableName: leaseTable,
        ConsistentRead: call.consistent,
        ...(pageLimit === undefined ? {} : { Limit: pageLimit }),
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      };
      const output = await this.#connection.attempt(context, call, (options) =>
        client.send(new ScanCommand(page), options),
      );
      for (const item of output.Items ?? []) {
        const read = readStoredLease(item);
        if (read.kind === "lease") leases.push(read.lease);
        else if (read.kind === "invalid") invalid.push({ leaseKey: read.leaseKey, problem: read.problem });
        else if (read.kind === "kcl") kclRows.push(read.row);
      }
      from = output.LastEvaluatedKey;
    } while (from !== undefined);
    return { leases, invalid, kclRows };
  }

  async get(leaseKey: string, call: Call & { readonly consistent: boolean }): Promise<Lease | undefined> {
    const { leaseTable } = this.#connection;
    const doing = `read lease ${JSON.stringify(leaseKey)}`;
    const item = await this.#connection.get(leaseTable, leaseKeyOf(leaseKey), call.consistent, doing, call);
    return item === undefined ? undefined : leaseIn(leaseTable, item);
  }

  async keysOf(owner: string, call?: Call): Promise<readonly string[]> {
    const expression = new Expression();
    const input = {
      TableName: this.#connection.leaseTable,
      IndexName: ownerIndex,
      KeyConditionExpression: `${expression.name("leaseOwner")} = ${expression.string(owner)}`,
      ...expression.condition(),
    };
    const items = await this.#connection.query(input, `query the leases of ${owner}`, call);
    return items.flatMap((item) => (item["leaseKey"]?.S === undefined ? [] : [item["leaseKey"].S]));
  }
}
