import type { Command } from "commander";
import { instantOption } from "../options.js";
import { exitStatus, UsageError, write, writeJson } from "../output.js";
import { environmentHelp, jsonText, needed, type CommonFlags } from "./common.js";

interface HistoryFlags extends CommonFlags {
  readonly application?: string;
  readonly lease?: string;
  readonly worker?: string;
  readonly at?: Date;
  readonly since?: Date;
}

export function addHistory(program: Command, setExit: (status: number) => void): void {
  program
    .command("history")
    .description("show who held what when; `history verify` checks that nothing is missing")
    .argument("[verify]", "check the history in place of showing it: status 1 where something is missing")
    .option("--application <name>", "the application's name")
    .option("--lease <key>", "only this lease; without it the whole history is read")
    .option("--worker <id>", "only what this worker held")
    .option("--at <time>", "only what was so at this instant, as in 2026-01-31T12:00:00Z", instantOption)
    .option("--since <time>", "only what lasted beyond this instant", instantOption)
    .option("--json", jsonText)
    .addHelpText(
      "after",
      `
Times are the wall clocks of the workers that wrote them, and no better than those were. A history is kept for 30 days.

Examples:
  $ leasehold history --application orders --lease shardId-000000000000
  $ leasehold history --application orders --lease shardId-000000000000 --at 2026-01-31T12:00:00Z
  $ leasehold history --application orders --worker web-1-3f2a9c81d04b --since 2026-01-31T00:00:00+01:00
  $ leasehold history verify --application orders
${environmentHelp}`,
    )
    .action(async (what: string | undefined, flags: HistoryFlags) => {
      if (what !== undefined && what !== "verify") {
        throw new UsageError(
          `history ${what} is no command: there are leasehold history and leasehold history verify`,
        );
      }
      const application = needed("--application", flags.application, "--application orders");
      const request = { ...flags, application };
      if (what === undefined) {
        const { askHistory, historyText } = await import("../history.js");
        const answer = await askHistory(request);
        if (flags.json === true) await writeJson(answer);
        else await write(process.stdout, historyText(answer));
        return;
      }
      refuseFilters(flags);
      const { verdictText, verifyHistory } = await import("../history.js");
      const verdict = await verifyHistory(request);
      if (flags.json === true) await writeJson(verdict);
      else await write(process.stdout, verdictText(verdict));
      if (!verdict.ok) setExit(exitStatus.failure);
    });
}

/** What is filtered out would be found missing. */
function refuseFilters({ worker, at, since }: HistoryFlags): void {
  const given = Object.entries({ worker, at, since }).find(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new UsageError(
    `--${given[0]} is given to history verify, which checks whole leases; leave it out, or name a --lease`,
  );
}
