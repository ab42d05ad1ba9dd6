import type { Command } from "commander";
import { write, writeJson } from "../output.js";
import { environmentHelp, jsonText, needed, type CommonFlags } from "./common.js";

interface StatusFlags extends CommonFlags {
  readonly application?: string;
}

export function addStatus(program: Command): void {
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
      const { readStatus, statusText } = await import("../status.js");
      const status = await readStatus(application);
      if (flags.json === true) await writeJson(status);
      else await write(process.stdout, statusText(status));
    });
}
