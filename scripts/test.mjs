// `npm test`: every check that needs Node and npm only, one after the other, all of them even if one fails.
//
//   npm test -- --only unit,lint     some of the steps, in the order below
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { run } from "./run.mjs";

const selfImport = 'await import("leasehold"); await import("leasehold/testing");';

const steps = {
  build: ["node", ["scripts/build.mjs"]],
  types: ["tsc", ["--noEmit"]],
  lint: ["eslint", ["."]],
  format: ["prettier", ["--check", "."]],
  unit: ["c8", ["mocha"]],
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

for (const name of names.filter((step) => chosen.includes(step))) {
  const [command, args] = steps[name];
  console.log(
    `\n=== ${name}: ${name === "exports" ? "import the package by its name" : [command, ...args].join(" ")}`,
  );
  const { code, output } = await run(command, args);
  const counts = countsIn(name === "unit" ? output : "");
  passing += counts.passing;
  // A run of nothing would look like success.
  const empty = name === "unit" && counts.passing === 0;
  if (code !== 0 || counts.pending > 0 || empty) failed.push(name);
}

console.log(`\n=== total passing: ${String(passing)}`);
console.log(failed.length === 0 ? "=== every step is green" : `=== failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
