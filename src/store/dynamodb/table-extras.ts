import {
  DescribeContinuousBackupsCommand,
  ListTagsOfResourceCommand,
  UpdateContinuousBackupsCommand,
  type TableDescription,
} from "@aws-sdk/client-dynamodb";
import { hasCode, messageOf, StoreError } from "../../model/errors.js";
import { sleep } from "../../runtime/clock.js";
import type { Call } from "../call.js";
import type { DynamoDbConnection } from "./connection.js";
import { sdkErrorName } from "./errors.js";
import { tableDifferences, type TableOptions } from "./table-options.js";
import type { DynamoDbTablesOptions } from "./tables.js";

/** DynamoDB makes a new table's backups available within seconds. */
const backupTries = 20;
const backupPollMs = 1_000;

/** What tables are to have beside their shape: backups, tags, protection. No lease depends on any of it. */
export class TableExtras {
  readonly #connection: DynamoDbConnection;
  readonly #options: DynamoDbTablesOptions;
  readonly #asked: TableOptions;

  constructor(connection: DynamoDbConnection, options: DynamoDbTablesOptions, asked: TableOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#asked = asked;
  }

  /** A table that this worker has just made: what it lacks the store cannot do. */
  async complete(table: string, made: TableDescription, call: Call | undefined): Promise<void> {
    for (const { option, difference } of tableDifferences(made, this.#asked)) {
      this.#missing(option, `table ${table} was made, but ${difference}`);
    }
    await this.#checkTags(table, made, call);
    if (this.#asked.pointInTimeRecovery === true) await this.#backUp(table, call);
  }

  /** A table that was there: whoever owns it decides, and is told once. */
  async compare(table: string, found: TableDescription, call: Call | undefined): Promise<void> {
    const differences = [...tableDifferences(found, this.#asked)];
    const asked = this.#asked.pointInTimeRecovery;
    if (asked !== undefined) {
      const is = await this.#hasBackups(table, call);
      if (is !== undefined && is !== asked) {
        const words = (on: boolean): string => (on ? "on" : "off");
        const difference = `its point-in-time recovery is ${words(is)}, asked for is ${words(asked)}`;
        differences.push({ option: "pointInTimeRecovery", difference });
      }
    }
    for (const { option, difference } of differences) {
      this.#options.onTableDifference({ table, option, difference });
    }
  }

  async #checkTags(table: string, { TableArn }: TableDescription, call: Call | undefined): Promise<void> {
    const tags = Object.entries(this.#asked.tags ?? {});
    if (tags.length === 0) return;
    const context = { table, action: "ListTagsOfResource", doing: "read its tags", writes: false };
    try {
      const { Tags = [] } = await this.#connection.attempt(context, call, (options) =>
        this.#connection.client.send(new ListTagsOfResourceCommand({ ResourceArn: TableArn }), options),
      );
      const has = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
      if (tags.every(([key, value]) => has.get(key) === value)) return;
      this.#missing("tags", `table ${table} was made, but without its tags`);
    } catch (error) {
      // DynamoDB makes no table without the tags it was asked for: that it does not show them is no matter.
      if (hasCode(error, "store-denied")) return;
      if (!hasCode(error, "store-rejected")) throw error;
      this.#missing("tags", messageOf(error));
    }
  }

  async #backUp(table: string, call: Call | undefined): Promise<void> {
    const { client } = this.#connection;
    const context = {
      table,
      action: "UpdateContinuousBackups",
      doing: "turn on its point-in-time recovery",
      writes: true,
    };
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    for (let tries = 1; ; tries++) {
      try {
        await this.#connection.attempt(context, call, (options) =>
          client.send(
            new UpdateContinuousBackupsCommand({ TableName: table, PointInTimeRecoverySpecification }),
            options,
          ),
        );
        this.#options.onCapability({ name: "pointInTimeRecovery", present: true });
        return;
      } catch (error) {
        if (isTooEarly(error) && tries < backupTries) {
          await sleep(this.#options.clock, backupPollMs, call?.signal);
          continue;
        }
        if (!hasCode(error, "store-rejected", "store-denied")) throw error;
        this.#missing("pointInTimeRecovery", messageOf(error));
        return;
      }
    }
  }

  /** @returns undefined where the store does not say */
  async #hasBackups(table: string, call: Call | undefined): Promise<boolean | undefined> {
    const { client } = this.#connection;
    const context = {
      table,
      action: "DescribeContinuousBackups",
      doing: "read its point-in-time recovery",
      writes: false,
    };
    try {
      const { ContinuousBackupsDescription: found } = await this.#connection.attempt(
        context,
        call,
        (options) => client.send(new DescribeContinuousBackupsCommand({ TableName: table }), options),
      );
      return found?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === "ENABLED";
    } catch (error) {
      if (!hasCode(error, "store-rejected", "store-denied")) throw error;
      this.#missing("pointInTimeRecovery", messageOf(error));
      return undefined;
    }
  }

  #missing(name: keyof TableOptions, reason: string): void {
    this.#options.onCapability({ name, present: false, reason });
  }
}

function isTooEarly(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : undefined;
  return sdkErrorName(cause) === "ContinuousBackupsUnavailableException";
}
