import path from "node:path";
import { expect } from "chai";
import { fixture, runCli, type CliExit } from "./spawn-cli.js";

const handler = ["--handler", fixture("processor.mjs")];
const partitions = ["--application", "orders", ...handler, "--partitions", "4"];

/** A command line, and what its error names: the option, the value, the remedy. */
const wrong: readonly (readonly [args: readonly string[], ...names: string[]])[] = [
  [["run", ...partitions, "--frobnicate"], "--frobnicate", "--help"],
  [["run", ...partitions, "--worker", "2"], "--worker", "--workers"],
  [["frobnicate"], "frobnicate", "run, status, history, fence and demo"],
  [["--frobnicate"], "--frobnicate", "--help"],
  [["run", ...partitions, "stray"], "argument", "--help"],
  [["run", ...handler, "--partitions", "4"], "--application", "--application orders"],
  [["run", "--application", "orders", "--partitions", "4"], "--handler", "--handler ./handler.mjs"],
  [["run", "--application", "orders", ...handler], "--stream", "--partitions"],
  [["run", ...partitions, "--stream", "flights"], "--stream flights", "--partitions", "leave the other out"],
  [["run", ...partitions, "--workers", "2", "--no-supervise"], "--workers 2", "--no-supervise", "leave one"],
  [["run", ...partitions, "--workers", "0"], "--workers", "'0'", "from 1 to 256"],
  [["run", ...partitions, "--workers", "many"], "--workers", "'many'", "from 1 to 256"],
  [["run", ...partitions, "--lease-duration-ms", "1999"], "--lease-duration-ms", "'1999'", "from 2000"],
  [["run", ...partitions, "--lease-duration-ms", "1e4"], "--lease-duration-ms", "'1e4'", "an integer"],
  [
    ["run", ...partitions, "--initial-position", "LATEST"],
    "--initial-position",
    "leave --initial-position out",
  ],
  [
    ["run", ...partitions, "--idle-poll-interval-ms", "500"],
    "--idle-poll-interval-ms",
    "leave --idle-poll-interval-ms out",
  ],
  [["run", ...partitions, "--empty-batches"], "--empty-batches", "leave --empty-batches out"],
  [["run", ...partitions, "--wire", "json"], "--wire", "leave --wire out"],
  [["run", ...partitions, "--wire", "cbor"], "--wire", "'cbor'", "auto, json, sdk"],
  [
    ["run", "--application", "orders", ...handler, "--stream", "s", "--idle-poll-interval-ms", "199"],
    "--idle-poll-interval-ms",
    "'199'",
    "from 200",
  ],
  [["run", ...partitions, "--checkpointing", "never"], "--checkpointing", "'never'", "explicit"],
  [
    ["run", "--application", "orders", ...handler, "--stream", "s", "--initial-position", "yesterday"],
    "--initial-position",
    "'yesterday'",
    "TRIM_HORIZON, LATEST",
  ],
  [["run", ...partitions, "--log-level", "loud"], "--log-level", "'loud'", "debug"],
  [["run", "--application", "orders", ...handler, "--partitions", "a,,b"], "--partitions", "'a,,b'", "a,b,c"],
  [["run", "--application", "orders", ...handler, "--partitions", "a,a"], "--partitions", "'a,a'", "twice"],
  [["run", "--application", "orders", ...handler, "--partitions", "0"], "--partitions", "'0'", "from 1"],
  [["run", "--application", "o", ...handler, "--partitions", "4"], "application", '"o"', "3 to 249"],
  [["run", "--application", "orders", ...handler, "--stream", "a b"], "streamName", '"a b"', "1 to 128"],
  [["run", "--application", "orders", ...handler, "--partitions", "-1"], "--partitions", "'-1'", "from 1"],
  [["run", "--application", "orders", ...handler, "--partitions", "1.5"], "--partitions", "'1.5'", "from 1"],
  [["run", ...partitions, "--application", "sales"], "--application", "orders", "sales", "leave one"],
  [
    ["run", ...handler, "--partitions", "4", "--application", "--json"],
    "--application",
    "followed by --json",
  ],
  [
    [
      ...["run", "--application", "orders", ...handler, "--stream", "s"],
      ...["--initial-position", "2026-02-31T12:00:00Z"],
    ],
    "--initial-position",
    "'2026-02-31T12:00:00Z'",
    "an instant",
  ],
  [["run", ...partitions, "--label", "a b"], "label", '"a b"', "1 to 60"],
  [["status"], "--application", "--application orders"],
  [["history"], "--application", "--application orders"],
  [["history", "frob", "--application", "orders"], "history frob", "history verify"],
  [["history", "--application", "orders", "--at", "2026-01-31"], "--at", "'2026-01-31'", "with its zone"],
  [
    ["history", "--application", "orders", "--since", "2026-02-31T12:00:00Z"],
    "--since",
    "'2026-02-31T12:00:00Z'",
    "with its zone",
  ],
  [["history", "verify", "--application", "orders", "--worker", "w1"], "--worker", "leave it out"],
  [["fence", "--application", "orders"], "the worker", "leasehold fence web-1"],
  [["fence", "w1"], "--application", "--application orders"],
  [["fence", "w1", "--application", "o"], "application", '"o"', "3 to 249"],
  [["fence", "w1", "--application", "orders", "--operator", " "], "operator", '" "', "ann@ops"],
  [["demo", "--shards", "1"], "--shards", "'1'", "from 2 to 64"],
  [["demo", "--workers", "9"], "--workers", "'9'", "from 2 to 8"],
  [["demo", "--records", "-5"], "--records", "'-5'", "from 1000"],
];

describe("the command line", () => {
  describe("called wrongly", () => {
    for (const [args, ...names] of wrong) {
      it(`names what is wrong with: ${args.map((arg) => path.basename(arg)).join(" ")}`, async () => {
        const { code, stderr, json } = await runCli([...args, "--json"]);
        expect(code).to.equal(2);
        const { ok, error } = json() as { ok: boolean; error: { code: string; message: string } };
        expect(ok).to.be.false;
        expect(error.code).to.be.oneOf(["usage", "invalid-option", "invalid-application"]);
        for (const name of names) expect(error.message).to.include(name);
        expect(stderr).to.include(error.message);
      });
    }

    it("writes nothing to stdout without --json", async () => {
      const { code, stdout, stderr } = await runCli(["status"]);
      expect(code).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.include("--application");
    });
  });

  describe("asked for help", () => {
    const expected = (result: CliExit, ...texts: string[]): void => {
      expect(result.code).to.equal(0);
      for (const text of texts) expect(result.stdout).to.include(text);
      expect(result.stderr).to.equal("");
    };

    it("names its commands, with examples and the exit statuses", async () => {
      expected(
        await runCli(["--help"]),
        "run",
        "status",
        "demo",
        "Examples:",
        "$ leasehold run",
        "$ leasehold history",
        "$ leasehold fence",
        "Exit status",
      );
    });

    it("has a help command, of each command too", async () => {
      expected(await runCli(["help"]), "Usage: leasehold [options] [command]\n", "Examples:");
      expected(await runCli(["help", "run"]), "--handler", "$ leasehold run");
    });

    for (const [command, ...texts] of [
      ["run", "--application", "--handler", "--no-supervise", "AWS_ENDPOINT_URL_KINESIS", "$ leasehold run"],
      ["status", "--application", "--json", "$ leasehold status"],
      ["history", "--lease", "--worker", "--at", "--since", "--json", "$ leasehold history verify"],
      ["fence", "--operator", "--json", "$ leasehold fence"],
      ["demo", "--shards", "--workers", "--records", "$ leasehold demo"],
    ] as const) {
      it(`explains ${command}, with examples`, async () => {
        expected(await runCli([command, "--help"]), "Examples:", ...texts);
      });
    }

    it("prints the help to stderr, as an error, when no command is given", async () => {
      const { code, stdout, stderr } = await runCli([]);
      expect(code).to.equal(2);
      expect(stdout).to.equal("");
      expect(stderr).to.include("Usage: leasehold");
    });

    it("prints its version", async () => {
      const { code, stdout } = await runCli(["--version"]);
      expect(code).to.equal(0);
      expect(stdout).to.match(/^\d+\.\d+\.\d+/);
    });
  });
});
