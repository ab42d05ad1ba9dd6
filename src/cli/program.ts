import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { FailureReport } from "./failure.js";
import { environmentHelp } from "./commands/common.js";
import { addDemo } from "./commands/demo.js";
import { addFence } from "./commands/fence.js";
import { addHistory } from "./commands/history.js";
import { addRun } from "./commands/run.js";
import { addStatus } from "./commands/status.js";
import { exitStatus, UsageError, write, writeJson } from "./output.js";

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
  $ leasehold history --application orders --lease shardId-000000000000
  $ leasehold fence web-1-3f2a9c81d04b --application orders
  $ leasehold demo
${environmentHelp}`,
    );
  addRun(program);
  addStatus(program);
  addHistory(program, setExit);
  addFence(program);
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
        `${command} is no command and no option; there are ${names(program)}; see leasehold --help`,
      );
    }
    program.help({ error: true });
  });
  return program;
}

/** `a, b and c`. */
function names({ commands }: Command): string {
  const all = commands.map((command) => command.name()).filter((name) => name !== "help");
  return `${all.slice(0, -1).join(", ")} and ${all.at(-1) ?? ""}`;
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
