// `npm run test:nodes`: what depends on Node itself, on the oldest Node that package.json takes and on each newer line that is
// supported: connections, the wire, memory that the collector takes back, processes and their signals, a worker and its
// emulator. What a version of Node warns of, or deprecates, fails in every process.
//
//   npm run test:nodes -- --only 24.21.0     one of them
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { testOnEach } from "./each-version.mjs";
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

/** With this Node before all others in the path. */
async function envOf(version) {
  const bin = path.join(await folderOf("node", version, "nodes"), "node_modules/node/bin");
  const env = {
    PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}`,
    NODE_OPTIONS: `--pending-deprecation --import=${warnings}`,
  };
  const said = (await run("node", ["--version"], { isShown: false, env })).output.trim();
  if (said === `v${version}`) return env;
  // Another Node than the one that was asked for would prove nothing.
  console.error(`Node ${version} did not start: ${said}`);
  return undefined;
}

await testOnEach({ what: "Node", versions, cases, envOf });
