import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { buildIfOld, withoutCoverage } from "../support/built.js";

/** As text: the compiler knows no types of these. */
const argumentsFile: string = "../../scripts/sim/arguments.mjs";
const brokenSeedsFile: string = "./fixtures/some-broken-seeds.mjs";

interface Arguments {
  /** @throws Error for a command line that cannot be obeyed */
  readArguments(argv: readonly string[]): unknown;
}

interface BrokenSeeds {
  readonly broken: Readonly<Record<"forgets" | "dies" | "rejects", number>>;
}

buildIfOld();
const { readArguments } = (await import(argumentsFile)) as Arguments;
const { broken } = (await import(brokenSeedsFile)) as BrokenSeeds;
const command = fileURLToPath(new URL("./fixtures/sim-command.mjs", import.meta.url));
const withBrokenSeeds = "./some-broken-seeds.mjs";
const withDemands = "./never-exercised.mjs";

interface Exit {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Report {
  readonly seeds: number;
  readonly seedsPerSecond: number;
  readonly events: number;
  readonly virtualHours: number;
  readonly medians: Readonly<Record<"workers" | "leases" | "virtualSeconds" | "takes", number>>;
  readonly violations: readonly { readonly seed: number; readonly invariant: string }[];
  readonly coverage: Readonly<Record<string, number>>;
}

function sim(module: string, ...flags: readonly string[]): Promise<Exit> {
  const args = [command, module, ...flags];
  const limits = {
    env: withoutCoverage(),
    timeout: 100_000,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 2 ** 20,
  } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, args, limits, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

function reportOf({ stdout }: Exit): Report {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Report;
}

describe("npm run sim", function () {
  this.timeout(120_000);

  it("runs seeds in several processes and reports them as one object", async () => {
    const exit = await sim(withBrokenSeeds, "--seeds", "3", "--from", "1", "--json");
    expect(exit.code, exit.stderr).to.equal(0);
    expect(exit.stdout.trimEnd().split("\n")).to.have.lengthOf(1);
    const report = reportOf(exit);
    expect(Object.keys(report)).to.deep.equal([
      "seeds",
      "seedsPerSecond",
      "events",
      "virtualHours",
      "medians",
      "violations",
      "coverage",
    ]);
    expect(report.seeds).to.equal(3);
    expect(report.violations).to.deep.equal([]);
    expect(report.events).to.be.greaterThan(3_000);
    expect(report.virtualHours).to.be.at.least(0.1);
    expect(report.medians.workers).to.be.at.least(3);
    expect(report.medians.leases).to.be.at.least(8);
    expect(report.medians.virtualSeconds).to.be.at.least(120);
    expect(report.medians.takes).to.be.at.least(8);
    expect(report.coverage["tenure-began"]).to.be.at.least(24);
  });

  it("goes on after a violation, a crash and a rejection, names their seeds, and ends with 1", async () => {
    const exit = await sim(withBrokenSeeds, "--seeds", "4", "--from", String(broken.forgets), "--json");
    expect(exit.code).to.equal(1);
    const { seeds, violations, medians } = reportOf(exit);
    expect(seeds).to.equal(4);
    expect(violations.map(({ seed }) => seed)).to.deep.equal([broken.forgets, broken.dies, broken.rejects]);
    const invariants = violations.map(({ invariant }) => invariant);
    expect(invariants).to.deep.equal(["history-is-whole", "crash", "crash"]);
    expect(medians.workers).to.be.at.least(3);
    for (const seed of [broken.forgets, broken.dies, broken.rejects]) {
      expect(exit.stderr).to.contain(`npm run sim -- --seed ${seed} --trace`);
    }
    expect(exit.stderr).to.contain("a rejection that nobody handles");
  });

  it("fails over what was never exercised, by name, but not when one seed runs alone", async () => {
    const many = await sim(withDemands, "--seeds", "1", "--json");
    expect(many.code).to.equal(1);
    expect(reportOf(many).coverage["what never happens"]).to.equal(0);
    expect(many.stderr).to.contain("never exercised: what never happens");
    const alone = await sim(withDemands, "--seed", "1", "--json");
    expect(alone.code, alone.stderr).to.equal(0);
    expect(reportOf(alone).seeds).to.equal(1);
  });

  it("prints a trace as one JSON object a line and nothing else, the same at every run", async () => {
    const exit = await sim(withBrokenSeeds, "--seed", "2", "--trace", "--json");
    expect(exit.code, exit.stderr).to.equal(0);
    expect(exit.stderr).to.equal("");
    const lines = exit.stdout.trimEnd().split("\n");
    expect(lines.length).to.be.greaterThan(1_000);
    for (const line of lines) expect(JSON.parse(line)).to.include.keys("t", "who");
    const again = await sim(withBrokenSeeds, "--seed", "2", "--trace");
    expect(again.stdout === exit.stdout).to.equal(true);
  });

  it("traces a violation to its end, and says on stderr what it was", async () => {
    const exit = await sim(withBrokenSeeds, "--seed", String(broken.forgets), "--trace");
    expect(exit.code).to.equal(1);
    for (const line of exit.stdout.trimEnd().split("\n")) expect(JSON.parse(line)).to.be.an("object");
    expect(exit.stderr).to.match(/^seed 13: history-is-whole is violated/);
  });

  it("makes no seed an hour long when told so", async () => {
    const exit = await sim(withBrokenSeeds, "--seeds", "1", "--from", "50", "--no-hours", "--json");
    expect(exit.code, exit.stderr).to.equal(0);
    expect(reportOf(exit).virtualHours).to.be.lessThan(0.5);
  });

  it("goes on for as long as it is told", async () => {
    const exit = await sim(withBrokenSeeds, "--minutes", "0.05", "--from", "16");
    expect(exit.code, exit.stderr).to.equal(0);
    expect(exit.stdout).to.match(/^seeds +\d+$/m);
    expect(exit.stdout).to.match(/^beat-acknowledged +\d+$/m);
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /neither --seeds, --minutes nor --seed.*--seeds 300/],
    ["--seeds many", /--seeds many: it must be a whole number from 1 up/],
    ["--seeds 0", /--seeds 0: it must be/],
    ["--seeds 5 --from 1.5", /--from 1\.5: it must be/],
    ["--seed -1", /--seed/],
    ["--minutes 0", /--minutes 0: it must be a number above 0/],
    ["--seeds 5 --trace", /--trace without --seed/],
    ["--seed 5 --seeds 5", /--seeds beside --seed 5.*leave one/],
    ["--sedes 5", /--sedes.*there are --seeds/],
    ["5", /'5'.*there are --seeds/],
  ];
  for (const [flags, message] of wrong) {
    it(`refuses ${flags === "" ? "no flags at all" : flags}, and says what to do`, () => {
      expect(() => readArguments(flags.split(" ").filter((flag) => flag !== ""))).to.throw(message);
    });
  }

  it("ends with 2 when called wrongly, and prints nothing but why", async () => {
    const exit = await sim(withBrokenSeeds, "--seeds", "many");
    expect(exit.code).to.equal(2);
    expect(exit.stdout).to.equal("");
    expect(exit.stderr).to.equal(
      "npm run sim: --seeds many: it must be a whole number from 1 up, as in --seeds 300\n",
    );
  });
});
