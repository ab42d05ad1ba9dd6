import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import type { DynamoDbOptions, KinesisOptions } from "../index.js";

/** Where a DynamoDB and a Kinesis for tests are reached: emulators, LocalStack, a proxy before them. */
export interface Endpoints {
  /** As in `http://127.0.0.1:8000`. */
  readonly dynamodb: string;
  /** As in `http://127.0.0.1:4567`; may be left out where nothing reads a stream. */
  readonly kinesis?: string;
  /** Default `us-east-1`. */
  readonly region?: string;
}

const defaultRegion = "us-east-1";
/** An emulator asks for credentials and looks at none of them. */
const credentials = { accessKeyId: "test", secretAccessKey: "test" };

/** What every client of these endpoints is made with, beside its own endpoint. */
export function sharedSettings({ region = defaultRegion }: Endpoints): {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
} {
  return { region, credentials };
}

/** The `dynamodb` option of a worker or an inspector, for such endpoints. */
export function dynamodbAt(endpoints: Endpoints): DynamoDbOptions {
  const { dynamodb: endpoint } = endpoints;
  return {
    client: (defaults) => new DynamoDBClient({ ...defaults, ...sharedSettings(endpoints), endpoint }),
  };
}

/**
 * The `client` option of `kinesis(…)`, for such endpoints.
 * @throws Error when they have no Kinesis
 */
export function kinesisAt(endpoints: Endpoints): Pick<KinesisOptions, "client"> {
  const endpoint = kinesisEndpoint(endpoints);
  return { client: (defaults) => new KinesisClient({ ...defaults, ...sharedSettings(endpoints), endpoint }) };
}

/** @throws Error when they have no Kinesis */
export function kinesisEndpoint({ kinesis }: Endpoints): string {
  if (kinesis !== undefined) return kinesis;
  throw new Error("endpoints.kinesis is missing: give the address of a Kinesis, as in http://127.0.0.1:4567");
}

/** The same as the environment by which the AWS SDK finds them: for what a handler itself calls. */
export function endpointEnvironment(endpoints: Endpoints): Readonly<Record<string, string>> {
  const { region } = sharedSettings(endpoints);
  return {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    ...(endpoints.kinesis === undefined ? {} : { AWS_ENDPOINT_URL_KINESIS: endpoints.kinesis }),
  };
}
