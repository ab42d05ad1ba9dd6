// The emulators, and what every process is told of them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient } from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { startKinesisLocal } from "../../dist/embedded/kinesis-local.js";
import { startDynamoDbLocal } from "../../scripts/dynamodb-local/start.mjs";

const credentials = { accessKeyId: "bench", secretAccessKey: "bench" };

export class Rig {
  #dynamodb;
  #kinesis;
  #folder = mkdtempSync(path.join(tmpdir(), "leasehold-bench-"));
  #files = 0;

  /** @param streams how many shards each stream has, by name */
  static async start(streams) {
    const rig = new Rig();
    rig.#dynamodb = await startDynamoDbLocal();
    try {
      rig.#kinesis = await startKinesisLocal({ streams, readyWithinMs: 60_000 });
    } catch (error) {
      await rig.stop();
      throw error;
    }
    return rig;
  }

  get dynamodbEndpoint() {
    return this.#dynamodb.endpoint;
  }

  /** The environment of a measured process. */
  env(dynamodbEndpoint = this.dynamodbEndpoint) {
    return {
      ...process.env,
      AWS_REGION: this.#kinesis.region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
      AWS_ENDPOINT_URL_KINESIS: this.#kinesis.endpoint,
      NODE_NO_WARNINGS: "1",
    };
  }

  /** The bench's own client, on its way past every proxy. */
  dynamodb = (defaults) =>
    new DynamoDBClient({
      ...defaults,
      endpoint: this.dynamodbEndpoint,
      region: this.#kinesis.region,
      credentials,
    });

  kinesis() {
    return new KinesisClient({
      endpoint: this.#kinesis.endpoint,
      region: this.#kinesis.region,
      credentials,
      // A put that the SDK repeats may be applied twice: the books would show a record twice that no worker read twice.
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ requestTimeout: 20_000 }),
    });
  }

  /** A new file's path; the folder goes with the rig. */
  file(name) {
    this.#files++;
    return path.join(this.#folder, `${this.#files}-${name}`);
  }

  async stop() {
    await Promise.all([this.#dynamodb?.stop(), this.#kinesis?.stop()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
