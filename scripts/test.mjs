// `npm test`: every check that needs Node and npm only, all of them even if one fails. Several go on at a time, since
// what starts real processes waits more than it computes: after the build the three parts of the tests, and beside all
// of it, one after the other, what only computes. What must answer in time goes before what need not.
//
//   npm test -- --only unit,lint     some of the steps; unit: the build, the three parts of the tests and their coverage
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { run } from "./run.mjs";

const root = path.join(import.meta.dirname, "..");
const coverage = path.join(root, "coverage/tmp");
const selfImport = 'await import("leasehold"); await import("leasehold/testing");';

/** Fleets of real processes on emulators, whose leases run out in real time. */
const areFleets = /^test\/(integration\/|weather\/real)/;
/** Tests that start other processes, each of which says something and ends. */
const areCommands =
  /^test\/(cli\/|contract\/dynalite|chaos\/usage|embedded\/dynalite|mutants\/runner|simulation\/sim-command|source\/kinesis\/retention|supervisor\/node-processes|testing\/fleet)/;

/** Every test is in one part. */
function partOf(file) {
  if (areFleets.test(file)) return "fleets";
  return areCommands.test(file) ? "commands" : "virtual";
}
const files = readdirSync(path.join(root, "test"), { recursive: true })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `test/${name}`)
  .sort();
const mocha = (part) => {
  const chosen = files.filter((file) => partOf(file) === part);
  return ["mocha", ["--config", ".mocharc.suite.json", ...chosen]];
};

const steps = {
  // Everything waits for it; the types are looked at beside the tests.
  build: ["node", ["scripts/build.mjs", "--no-check"]],
  fleets: mocha("fleets"),
  commands: mocha("commands"),
  // All other tests: they need no time but virtual time.
  virtual: mocha("virtual"),
  coverage: ["c8", ["report"]],
  types: ["tsc", ["--noEmit"]],
  // Without the types of tests, as the package is built: a global of mocha's in src/ is seen here only.
  "types of the package": ["tsc", ["-p", "tsconfig.build.json", "--noEmit"]],
  lint: ["eslint", ["."]],
  format: ["prettier", ["--check", "."]],
  unused: ["knip", []],
  // No hour-long ones: each is as much computing as thirty others.
  seeds: ["node", ["scripts/sim.mjs", "--seeds", "300", "--no-hours"]],
  exports: ["node", ["--input-type=module", "--eval", selfImport]],
  publint: ["publint", ["--strict"]],
  attw: ["attw", ["--pack", ".", "--profile", "esm-only"]],
};
const ofTests = ["fleets", "commands", "virtual"];
/** Fleets run the build: that says nothing of the coverage of the sources. */
const ofSources = ["commands", "virtual"];
const unit = ["build", ...ofTests, "coverage"];

const { values } = parseArgs({ options: { only: { type: "string" } } });
const names = Object.keys(steps);
const chosen = values.only?.split(",").flatMap((name) => (name === "unit" ? unit : [name])) ?? names;
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`--only ${unknown.join(",")}: no such step; there are unit, ${names.join(", ")}`);
  process.exit(1);
}

const failed = [];
let passing = 0;

function titleOf(name) {
  const [command, args] = steps[name];
  const titles = {
    exports: "import the package by its name",
    ...Object.fromEntries(ofTests.map((part) => [part, `mocha, ${String(args.length - 2)} files`])),
  };
  return `\n=== ${name}: ${titles[name] ?? [command, ...args].join(" ")}`;
}

/**
 * Runs steps one after the other. Of all but the one that is shown as it comes everything is shown at each one's end.
 * @param how.niceness how far others go before it
 */
async function inTurn(wanted, { isShown = false, niceness = 0 }) {
  for (const name of wanted.filter((step) => chosen.includes(step))) {
    const [command, args] = steps[name];
    const isTests = ofTests.includes(name);
    if (isShown) console.log(titleOf(name));
    const env = ofSources.includes(name) ? { NODE_V8_COVERAGE: coverage } : {};
    const { code, output } = await run(command, args, { isShown, niceness, env });
    if (!isShown) console.log(`${titleOf(name)}\n${output}`);
    const counts = countsIn(isTests ? output : "");
    passing += counts.passing;
    // A run of nothing would look like success, and so would the coverage of nothing.
    const isEmpty = isTests
      ? counts.passing === 0
      : name === "coverage" && !/^All files +\| +[1-9]/m.test(output);
    if (code !== 0 || counts.pending > 0 || isEmpty) failed.push(name);
  }
}

/** What needs no build begins beside it. */
async function inBackground(built) {
  await inTurn(["types", "types of the package", "lint", "format", "unused"], { niceness: 10 });
  await built;
  await inTurn(["seeds", "exports", "publint", "attw"], { niceness: 10 });
}

async function tests(built) {
  await built;
  rmSync(coverage, { recursive: true, force: true });
  await Promise.all([
    inTurn(["fleets"], { isShown: true }),
    inTurn(["commands"], {}),
    inTurn(["virtual"], { niceness: 5 }),
  ]);
  await inTurn(["coverage"], {});
}

const built = inTurn(["build"], { isShown: true });
await Promise.all([tests(built), inBackground(built)]);

console.log(`\n=== total passing: ${String(passing)}`);
console.log(failed.length === 0 ? "=== every step is green" : `=== failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
