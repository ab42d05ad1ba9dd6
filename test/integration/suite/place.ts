import type { Endpoints } from "../../../src/testing/index.js";

/**
 * What a store can do beyond what every one of them does. Nothing is left out where it cannot: the case then shows how the
 * library does without it.
 */
export interface Capabilities {
  /** `TransactWriteItems`. */
  readonly transactions: boolean;
  /** A refused condition brings the row that it was refused on (`ReturnValuesOnConditionCheckFailure`). */
  readonly oldRowOnRefusal: boolean;
  /** `UpdateTimeToLive`. */
  readonly timeToLive: boolean;
  /** An index may be added to an on-demand table that exists. */
  readonly laterIndex: boolean;
}

/** Where the suite runs: a DynamoDB and a Kinesis, and what they can do. */
export interface Place {
  readonly name: string;
  readonly endpoints: Endpoints & { readonly kinesis: string };
  readonly capabilities: Capabilities;
  stop(): Promise<void>;
}

const everything: Capabilities = {
  transactions: true,
  oldRowOnRefusal: true,
  timeToLive: true,
  laterIndex: true,
};

export const capabilitiesOf = {
  dynalite: { transactions: false, oldRowOnRefusal: false, timeToLive: false, laterIndex: false },
  dynamodbLocal: everything,
  localStack: everything,
} as const satisfies Record<string, Capabilities>;
