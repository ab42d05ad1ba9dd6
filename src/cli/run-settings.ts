import { fixedPartitions, kinesis, type WorkerOptions } from "../index.js";
import type { LogLevel } from "./logger.js";
import type { InitialPosition } from "./options.js";

/** What `leasehold run` was told, as its child processes are told it too: plain data. */
export interface RunSettings {
  readonly application: string;
  readonly stream?: string;
  readonly partitions?: readonly string[] | number;
  readonly handler: string;
  readonly initialPosition?: InitialPosition;
  readonly leaseDurationMs?: number;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** The settings that every worker of a run shares. */
export function workerOptions(
  settings: RunSettings,
): Pick<WorkerOptions, "application" | "source" | "leaseDurationMs"> {
  const { application, stream, partitions, initialPosition, leaseDurationMs } = settings;
  return {
    application,
    source:
      partitions === undefined
        ? kinesis({
            ...(stream?.startsWith("arn:") === true ? { streamArn: stream } : { streamName: stream ?? "" }),
            ...(initialPosition === undefined ? {} : { initialPosition }),
          })
        : fixedPartitions({ partitions, name: application }),
    ...(leaseDurationMs === undefined ? {} : { leaseDurationMs }),
  };
}
