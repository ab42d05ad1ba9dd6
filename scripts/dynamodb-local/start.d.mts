/** Starts DynamoDB Local on a free loopback port; needs Java 17 and, the first time, Maven. */
export function startDynamoDbLocal(): Promise<{
  readonly endpoint: string;
  readonly pid: number;
  stop(): Promise<void>;
}>;
