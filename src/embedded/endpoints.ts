import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { LeaseholdError, type DynamoDbOptions, type KinesisOptions } from "../index.js";

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

/**
 * The `dynamodb` option of a worker or an inspector, for such endpoints.
 * @throws LeaseholdError `invalid-option` when their DynamoDB is not the URL of one: the SDK would call AWS then
 */
export function dynamodbAt(endpoints: Endpoints): DynamoDbOptions {
  const endpoint = checkedUrl("dynamodb", endpoints, "http://127.0.0.1:8000");
  return {
    client: (defaults) => new DynamoDBClient({ ...defaults, ...sharedSettings(endpoints), endpoint }),
  };
}

/**
 * The `client` option of `kinesis(…)`, for such endpoints.
 * @throws LeaseholdError `invalid-option` when their Kinesis is not the URL of one
 */
export function kinesisAt(endpoints: Endpoints): Pick<KinesisOptions, "client"> {
  const endpoint = kinesisEndpoint(endpoints);
  return { client: (defaults) => new KinesisClient({ ...defaults, ...sharedSettings(endpoints), endpoint }) };
}

/** @throws LeaseholdError `invalid-option` when their Kinesis is not the URL of one */
export function kinesisEndpoint(endpoints: Endpoints): string {
  return checkedUrl("kinesis", endpoints, "http://127.0.0.1:4567");
}

/** Tests are written in JavaScript too: of what they give nothing is certain. */
function checkedUrl(
  name: "dynamodb" | "kinesis",
  endpoints: Partial<Endpoints> | undefined,
  example: string,
): string {
  const value: unknown = endpoints?.[name];
  // An address without a scheme is a URL whose scheme is its host.
  if (typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) {
    return value;
  }
  throw new LeaseholdError(
    "invalid-option",
    `endpoints.${name} is ${value === undefined ? "missing" : JSON.stringify(value)}: it must be the URL of an emulator or a LocalStack, as in ${example}`,
  );
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
