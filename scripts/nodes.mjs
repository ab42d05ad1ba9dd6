// `npm run test:nodes`: what depends on Node itself, on the oldest Node that package.json takes and on each newer line that is
// supported: connections, the wire, memory that the collector takes back, processes and their signals, a worker and its
// emulator. What a version of Node warns of, or deprecates, fails in every process.
//
//   npm run test:nodes -- --only 24.21.0     one of them
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { folderOf } from "./published.mjs";
import { run } from "./run.mjs";

const versions = ["20.19.0", "22.23.3", "24.21.0", "26.10.0"];
const cases = [
  "test/embedded/*.test.ts",
  "test/runtime/*.test.ts",
  "test/source/kinesis/**/*.test.ts",
  "test/supervisor/*.test.ts",
  "test/testing/fleet.test.ts",
];

const warnings = pathToFileURL(path.join(import.meta.dirname, "nodes/warnings.mjs")).href;

const { values } = parseArgs({ options: { only: { type: "string" } } });
if (values.only !== undefined && !versions.includes(values.only)) {
  console.error(`--only ${values.only}: no such version; there are ${versions.join(", ")}`);
  process.exit(1);
}

const failed = [];
let passing = 0;
for (const version of versions.filter((one) => values.only === undefined || one === values.only)) {
  console.log(`\n=== Node ${version}`);
  const bin = path.join(await folderOf("node", version, "nodes"), "node_modules/node/bin");
  const env = {
    PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}`,
    NODE_OPTIONS: `--pending-deprecation --import=${warnings}`,
  };
  const said = (await run("node", ["--version"], { isShown: false, env })).output.trim();
  // Another Node than the one that was asked for would prove nothing.
  if (said !== `v${version}`) {
    console.error(`Node ${version} did not start: ${said}`);
    failed.push(version);
    continue;
  }
  const { code, output } = await run("mocha", ["--config", ".mocharc.suite.json", ...cases], { env });
  const counts = countsIn(output);
  passing += counts.passing;
  if (code !== 0 || counts.pending > 0 || counts.passing === 0) failed.push(version);
}
console.log(`\n=== total passing: ${String(passing)}`);
console.log(failed.length === 0 ? "=== every version is green" : `=== failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
