import { fileURLToPath } from "node:url";
import { dynamodbAt, kinesisAt, type Endpoints } from "../../embedded/endpoints.js";
import type { FleetWorkerSettings, PlainWorkerOptions } from "../../embedded/fleet-settings.js";
import { LeaseholdError } from "../../model/errors.js";
import type { Processor, ProcessorFactory } from "../../processing/processor.js";
import type { FixedPartitionsOptions } from "../../source/fixed/fixed-partitions.js";
import type { KinesisOptions } from "../../source/kinesis/options.js";

/**
 * A fleet of workers for a test. Beside what stands here it takes a worker's options as far as they are plain data:
 * `leaseDurationMs` (2,000 is the shortest, and makes for quick tests), `checkpointIntervalMs`, `checkpointing` and so on.
 */
export interface FleetOptions extends PlainWorkerOptions {
  /** Where DynamoDB and Kinesis are. */
  readonly endpoints: Endpoints;
  /** The stream that is shared, as in `kinesis(…)`; this or `partitions`. */
  readonly stream?: Omit<KinesisOptions, "client">;
  /** Fixed partitions instead, as in `fixedPartitions(…)`. */
  readonly partitions?: FixedPartitionsOptions;
  /**
   * A handler file as `leasehold run` takes it: each worker is a process of its own, which can be killed and frozen.
   * What the handler logs by its context's `logger` are events of type `logged`. This or `processor`.
   */
  readonly handler?: string | URL;
  /** A processor instead: the workers run in the test's own process. */
  readonly processor?: Processor | ProcessorFactory;
  /** How many workers start. Default 1. */
  readonly workers?: number;
  /** Environment variables of the processes, for their handler. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long a wait of this fleet may take, its start included, ms. Default 60,000. */
  readonly withinMs?: number;
}

/** What a further worker may have of its own. */
export interface StartOptions {
  /** Default `w` and the next number. */
  readonly label?: string;
  /** Default those of the fleet: another address is a proxy's, say. */
  readonly endpoints?: Endpoints;
}

/** The options, checked, apart from what each worker has of its own. */
export interface FleetPlan {
  readonly endpoints: Endpoints;
  readonly settings: Omit<FleetWorkerSettings, "label" | "endpoints">;
  /** The path of a handler file, or a processor. */
  readonly work: string | Processor | ProcessorFactory;
  readonly workers: number;
  readonly env: Readonly<Record<string, string>>;
  readonly withinMs: number;
}

/** @throws LeaseholdError `invalid-option`; a worker's own options are checked by the workers */
export function fleetPlan(options: FleetOptions): FleetPlan {
  const {
    endpoints,
    stream,
    partitions,
    handler,
    processor,
    workers = 1,
    env = {},
    withinMs = 60_000,
    ...worker
  } = options;
  if ((stream === undefined) === (partitions === undefined)) {
    invalid("stream and partitions", "give one of them: a fleet shares a stream or fixed partitions");
  }
  // Whatever is wrong with them is said before anything starts.
  dynamodbAt(endpoints);
  if (stream !== undefined) kinesisAt(endpoints);
  const work = handler instanceof URL ? fileURLToPath(handler) : (handler ?? processor);
  if (work === undefined || (handler !== undefined && processor !== undefined)) {
    invalid("handler and processor", "give one of them: a handler file for processes, or a processor");
  }
  if (!Number.isSafeInteger(workers) || workers < 0) {
    invalid(`workers is ${String(workers)}`, "it must be a whole number of at least 0; leave it out for 1");
  }
  return {
    endpoints,
    settings: {
      worker,
      ...(stream === undefined ? {} : { stream }),
      ...(partitions === undefined ? {} : { partitions }),
    },
    work,
    workers,
    env,
    withinMs,
  };
}

function invalid(what: string, remedy: string): never {
  throw new LeaseholdError("invalid-option", `${what}: ${remedy}`);
}
