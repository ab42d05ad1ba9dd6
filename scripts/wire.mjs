// `npm run test:wire`: what GetRecords brings next to the wire, against a bare client, answer by answer, on versions of the
// AWS SDK over the whole peer range: the oldest, two in the middle and the one that is installed here.
//
//   npm run test:wire -- --only 3.709.0     one of them, `installed` the one here
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { countsIn } from "./mocha-counts.mjs";
import { folderOf } from "./published.mjs";
import { run } from "./run.mjs";

const name = "@aws-sdk/client-kinesis";
const cases = "test/source/kinesis/wire/conformance.test.ts";

/** Of the published versions, the first that the peer range takes, and two by which the SDK had been rebuilt inside. */
const older = ["3.709.0", "3.830.0", "3.940.0"];

const { values } = parseArgs({ options: { only: { type: "string" } } });
const known = [...older, "installed"];
if (values.only !== undefined && !known.includes(values.only)) {
  console.error(`--only ${values.only}: no such version; there are ${known.join(", ")}`);
  process.exit(1);
}

const failed = [];
let passing = 0;
for (const version of known.filter((one) => values.only === undefined || one === values.only)) {
  console.log(`\n=== ${name} ${version}`);
  const hook = pathToFileURL(path.join(import.meta.dirname, "wire/sdk-version.mjs")).href;
  const env =
    version === "installed"
      ? {}
      : {
          WIRE_SDK_VERSION: version,
          WIRE_SDK_FOLDER: await folderOf(name, version, "wire"),
          NODE_OPTIONS: `--import=${hook}`,
        };
  const { code, output } = await run("mocha", ["--config", ".mocharc.suite.json", cases], { env });
  const counts = countsIn(output);
  passing += counts.passing;
  if (code !== 0 || counts.pending > 0 || counts.passing === 0) failed.push(version);
}
console.log(`\n=== total passing: ${String(passing)}`);
console.log(failed.length === 0 ? "=== every version is green" : `=== failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
