import { startDynalite } from "../../../src/embedded/dynalite.js";
import { startKinesisLocal } from "../../../src/embedded/kinesis-local.js";
import { capabilitiesOf, type Place } from "../suite/place.js";

/** What the starters in scripts/ export: plain JavaScript, which runs without a build. */
interface DynamoDbLocalStarter {
  startDynamoDbLocal(): Promise<{ readonly endpoint: string; stop(): Promise<void> }>;
}
interface LocalStackStarter {
  openLocalStack(): Promise<{
    readonly endpoint: string;
    readonly how: string;
    readonly version: string;
    stop(): Promise<void>;
  }>;
}

const starters = {
  dynamoDbLocal: new URL("../../../scripts/dynamodb-local/start.mjs", import.meta.url).href,
  localStack: new URL("../../../scripts/localstack/start.mjs", import.meta.url).href,
};

export async function dynalitePlace(): Promise<Place> {
  return besideKinesisLocal("dynalite", await startDynalite(), capabilitiesOf.dynalite);
}

export async function dynamoDbLocalPlace(): Promise<Place> {
  const { startDynamoDbLocal } = (await import(starters.dynamoDbLocal)) as DynamoDbLocalStarter;
  return besideKinesisLocal("DynamoDB Local", await startDynamoDbLocal(), capabilitiesOf.dynamodbLocal);
}

export async function localStackPlace(): Promise<Place> {
  const { openLocalStack } = (await import(starters.localStack)) as LocalStackStarter;
  const { endpoint, how, version, stop } = await openLocalStack();
  console.log(`    LocalStack ${version} by its health page, at ${endpoint}: ${how}`);
  return {
    name: "LocalStack",
    endpoints: { dynamodb: endpoint, kinesis: endpoint },
    capabilities: capabilitiesOf.localStack,
    stop,
  };
}

async function besideKinesisLocal(
  name: string,
  dynamodb: { readonly endpoint: string; stop(): Promise<void> },
  capabilities: Place["capabilities"],
): Promise<Place> {
  try {
    const kinesis = await startKinesisLocal();
    return {
      name,
      endpoints: { dynamodb: dynamodb.endpoint, kinesis: kinesis.endpoint },
      capabilities,
      stop: async () => {
        await Promise.all([dynamodb.stop(), kinesis.stop()]);
      },
    };
  } catch (error) {
    await dynamodb.stop();
    throw error;
  }
}
