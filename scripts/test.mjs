// `npm test`: every check that needs Node and npm only, all of them even if one fails. After the build the unit tests
// run, which wait more than they compute, and beside them, in the background and one after the other, all the rest.
//
//   npm test -- --only unit,lint     some of the steps
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { run } from "./run.mjs";

const selfImport = 'await import("leasehold"); await import("leasehold/testing");';

const steps = {
  build: ["node", ["scripts/build.mjs"]],
  unit: ["c8", ["mocha"]],
  types: ["tsc", ["--noEmit"]],
  // No hour-long ones: each is as much computing as thirty others.
  seeds: ["node", ["scripts/sim.mjs", "--seeds", "300", "--no-hours"]],
  lint: ["eslint", ["."]],
  format: ["prettier", ["--check", "."]],
  unused: ["knip", []],
  exports: ["node", ["--input-type=module", "--eval", selfImport]],
  publint: ["publint", ["--strict"]],
  attw: ["attw", ["--pack", ".", "--profile", "esm-only"]],
};

const { values } = parseArgs({ options: { only: { type: "string" } } });
const names = Object.keys(steps);
const chosen = values.only?.split(",") ?? names;
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`--only ${unknown.join(",")}: no such step; there are ${names.join(", ")}`);
  process.exit(1);
}

const failed = [];
let passing = 0;

function titleOf(name) {
  const [command, args] = steps[name];
  const what = name === "exports" ? "import the package by its name" : [command, ...args].join(" ");
  return `\n=== ${name}: ${what}`;
}

/** Runs steps one after the other. Of those in the background all is shown at each one's end. */
async function inTurn(wanted, how) {
  for (const name of wanted.filter((step) => chosen.includes(step))) {
    const [command, args] = steps[name];
    if (!how.inBackground) console.log(titleOf(name));
    const { code, output } = await run(command, args, how);
    if (how.inBackground) console.log(`${titleOf(name)}\n${output}`);
    const counts = countsIn(name === "unit" ? output : "");
    passing += counts.passing;
    // A run of nothing would look like success.
    const empty = name === "unit" && counts.passing === 0;
    if (code !== 0 || counts.pending > 0 || empty) failed.push(name);
  }
}

const [build, unit, ...others] = names;
await inTurn([build], { inBackground: false });
await Promise.all([inTurn([unit], { inBackground: false }), inTurn(others, { inBackground: true })]);

console.log(`\n=== total passing: ${String(passing)}`);
console.log(failed.length === 0 ? "=== every step is green" : `=== failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
