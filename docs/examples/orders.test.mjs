// An integration test of the handler beside it, by node:test: `node --test orders.test.mjs`. It takes the endpoints from
// the environment, and starts emulators of its own where it finds none.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createStream, startDynalite, startFleet, startKinesisLocal } from "leasehold/testing";

// Names of this run only: the endpoint may be LocalStack's, which others use too.
const name = `orders-${process.pid}`;
const emulators = [];
let stream;
let fleet;

before(async () => {
  let endpoints = { dynamodb: process.env.DYNAMODB_ENDPOINT, kinesis: process.env.KINESIS_ENDPOINT };
  if (!endpoints.dynamodb || !endpoints.kinesis) {
    emulators.push(...(await Promise.all([startDynalite(), startKinesisLocal()])));
    endpoints = { dynamodb: emulators[0].endpoint, kinesis: emulators[1].endpoint };
  }
  stream = await createStream({ endpoints, streamName: name, shards: 4 });
  fleet = await startFleet({
    application: name,
    endpoints,
    stream: { streamName: name, idlePollIntervalMs: 250 },
    handler: new URL("./handler.mjs", import.meta.url),
    workers: 2,
    leaseDurationMs: 5_000,
    checkpointIntervalMs: 200,
  });
});

after(async () => {
  await fleet?.close();
  await stream?.delete();
  stream?.close();
  await Promise.all(emulators.map((emulator) => emulator.stop()));
});

const put = (from, to) =>
  stream.put(Array.from({ length: to - from }, (_, i) => JSON.stringify({ id: from + i })));
const stored = () => fleet.of("logged").map(({ fields }) => fields.order);
const allStored = (count) => () => new Set(stored()).size === count;

test("every order is stored", async () => {
  await put(0, 20);
  await fleet.until(allStored(20), { what: "20 orders" });
});

test("no order is lost when a worker dies", async () => {
  const [victim, survivor] = fleet.workers;
  await fleet.kill(victim);
  await put(20, 40);
  await fleet.untilStatus(({ leases }) => leases.every(({ owner }) => owner === survivor.workerId));
  await fleet.until(allStored(40), { what: "40 orders" });
});

test("no order is lost when the stream is resharded", async () => {
  const [first] = await stream.openShards();
  await stream.split(first);
  await put(40, 60);
  await fleet.until(allStored(60), { what: "60 orders" });
});

test("a clean stop stores no order twice", async () => {
  const [, leaver] = fleet.workers;
  const successor = await fleet.start();
  const before = stored().length;
  await put(60, 70);
  await fleet.until(allStored(70), { what: "70 orders" });
  await fleet.stop(leaver);
  await put(70, 80);
  await fleet.until(allStored(80), { what: "80 orders" });
  await fleet.untilStatus(({ leases }) =>
    leases.every(({ owner, state }) => state === "finished" || owner === successor.workerId),
  );
  assert.equal(stored().length - before, 20);
});
