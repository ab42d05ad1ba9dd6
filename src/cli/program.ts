import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import type { FailureReport } from "./failure.js";
import { logLevels, type LogLevel } from "./logger.js";
import { initialPositionOption, integerBetween, partitionsOption, type InitialPosition } from "./options.js";
import { exitStatus, UsageError, write, writeJson } from "./output.js";

interface CommonFlags {
  readonly json?: boolean;
}

interface RunFlags extends CommonFlags {
  readonly application?: string;
  readonly stream?: string;
  readonly partitions?: readonly string[] | number;
  readonly handler?: string;
  readonly workers?: number;
  readonly initialPosition?: InitialPosition;
  readonly leaseDurationMs?: number;
  readonly supervise: boolean;
  readonly label?: string;
  readonly logLevel: LogLevel;
}

interface DemoFlags extends CommonFlags {
  readonly shards: number;
  readonly workers: number;
  readonly records: number;
  readonly leaseDurationMs: number;
}

interface StatusFlags extends CommonFlags {
  readonly application?: string;
}

const environmentHelp = `
Endpoints and credentials come from the AWS SDK's usual environment and files:
AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_KINESIS, ~/.aws/config.
Exit status: 0 done, 1 failed, 2 called wrongly.`;

const jsonText = "print one JSON object as the last line of stdout; everything else goes to stderr";

/**
 * Runs one command line.
 * @returns the exit status
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exit: number = exitStatus.ok;
  // Known before commander has read anything, because what it refuses is reported in the same form.
  const json = args.includes("--json");
  const finished = reportEarlyEnd(json);
  const program = buildProgram((status) => {
    exit = status;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    return await report(error, json);
  } finally {
    finished();
  }
}

/**
 * A handler shares this process under --no-supervise, and may end it: by process.exit, by an error outside of any call, or
 * by leaving nothing to wait for. The object on stdout's last line is promised all the same, and a status that is no success.
 * @returns to be called when the command has ended by itself
 */
function reportEarlyEnd(json: boolean): () => void {
  const onExit = (status: number): void => {
    const message = `the process was ended before the command was done, with status ${String(status)}: the handler called process.exit, failed outside of its calls, or left nothing to wait for`;
    process.stderr.write(`leasehold: ${message}\n`);
    if (json) {
      process.stdout.write(`${JSON.stringify({ ok: false, error: { code: "ended-early", message } })}\n`);
    }
    // 13 is Node's own, for nothing left to wait for.
    if (status === 0 || status === 13) process.exitCode = exitStatus.failure;
  };
  process.once("exit", onExit);
  return () => {
    process.off("exit", onExit);
  };
}

function buildProgram(setExit: (status: number) => void): Command {
  const program = new Command("leasehold")
    .description("Leases for partitioned streams: workers share the shards of a Kinesis stream")
    .version(packageVersion(), "-V, --version", "print the version")
    .exitOverride()
    // Errors are written by us, in one form for all of them.
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      `
Examples:
  $ leasehold run --application orders --stream orders --handler ./handler.mjs --workers 4
  $ leasehold status --application orders
  $ leasehold demo
${environmentHelp}`,
    );
  addRun(program);
  addStatus(program);
  addDemo(program, setExit);
  // Commander offers it only where no action of its own stands in the way.
  program.helpCommand("help [command]", "display help for a command").usage("[options] [command]");
  for (const command of program.commands) refuseMistakenValues(command);
  // Without a known command there is nothing to do; commander would complain of the options that
  // follow it. After the commands, which would inherit the leniency.
  program.argument("[command]").allowUnknownOption().allowExcessArguments();
  program.action((command?: string) => {
    if (command !== undefined) {
      throw new UsageError(
        `${command} is no command and no option; there are run, status and demo; see leasehold --help`,
      );
    }
    program.help({ error: true });
  });
  return program;
}

/** Commander takes the next option for a missing value, and of two values the last: both are mistakes to be told of. */
function refuseMistakenValues(command: Command): void {
  for (const { long, name, required } of command.options.map((option) => ({
    long: option.long ?? "",
    name: option.name(),
    required: option.required,
  }))) {
    if (!required) continue;
    let first: string | undefined;
    command.on(`option:${name}`, (value: string) => {
      if (value.startsWith("--")) {
        throw new UsageError(
          `${long} is followed by ${value} and not by its value; put the value between them`,
        );
      }
      if (first !== undefined) {
        throw new UsageError(`${long} is given twice, as ${first} and as ${value}; leave one of them out`);
      }
      first = value;
    });
  }
}

function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

function addRun(program: Command): void {
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
      "--lease-duration-ms <ms>",
      "how long a heartbeat vouches for a worker (default: 10000)",
      integerBetween(2_000, 3_600_000, " ms"),
    )
    .option("--no-supervise", "run one worker in this process")
    .option("--label <label>", "how the worker ids begin (default: host and process)")
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
      const { run } = await import("./run.js");
      const result = await run({ ...flags, application, handler, json: flags.json === true });
      if (flags.json === true) await writeJson(result);
    });
}

function addStatus(program: Command): void {
  program
    .command("status")
    .description("show who holds what")
    .option("--application <name>", "the application's name")
    .option("--json", jsonText)
    .addHelpText(
      "after",
      `
Examples:
  $ leasehold status --application orders
  $ leasehold status --application orders --json | jq '.leases[] | select(.owner == null)'
${environmentHelp}`,
    )
    .action(async (flags: StatusFlags) => {
      const application = needed("--application", flags.application, "--application orders");
      const { readStatus, statusText } = await import("./status.js");
      const status = await readStatus(application);
      if (flags.json === true) await writeJson(status);
      else await write(process.stdout, statusText(status));
    });
}

function addDemo(program: Command, setExit: (status: number) => void): void {
  program
    .command("demo")
    .description(
      "start local emulators and worker processes, kill, freeze, deploy over and reshard them, and balance the books",
    )
    .option("--shards <count>", "shards of the stream at the start", integerBetween(2, 64), 8)
    .option("--workers <count>", "worker processes at the start", integerBetween(2, 8), 3)
    .option("--records <count>", "records put on the stream", integerBetween(1_000, 1_000_000), 20_000)
    .option(
      "--lease-duration-ms <ms>",
      "how long a heartbeat vouches for a worker",
      integerBetween(2_000, 60_000, " ms"),
      10_000,
    )
    .option("--json", jsonText)
    .addHelpText(
      "after",
      `
It needs the packages kinesis-local and dynalite beside this one, listens on loopback only and takes about a minute.

Examples:
  $ leasehold demo
  $ leasehold demo --shards 16 --workers 4 --records 40000
  $ leasehold demo --json > result.json`,
    )
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import("./demo/demo.js");
      const result = await runDemo({ ...flags, json: flags.json === true });
      if (flags.json === true) await writeJson(result);
      if (!result.ok) setExit(exitStatus.failure);
    });
}

async function report(error: unknown, json: boolean): Promise<number> {
  // Help and version end commander by an error too; they have been written.
  if (error instanceof CommanderError && error.exitCode === 0) return exitStatus.ok;
  const failure = await failureFor(error);
  await write(process.stderr, `leasehold: ${failure.message}\n`);
  if (json) {
    await writeJson({ ok: false, error: { code: failure.code, message: failure.message } });
  }
  return failure.exit;
}

/** Checked here, not by commander, which would speak of what is missing before it speaks of what is unknown. */
function needed(option: string, value: string | undefined, example: string): string {
  if (value !== undefined) return value;
  throw new UsageError(`${option} is missing: give it, as in ${example}`);
}

async function failureFor(error: unknown): Promise<FailureReport> {
  if (error instanceof CommanderError || error instanceof UsageError) {
    const message = error instanceof UsageError ? error.message : usageMessage(error);
    return { code: "usage", message, exit: exitStatus.usage };
  }
  // Loads the library and with it the AWS SDK: a wrong option need not wait for that.
  const { failureOf } = await import("./failure.js");
  return failureOf(error);
}

function usageMessage(error: CommanderError): string {
  if (error.code === "commander.help") return "no command is given; see the help above";
  const text = error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  const isSentence = /[.)?]$/.test(text);
  return `${text}${isSentence ? " See" : "; see"} leasehold --help, or leasehold <command> --help`;
}
