import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import type { DynamoDbOptions } from "../../src/index.js";

const anybody = { region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };

/** A client of an emulator. */
export function emulatorClient(endpoint: string, defaults: DynamoDBClientConfig = {}): DynamoDBClient {
  return new DynamoDBClient({ ...defaults, ...anybody, endpoint });
}

/** A worker's `dynamodb` option for an emulator. */
export function emulated(endpoint: string): DynamoDbOptions {
  return { client: (defaults) => emulatorClient(endpoint, defaults) };
}
