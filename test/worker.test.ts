import { expect } from "chai";
import { LeaseholdError } from "../src/model/errors.js";
import type { SourceFactory } from "../src/source/partition-source.js";
import { fixedPartitions } from "../src/source/fixed/fixed-partitions.js";
import { Worker, type WorkerOptions } from "../src/worker.js";

const processor = { process: async () => {} };

/** How often a source was opened or a DynamoDB client made by the options under test. */
let opened = 0;

const source: SourceFactory = (runtime) => {
  opened += 1;
  return fixedPartitions({ partitions: ["p"] })(runtime);
};

const good: WorkerOptions = {
  application: "orders",
  source,
  processor,
  dynamodb: {
    client: () => {
      opened += 1;
      throw new Error("a client was made");
    },
  },
};

function refusal(options: Readonly<Record<string, unknown>>): LeaseholdError {
  opened = 0;
  try {
    new Worker({ ...good, ...options });
  } catch (error) {
    if (!(error instanceof LeaseholdError)) throw error;
    expect(opened, "nothing is opened, so nothing can be written").to.equal(0);
    return error;
  }
  throw new Error(`accepted: ${JSON.stringify(options)}`);
}

/** What is wrong, and the whole message or its beginning. */
const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ["no application", { application: undefined }, "application is undefined: it must be 3 to 249 characters"],
  ["a short application", { application: "ab" }, 'application is "ab": it must be 3 to 249 characters'],
  [
    "another's fleet table",
    { application: "x-fleet" },
    'application is "x-fleet": it must not end in -fleet',
  ],
  [
    "no source",
    { source: undefined },
    "source is undefined: it must be what kinesis(…) or fixedPartitions(…) returned",
  ],
  [
    "an options object for a source",
    { source: { streamName: "s" } },
    "source is object: it must be what kinesis(…) or fixedPartitions(…) returned",
  ],
  [
    "a processor without process",
    { processor: {} },
    "processor is a value of type object: it must be an object",
  ],
  [
    "a processor whose process is no function",
    { processor: { process: true } },
    "processor is a value of type object: it must be an object with a process(batch, lease) method",
  ],
  [
    "liveness of the KCL, which does not exist yet",
    { liveness: "lease" },
    'liveness is "lease": only "worker" exists so far; leave it out',
  ],
  [
    "an empty label",
    { label: "" },
    'label is "": it must be 1 to 60 characters of A-Z a-z 0-9 _ . -; leave it out',
  ],
  ["a label with a space", { label: "a b" }, 'label is "a b": it must be 1 to 60 characters'],
  ["a long label", { label: "x".repeat(61) }, `label is "${"x".repeat(61)}": it must be 1 to 60 characters`],
  ["a label that is no text", { label: 7 }, "label is a number: it must be 1 to 60 characters"],
  [
    "a deployment with a space",
    { deployment: "v 2" },
    'deployment is "v 2": it must be 1 to 60 characters of A-Z a-z 0-9 _ . -; leave it out for the application\'s version',
  ],
  [
    "a lease too short",
    { leaseDurationMs: 1_999 },
    "leaseDurationMs is 1999: it must be an integer from 2000 to 3600000 ms; leave it out for its default",
  ],
  ["a duration as text", { leaseDurationMs: "10s" }, 'leaseDurationMs is "10s": it must be an integer'],
  [
    "heartbeats too seldom for the lease",
    { leaseDurationMs: 4_000, heartbeatIntervalMs: 2_000 },
    "heartbeatIntervalMs is 2000: it must be small enough that two beats and two tries fit the lease",
  ],
  [
    "a try longer than a heartbeat",
    { attemptTimeoutMs: 2_600 },
    "attemptTimeoutMs is 2600: it must be at most heartbeatIntervalMs (2500); lower it, or raise heartbeatIntervalMs",
  ],
  ["a margin too small", { safetyMarginMs: 1 }, "safetyMarginMs is 1: it must be from 500 to 2500 ms"],
  [
    "polls too seldom",
    { pollIntervalMs: 5_000 },
    "pollIntervalMs is 5000: it must be at most an eighth of leaseDurationMs (1250); lower it",
  ],
  [
    "a hard bound below the soft one",
    { maxLeases: 5, hardMaxLeases: 4 },
    "hardMaxLeases is 4: it must be at least maxLeases (5); raise it, or lower maxLeases",
  ],
  [
    "no batches at all",
    { maxConcurrentBatches: 0 },
    "maxConcurrentBatches is 0: it must be an integer of at least 1",
  ],
  [
    "an unknown way to checkpoint",
    { checkpointing: "manual" },
    'checkpointing is "manual": it must be "automatic" or "explicit"; leave it out for its default',
  ],
  ["a retry that is no object", { retry: 5 }, "retry is 5: it must be an object of firstMs and longestMs"],
  ["a retry of nothing", { retry: { firstMs: 0 } }, "retry.firstMs is 0: it must be an integer from 1 to"],
  [
    "a longest back-off below the first",
    { retry: { firstMs: 5_000, longestMs: 4_999 } },
    "retry.longestMs is 4999: it must be an integer from 5000 to",
  ],
  [
    "a misspelt retry",
    { retry: { first: 1 } },
    "retry.first is no processing option; known are firstMs, longestMs",
  ],
  ["an onError that is no function", { onError: "retry" }, 'onError is "retry": it must be a function'],
  [
    "a misspelt option",
    { leaseDuration: 5_000 },
    "leaseDuration is no protocol option; known are leaseDurationMs",
  ],
  [
    "an onEvent that is no function",
    { onEvent: {} },
    "onEvent is a value of type object: it must be a function",
  ],
  ["an announce that is no function", { announce: true }, "announce is true: it must be a function"],
  [
    "a logger without its methods",
    { logger: { info: () => {} } },
    "logger is a value of type object: it must be an object with the methods debug, info, warn and error",
  ],
  [
    "DynamoDB by name",
    { dynamodb: "us-east-1" },
    'dynamodb is "us-east-1": it must be an object of client, billing, tags, pointInTimeRecovery, deletionProtection; or leave',
  ],
  [
    "a misspelt way to DynamoDB",
    { dynamodb: { region: "x" } },
    "dynamodb.region is no option; known are client, billing, tags, pointInTimeRecovery, deletionProtection",
  ],
  [
    "a DynamoDB client that is no factory",
    { dynamodb: { client: {} } },
    "dynamodb.client is {}: it must be a function that receives our defaults and returns a client",
  ],
];

describe("a worker's options", () => {
  for (const [what, options, message] of wrong) {
    it(`refuse ${what}, with its value and its rule, before anything is opened`, () => {
      const error = refusal(options);
      expect(error.message.slice(0, message.length)).to.equal(message);
      expect(error.code).to.equal("application" in options ? "invalid-application" : "invalid-option");
    });
  }

  it("say in every refusal what it is about", () => {
    for (const [, options] of wrong) {
      const { message } = refusal(options);
      expect(Object.keys(options).some((name) => message.startsWith(name))).to.equal(true);
    }
  });

  it("refuse another liveness in one sentence", () => {
    expect(refusal({ liveness: "lease" }).message).to.match(/^[^.\n]*$/);
  });

  for (const options of [
    {},
    { label: "host-1.a_b" },
    { deployment: "2.0.1-rc.1", deployHoldMs: 0 },
    { liveness: "worker" },
    { maxLeases: 1, hardMaxLeases: 1 },
  ]) {
    it(`accept ${JSON.stringify(options)}, and a worker that was never started stops at once`, async () => {
      const { dynamodb: _client, ...rest } = good;
      const worker = new Worker({ ...rest, ...options } as WorkerOptions);
      expect(worker.status()).to.include({ state: "new", isPlanner: false, remainingMs: 0 });
      await worker.stop();
      expect(worker.status().state).to.equal("stopped");
    });
  }

  it("accept a factory of processors", () => {
    const { dynamodb: _client, ...rest } = good;
    expect(() => new Worker({ ...rest, processor: () => processor })).to.not.throw();
  });

  it("let nobody start a worker whose partitions nobody would work", async () => {
    const { dynamodb: _client, processor: _processor, ...rest } = good;
    const worker = new Worker(rest);
    for (const call of [worker.start(), worker.run()]) {
      const error = await call.catch((thrown: unknown) => thrown);
      expect(error).to.have.property("code", "invalid-option");
      expect(error)
        .to.have.property("message")
        .that.matches(/^processor is undefined, and nobody iterates/);
    }
    await worker.stop();
  });

  it("refuse a loop beside a processor, and a second loop", () => {
    const { dynamodb: _client, processor: _processor, ...rest } = good;
    expect(() => new Worker({ ...rest, processor }).partitions()).to.throw(/^processor is given/);
    const worker = new Worker(rest);
    worker.partitions();
    expect(() => worker.partitions()).to.throw(/is iterated already/);
  });

  it("let nobody start a worker that was stopped", async () => {
    const { dynamodb: _client, ...rest } = good;
    const worker = new Worker(rest);
    await worker.stop();
    const error = await worker.start().catch((thrown: unknown) => thrown);
    expect(error).to.have.property("code", "worker-stopped");
  });
});
