import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Clock } from "../../runtime/clock.js";
import { Connections } from "../../runtime/connections.js";
import { systemClock } from "../../runtime/system.js";
import type { Store } from "../store.js";
import { DynamoDbCheckpoints } from "./checkpoints.js";
import { DynamoDbConnection } from "./connection.js";
import { DynamoDbHistoryStore } from "./history.js";
import { DynamoDbLeaseReader } from "./lease-reader.js";
import { DynamoDbMembership } from "./membership.js";
import { DynamoDbOwnership } from "./ownership.js";
import { DynamoDbPlannerDesk } from "./planner-desk.js";
import type { TableDifference, TableOptions } from "./table-options.js";
import { DynamoDbTables, type Capability } from "./tables.js";

export interface DynamoDbStoreOptions extends TableOptions {
  /** The lease table has this name, the fleet table `<application>-fleet`. */
  readonly application: string;
  /**
   * Makes the client. It receives our defaults, which it should pass on: `maxAttempts: 1`, since only the caller of the
   * store knows when an attempt was sent, and a connection pool of its own, so that bulk traffic cannot starve a beat.
   * The client belongs to the store, which destroys it. Default: `new DynamoDBClient(defaults)`, whose region, endpoint
   * and credentials come from the SDK's usual environment and files.
   */
  readonly client?: ((defaults: DynamoDBClientConfig) => DynamoDBClient) | undefined;
  /** Told by `tables.prepare()` what the store can and cannot do. */
  readonly onCapability?: ((capability: Capability) => void) | undefined;
  /** Told of a table that stood before and is not what was asked for. */
  readonly onTableDifference?:
    ((difference: TableDifference & { readonly table: string }) => void) | undefined;
  /** Paces the looks at tables in the making. Default: the host's. */
  readonly clock?: Clock;
  /** Rows per page of scans and queries, for tests. Default: the store's own measure, 1 MB. */
  readonly pageLimit?: number | undefined;
}

/** Connections at once: a worker writes many leases at a time when it adopts a dead one's. */
const maxSockets = 50;
/** Of those, so many are never used for leases and history: beats and reads of the fleet find one free, always. */
const keptFree = 10;

/** The leases of one application in DynamoDB. Nothing is sent before the first call. */
export function createDynamoDbStore(options: DynamoDbStoreOptions): Store {
  const connections = new Connections(maxSockets);
  const { httpAgent, httpsAgent } = connections;
  const defaults: DynamoDBClientConfig = {
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ httpAgent, httpsAgent }),
  };
  const client = options.client === undefined ? new DynamoDBClient(defaults) : options.client(defaults);
  const connection = new DynamoDbConnection(
    client,
    options.application,
    options.pageLimit,
    connections,
    maxSockets - keptFree,
  );
  const {
    clock = systemClock,
    onCapability = () => undefined,
    onTableDifference = () => undefined,
  } = options;
  return {
    tables: new DynamoDbTables(connection, { clock, onCapability, onTableDifference }, options),
    leases: new DynamoDbLeaseReader(connection),
    ownership: new DynamoDbOwnership(connection),
    checkpoints: new DynamoDbCheckpoints(connection),
    membership: new DynamoDbMembership(connection),
    plannerDesk: new DynamoDbPlannerDesk(connection),
    history: new DynamoDbHistoryStore(connection),
    close: () => client.destroy(),
  };
}
