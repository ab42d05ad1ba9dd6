// What a run stands on: the emulators, the stream, and for each process that it starts a bad way to them.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { createStream, startFaultProxy, startKinesisLocal } from "../../dist/testing/index.js";
import { startDynamoDbLocal } from "../dynamodb-local/start.mjs";
import { createSink } from "../fenced-sink.mjs";

const region = "us-east-1";
const credentials = { accessKeyId: "chaos", secretAccessKey: "chaos" };
const streamName = "chaos";

export class Rig {
  #dynamodb;
  #kinesis;
  #proxies = [];
  stream;

  static async start(shards) {
    const rig = new Rig();
    try {
      rig.#dynamodb = await startDynamoDbLocal();
      rig.#kinesis = await startKinesisLocal({ readyWithinMs: 60_000 });
      const endpoints = { dynamodb: rig.#dynamodb.endpoint, kinesis: rig.#kinesis.endpoint };
      rig.stream = await createStream({ endpoints, streamName, shards });
      const client = rig.dynamodb({});
      await createSink(client);
      client.destroy();
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  get streamName() {
    return streamName;
  }

  /** Past every proxy. */
  get sink() {
    return this.#dynamodb.endpoint;
  }

  /** A client of the run's own, past every proxy. */
  dynamodb = (defaults) =>
    new DynamoDBClient({ ...defaults, endpoint: this.#dynamodb.endpoint, region, credentials });

  /** A way of one's own to both services. */
  async way() {
    const [dynamodb, kinesis] = await Promise.all([
      startFaultProxy({ target: this.#dynamodb.endpoint }),
      startFaultProxy({ target: this.#kinesis.endpoint }),
    ]);
    this.#proxies.push(dynamodb, kinesis);
    return new Way(dynamodb, kinesis);
  }

  async stop() {
    this.stream?.close();
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    await Promise.all([this.#dynamodb?.stop(), this.#kinesis?.stop()]);
  }
}

class Way {
  #dynamodb;
  #kinesis;
  #weather;

  constructor(dynamodb, kinesis) {
    this.#dynamodb = dynamodb;
    this.#kinesis = kinesis;
  }

  /** The environment of the process that goes it. */
  get env() {
    return {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_DYNAMODB: this.#dynamodb.endpoint,
      AWS_ENDPOINT_URL_KINESIS: this.#kinesis.endpoint,
    };
  }

  set(weather) {
    this.#weather = weather;
    this.#dynamodb.set(...weather.dynamodb);
    this.#kinesis.set(...weather.kinesis);
  }

  /** Ends this weather, and no other that has come since. */
  end(weather) {
    if (this.#weather !== weather) return;
    this.#dynamodb.clear();
    this.#kinesis.clear();
  }

  /** Requests that did not pass as they came. */
  get faulted() {
    const counts = [...this.#dynamodb.counts.values(), ...this.#kinesis.counts.values()];
    return counts.reduce((sum, { faulted }) => sum + faulted, 0);
  }
}
