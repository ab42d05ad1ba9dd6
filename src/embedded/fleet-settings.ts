import {
  fixedPartitions,
  kinesis,
  type FixedPartitionsOptions,
  type KinesisOptions,
  type WorkerOptions,
} from "../index.js";
import { dynamodbAt, kinesisAt, type Endpoints } from "./endpoints.js";

/** Of a worker's options those that are plain data, and so can be told to another process. */
export type PlainWorkerOptions = Omit<
  WorkerOptions,
  "source" | "processor" | "label" | "logger" | "onEvent" | "announce" | "dynamodb" | "onError"
>;

/** What one worker of a fleet under test is made of, its processor aside: plain data. */
export interface FleetWorkerSettings {
  readonly label: string;
  readonly endpoints: Endpoints;
  /** This or `partitions`. */
  readonly stream?: Omit<KinesisOptions, "client">;
  readonly partitions?: FixedPartitionsOptions;
  readonly worker: PlainWorkerOptions;
}

/** The worker's options, for the settings' endpoints. */
export function workerOptionsOf(settings: FleetWorkerSettings): Omit<WorkerOptions, "processor"> {
  const { label, endpoints, stream, partitions, worker } = settings;
  return {
    ...worker,
    label,
    dynamodb: dynamodbAt(endpoints),
    source:
      partitions === undefined
        ? kinesis({ ...stream, ...kinesisAt(endpoints) })
        : fixedPartitions(partitions),
  };
}
