// A worker of Leasehold's with its default options but one: checkpoints come often enough to fall into the window.
//
//   node leasehold.mjs [--source JSON] [--worker JSON] [--pause-ms 0] [--profile FILE]
//
// More options of its source and its own; how long each batch waits, as for a call to somewhere; a profile of the window.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { kinesis, Worker } from "../../../dist/index.js";
import { Profile } from "./profile.mjs";
import { Tally } from "./tally.mjs";

const { BENCH_STREAM, BENCH_APPLICATION, BENCH_LIMIT, BENCH_CHECKPOINT_MS } = process.env;
const { values } = parseArgs({
  options: {
    source: { type: "string", default: "{}" },
    worker: { type: "string", default: "{}" },
    "pause-ms": { type: "string", default: "0" },
    profile: { type: "string" },
  },
});
const profile = values.profile === undefined ? undefined : new Profile(values.profile);
const pauseMs = Number(values["pause-ms"]);
const tally = new Tally({ onFrom: () => profile?.start(), onTo: async () => profile?.stop() });

const worker = new Worker({
  application: BENCH_APPLICATION,
  source: kinesis({
    streamName: BENCH_STREAM,
    maxRecords: Number(BENCH_LIMIT),
    ...JSON.parse(values.source),
  }),
  processor: {
    process({ records }, { leaseKey }) {
      let sum = 0;
      for (const { data } of records) sum += data[0] + data[data.length - 1];
      const wait = pauseMs > 0 ? sleep(pauseMs) : undefined;
      tally.batch(leaseKey, records.length, records[0].sequenceNumber, records.at(-1).sequenceNumber, sum);
      return wait;
    },
  },
  checkpointIntervalMs: Number(BENCH_CHECKPOINT_MS),
  // A batch that is refused would come again for ever: the bench must hear of it.
  onError: (error) => {
    console.error(error);
    process.exit(1);
  },
  ...JSON.parse(values.worker),
});
await worker.run();
