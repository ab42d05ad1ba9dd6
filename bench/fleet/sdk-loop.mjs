// The least that reads so many shards: the SDK's client of Kinesis, and a loop for each shard. What a worker weighs is
// measured against it.
//
//   node sdk-loop.mjs STREAM
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { setTimeout as sleep } from "node:timers/promises";

const [stream] = process.argv.slice(2);
const agent = { keepAlive: true, maxSockets: 10_000 };
const client = new KinesisClient({
  requestHandler: new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent, connectionTimeout: 5_000 }),
});

async function read(shardId) {
  const first = await client.send(
    new GetShardIteratorCommand({ StreamName: stream, ShardId: shardId, ShardIteratorType: "TRIM_HORIZON" }),
  );
  let iterator = first.ShardIterator;
  while (iterator !== undefined) {
    const answer = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
    iterator = answer.NextShardIterator;
    await sleep(1_000);
  }
}

const { Shards } = await client.send(new ListShardsCommand({ StreamName: stream }));
await Promise.all(Shards.map(({ ShardId }) => read(ShardId)));
