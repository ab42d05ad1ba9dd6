// The least that reads a stream: the SDK's client of Kinesis as it comes, and a loop for each shard, without a pause.
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { Tally } from "./tally.mjs";

const { BENCH_STREAM: StreamName, BENCH_LIMIT } = process.env;
// The client's own handler speaks HTTP/2, the canned stream does not.
const agent = { keepAlive: true, maxSockets: 10_000 };
const client = new KinesisClient({
  requestHandler: new NodeHttpHandler({ httpAgent: agent, httpsAgent: agent }),
});
const tally = new Tally();

async function read(ShardId) {
  const start = { StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" };
  let { ShardIterator } = await client.send(new GetShardIteratorCommand(start));
  while (ShardIterator !== undefined) {
    const answer = await client.send(new GetRecordsCommand({ ShardIterator, Limit: Number(BENCH_LIMIT) }));
    const { Records } = answer;
    let sum = 0;
    for (const { Data } of Records) sum += Data[0] + Data[Data.length - 1];
    tally.batch(ShardId, Records.length, Records[0].SequenceNumber, Records.at(-1).SequenceNumber, sum);
    ShardIterator = answer.NextShardIterator;
  }
}

const { Shards } = await client.send(new ListShardsCommand({ StreamName }));
await Promise.all(Shards.map(({ ShardId }) => read(ShardId)));
