// `npm run test:wire`: what GetRecords brings next to the wire, against a bare client, answer by answer, on versions of the
// AWS SDK over the whole peer range: the oldest, two in the middle and the one that is installed here.
//
//   npm run test:wire -- --only 3.709.0     one of them, `installed` the one here
import path from "node:path";
import { pathToFileURL } from "node:url";
import { testOnEach } from "./each-version.mjs";
import { folderOf } from "./published.mjs";

const name = "@aws-sdk/client-kinesis";
const cases = "test/source/kinesis/wire/conformance.test.ts";

/** Of the published versions, the first that the peer range takes, and two by which the SDK had been rebuilt inside. */
const older = ["3.709.0", "3.830.0", "3.940.0"];

const hook = pathToFileURL(path.join(import.meta.dirname, "wire/sdk-version.mjs")).href;

async function envOf(version) {
  if (version === "installed") return {};
  return {
    WIRE_SDK_VERSION: version,
    WIRE_SDK_FOLDER: await folderOf(name, version, "wire"),
    NODE_OPTIONS: `--import=${hook}`,
  };
}

await testOnEach({ what: name, versions: [...older, "installed"], cases: [cases], envOf });
