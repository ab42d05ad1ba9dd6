import type { Command } from "commander";
import { integerBetween } from "../options.js";
import { write, writeJson } from "../output.js";
import { environmentHelp, jsonText, needed, type CommonFlags } from "./common.js";

interface FenceFlags extends CommonFlags {
  readonly application?: string;
  readonly operator?: string;
  readonly leaseDurationMs?: number;
}

export function addFence(program: Command): void {
  program
    .command("fence")
    .description(
      "end a worker that lives and does wrong: it hands over and its process comes back as a new one",
    )
    .argument("[worker]", "its id, as leasehold status shows it")
    .option("--application <name>", "the application's name")
    .option("--operator <name>", "who does it, for the history (default: user@host)")
    .option(
      "--lease-duration-ms <ms>",
      "the fleet's, for the forecast of when the leases are free (default: 10000)",
      integerBetween(2_000, 3_600_000, " ms"),
    )
    .option("--json", jsonText)
    .addHelpText(
      "after",
      `
A worker that has died is fenced by the others; this is for one that lives. It is not asked whether it is silent, so
what it does not hand over is free only once 1.25 lease durations have passed for whoever would take it.

Examples:
  $ leasehold fence web-1-3f2a9c81d04b --application orders
  $ leasehold fence web-1-3f2a9c81d04b --application orders --operator ann@ops --json
${environmentHelp}`,
    )
    .action(async (worker: string | undefined, flags: FenceFlags) => {
      const workerId = needed(
        "the worker",
        worker,
        "leasehold fence web-1-3f2a9c81d04b --application orders",
      );
      const application = needed("--application", flags.application, "--application orders");
      const { fence, fenceText } = await import("../fence.js");
      const result = await fence({ ...flags, application, workerId });
      if (flags.json === true) await writeJson(result);
      else await write(process.stdout, fenceText(result));
    });
}
