// What a run ran on: figures without it mean nothing.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import path from "node:path";
import { version as dynamodbLocal } from "../../scripts/dynamodb-local/fetch.mjs";

const root = path.join(import.meta.dirname, "../..");
const require = createRequire(import.meta.url);

/** The machine, the versions and the day. `more` are versions of what only this run has used. */
export function describeRig(more = { "kinesis-local": installed("kinesis-local") }) {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${type()} ${release()}`,
    },
    versions: {
      node: process.versions.node,
      leasehold: versionIn(path.join(root, "package.json")),
      commit: commit(),
      "DynamoDB Local": dynamodbLocal,
      Java: java(),
      ...more,
      "@aws-sdk/client-dynamodb": installed("@aws-sdk/client-dynamodb"),
      "@aws-sdk/client-kinesis": installed("@aws-sdk/client-kinesis"),
    },
  };
}

function versionIn(file) {
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/** Read from where it is installed: not every package exports its package.json. */
export function installed(name) {
  const folders = require.resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return versionIn(path.join(folder, name, "package.json"));
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  }
  return "not installed";
}

/** What DynamoDB Local runs on: the first line of what it says of itself, on stderr. */
function java() {
  const { stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  return /"([^"]+)"/.exec(stderr ?? "")?.[1] ?? "unknown";
}

/** Of the sources that were measured, marked where they are not the commit's; a checkout without git has none. */
function commit() {
  try {
    const head = git("rev-parse", "--short", "HEAD");
    const changed = git("status", "--porcelain", "--", "src", "bench", "scripts", "package-lock.json");
    return changed === "" ? head : `${head}-dirty`;
  } catch {
    return "unknown";
  }
}

function git(...args) {
  return execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}
