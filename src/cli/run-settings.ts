import {
  fixedPartitions,
  kinesis,
  type CheckpointMode,
  type KinesisOptions,
  type WorkerOptions,
} from "../index.js";
import { applicationVersion } from "../runtime/application-version.js";
import type { LogLevel } from "./logger.js";
import type { InitialPosition } from "./options.js";

/** What `leasehold run` was told, as its child processes are told it too: plain data. */
export interface RunSettings {
  readonly application: string;
  readonly stream?: string;
  readonly partitions?: readonly string[] | number;
  readonly handler: string;
  readonly initialPosition?: InitialPosition;
  readonly idlePollIntervalMs?: number;
  readonly emptyBatches?: true;
  readonly wire?: NonNullable<KinesisOptions["wire"]>;
  readonly checkpointing?: CheckpointMode;
  readonly leaseDurationMs?: number;
  readonly deployment?: string;
  readonly logLevel: LogLevel;
  readonly json: boolean;
}

/** The settings that every worker of a run shares. */
export function workerOptions(
  settings: RunSettings,
): Pick<WorkerOptions, "application" | "source" | "checkpointing" | "leaseDurationMs" | "deployment"> {
  const { application, stream, partitions, initialPosition, idlePollIntervalMs, emptyBatches } = settings;
  const { wire, checkpointing, leaseDurationMs } = settings;
  // The main script is this CLI, but the application is the handler's. Read anew by each child: what runs is what stands
  // on the disk when it starts.
  const deployment = settings.deployment ?? applicationVersion(settings.handler);
  return {
    application,
    source:
      partitions === undefined
        ? kinesis({
            ...(stream?.startsWith("arn:") === true ? { streamArn: stream } : { streamName: stream ?? "" }),
            ...(initialPosition === undefined ? {} : { initialPosition }),
            ...(idlePollIntervalMs === undefined ? {} : { idlePollIntervalMs }),
            ...(emptyBatches === undefined ? {} : { emptyBatches }),
            ...(wire === undefined ? {} : { wire }),
          })
        : fixedPartitions({ partitions, name: application }),
    ...(checkpointing === undefined ? {} : { checkpointing }),
    ...(deployment === undefined ? {} : { deployment }),
    ...(leaseDurationMs === undefined ? {} : { leaseDurationMs }),
  };
}
