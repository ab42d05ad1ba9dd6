import type { Command } from "commander";
import { integerBetween } from "../options.js";
import { exitStatus, writeJson } from "../output.js";
import { jsonText, type CommonFlags } from "./common.js";

interface DemoFlags extends CommonFlags {
  readonly shards: number;
  readonly workers: number;
  readonly records: number;
  readonly leaseDurationMs: number;
}

export function addDemo(program: Command, setExit: (status: number) => void): void {
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
      const { runDemo } = await import("../demo/demo.js");
      const result = await runDemo({ ...flags, json: flags.json === true });
      if (flags.json === true) await writeJson(result);
      if (!result.ok) setExit(exitStatus.failure);
    });
}
