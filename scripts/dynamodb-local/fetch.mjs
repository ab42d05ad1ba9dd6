// Fetches DynamoDB Local from Maven into .cache/dynamodb-local/, once. It has a licence of its own (Amazon's): it is
// downloaded by whoever runs this, and never passed on.
//
//   node scripts/dynamodb-local/fetch.mjs
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const version = "2.6.1";
const here = import.meta.dirname;
const cache = path.join(here, "../../.cache/dynamodb-local");
const lib = path.join(cache, version);

/** The folder of its jars and native libraries, fetched if need be. */
export function fetchDynamoDbLocal() {
  if (existsSync(lib)) return lib;
  mkdirSync(cache, { recursive: true });
  // Another run may fetch at the same time, and this one may be broken off: only a whole folder takes the name.
  const partial = path.join(cache, `partial-${process.pid}`);
  const args = [
    "--batch-mode",
    "--quiet",
    "--file",
    path.join(here, "pom.xml"),
    "dependency:copy-dependencies",
    `-DoutputDirectory=${partial}`,
  ];
  console.error(`fetching DynamoDB Local ${version} from Maven (51 MB)`);
  const { status, error } = spawnSync("mvn", args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) {
    rmSync(partial, { recursive: true, force: true });
    const why = error?.code === "ENOENT" ? "mvn is not installed" : `mvn ended with ${String(status)}`;
    throw new Error(`DynamoDB Local could not be fetched: ${why}; it needs Maven, Java 17 and Maven Central`);
  }
  try {
    renameSync(partial, lib);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(lib)) throw error;
  }
  return lib;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(fetchDynamoDbLocal());
