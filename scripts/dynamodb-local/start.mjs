// Starts DynamoDB Local on a free port of the loopback interface, in memory, and fetches it first if need be.
//
//   node scripts/dynamodb-local/start.mjs        prints its endpoint; Ctrl-C ends it
import { spawn } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort, holdUntilSignal, watched } from "../server-process.mjs";
import { fetchDynamoDbLocal } from "./fetch.mjs";

const readyWithinMs = 60_000;

/** @returns {Promise<{ endpoint: string, pid: number, stop: () => Promise<void> }>} */
export async function startDynamoDbLocal() {
  const lib = fetchDynamoDbLocal();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const args = [
    "-Xmx512m",
    `-Djava.library.path=${lib}`,
    "--class-path",
    `${lib}/*`,
    path.join(import.meta.dirname, "Launcher.java"),
    ...["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)],
  ];
  const child = spawn("java", args, { stdio: ["pipe", "pipe", "pipe"] });
  const server = watched(child);
  const stop = async () => {
    if (server.over === undefined) child.kill("SIGKILL");
    await server.ended;
  };
  const until = performance.now() + readyWithinMs;
  while (!(await answers(endpoint))) {
    if (server.over !== undefined || performance.now() > until) {
      await stop();
      throw new Error(
        `DynamoDB Local did not start (${server.over}): ${server.output.trim()}; it needs Java 17 or newer`,
      );
    }
    await sleep(100);
  }
  return { endpoint, pid: child.pid, stop };
}

/** Whatever it answers, it answers. */
async function answers(endpoint) {
  try {
    await (await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { endpoint, stop } = await startDynamoDbLocal();
  console.log(endpoint);
  holdUntilSignal(stop);
}
