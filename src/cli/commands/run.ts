import { Option, type Command } from "commander";
import type { CheckpointMode, KinesisOptions } from "../../index.js";
import { wires } from "../../source/kinesis/options.js";
import { logLevels, type LogLevel } from "../logger.js";
import {
  checkpointModes,
  initialPositionOption,
  integerBetween,
  partitionsOption,
  type InitialPosition,
} from "../options.js";
import { writeJson } from "../output.js";
import { environmentHelp, jsonText, needed, type CommonFlags } from "./common.js";

interface RunFlags extends CommonFlags {
  readonly application?: string;
  readonly stream?: string;
  readonly partitions?: readonly string[] | number;
  readonly handler?: string;
  readonly workers?: number;
  readonly initialPosition?: InitialPosition;
  readonly idlePollIntervalMs?: number;
  readonly emptyBatches?: true;
  readonly wire?: NonNullable<KinesisOptions["wire"]>;
  readonly checkpointing?: CheckpointMode;
  readonly leaseDurationMs?: number;
  readonly supervise: boolean;
  readonly label?: string;
  readonly deployment?: string;
  readonly logLevel: LogLevel;
}

export function addRun(program: Command): void {
  program
    .command("run")
    .description("run workers on a stream, or on fixed partitions, until SIGTERM or Ctrl-C")
    .option("--application <name>", "names the tables <name> and <name>-fleet")
    .option("--stream <name>", "the Kinesis stream, by name or ARN")
    .option("--partitions <list>", "in place of a stream: names as in a,b,c, or how many", partitionsOption)
    .option(
      "--handler <file>",
      "an ES module whose default export is a processor, or a function that takes { application, workerId, logger } and returns one",
    )
    .option("--workers <count>", "worker processes (default: 1)", integerBetween(1, 256))
    .option(
      "--initial-position <where>",
      "where a shard begins of which nothing is known: TRIM_HORIZON (default), LATEST, or an instant as in 2026-01-31T12:00:00Z",
      initialPositionOption,
    )
    .option(
      "--idle-poll-interval-ms <ms>",
      "between two reads of a shard that has nothing new (default: 1000)",
      integerBetween(200, 3_600_000, " ms"),
    )
    .option("--empty-batches", "hand reads that brought nothing to the handler too")
    .addOption(
      new Option(
        "--wire <format>",
        "how records come: auto (CBOR where the service takes it), json, or sdk, as the AWS SDK reads them (default: auto)",
      ).choices(wires),
    )
    .addOption(
      new Option(
        "--checkpointing <mode>",
        "automatic: a batch is done when process returns; explicit: when the handler checkpoints it (default: automatic)",
      ).choices(checkpointModes),
    )
    .option(
      "--lease-duration-ms <ms>",
      "how long a heartbeat vouches for a worker (default: 10000)",
      integerBetween(2_000, 3_600_000, " ms"),
    )
    .option("--no-supervise", "run one worker in this process")
    .option("--label <label>", "how the worker ids begin (default: host and process)")
    .option(
      "--deployment <label>",
      "what is deployed: while two are alive, leases move from the older to the newer only (default: the version in the package.json nearest to the handler)",
    )
    .addOption(new Option("--log-level <level>", "what to log to stderr").choices(logLevels).default("info"))
    .option("--json", jsonText)
    .addHelpText(
      "after",
      `
Examples:
  $ leasehold run --application orders --stream orders --handler ./handler.mjs --workers 4
  $ leasehold run --application reports --partitions tenant-a,tenant-b --handler ./turns.mjs
  $ leasehold run --application crawl --partitions 64 --handler ./turns.mjs --no-supervise

A first SIGTERM hands everything over and leaves; a second one leaves without the last checkpoints.
${environmentHelp}`,
    )
    .action(async (flags: RunFlags) => {
      const application = needed("--application", flags.application, "--application orders");
      const handler = needed("--handler", flags.handler, "--handler ./handler.mjs");
      const { run } = await import("../run.js");
      const result = await run({ ...flags, application, handler, json: flags.json === true });
      if (flags.json === true) await writeJson(result);
    });
}
