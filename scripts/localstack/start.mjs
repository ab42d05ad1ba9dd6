// A LocalStack to test on: one that runs already (LOCALSTACK_ENDPOINT), else in Docker where Docker answers, else
// without Docker.
//
//   node scripts/localstack/start.mjs [--host]   prints its endpoint; Ctrl-C ends what was started. --host: no Docker
import { fileURLToPath } from "node:url";
import { holdUntilSignal } from "../server-process.mjs";
import { startInDocker, tryDocker } from "./docker.mjs";
import { versionOf } from "./health.mjs";
import { startOnHost } from "./host.mjs";

async function open(onHost) {
  const given = process.env.LOCALSTACK_ENDPOINT;
  // An empty variable is how shells and CI systems say "not set".
  if (given) return { endpoint: given, how: "LOCALSTACK_ENDPOINT", stop: async () => {} };
  if (onHost) return startOnHost();
  const { problem } = tryDocker();
  if (problem === undefined) return startInDocker();
  console.error(`localstack: no Docker (${problem}); taking the way without it`);
  return startOnHost();
}

/** @returns {Promise<{ endpoint: string, how: string, version: string, stop: () => Promise<void> }>} */
export async function openLocalStack({ onHost = false } = {}) {
  const opened = await open(onHost);
  try {
    return { ...opened, version: await versionOf(opened.endpoint) };
  } catch (error) {
    await opened.stop();
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { endpoint, how, version, stop } = await openLocalStack({ onHost: process.argv.includes("--host") });
  console.error(`${how}, version ${version}`);
  console.log(endpoint);
  holdUntilSignal(stop);
}
