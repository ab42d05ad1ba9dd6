// Starts DynamoDB Local on a free port of the loopback interface, in memory, and fetches it first if need be.
//
//   node scripts/dynamodb-local/start.mjs        prints its endpoint; Ctrl-C ends it
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fetchDynamoDbLocal } from "./fetch.mjs";

const readyWithinMs = 60_000;
const keptOutput = 4_000;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

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
  let output = "";
  let over;
  const keep = (chunk) => (output = (output + chunk).slice(-keptOutput));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.stdin.on("error", () => {});
  const ended = new Promise((resolve) => {
    const end = (why) => resolve((over ??= String(why)));
    child.once("exit", (code, signal) => end(`ended with ${signal ?? code}`));
    child.once("error", end);
  });
  const stop = async () => {
    if (over === undefined) child.kill("SIGKILL");
    await ended;
  };
  const until = performance.now() + readyWithinMs;
  while (!(await answers(endpoint))) {
    if (over !== undefined || performance.now() > until) {
      await stop();
      throw new Error(`DynamoDB Local did not start (${over}): ${output.trim()}; it needs Java 17 or newer`);
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
  const hold = setInterval(() => {}, 60_000);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      clearInterval(hold);
      void stop();
    });
  }
}
