// A server in a process of its own that a script starts for tests.
import { once } from "node:events";
import { createServer } from "node:net";

/** What of its output is kept for an error's message. */
const keptOutput = 4_000;

/** A port of the loopback interface that is free now. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/**
 * Listens to a process that was just spawned with pipes.
 * @returns `output` so far, `over` why it ended, undefined while it runs, and `ended`, resolved then
 */
export function watched(child) {
  const seen = { output: "", over: undefined, ended: undefined };
  const keep = (chunk) => (seen.output = (seen.output + chunk).slice(-keptOutput));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.stdin.on("error", () => {});
  seen.ended = new Promise((resolve) => {
    const end = (why) => resolve((seen.over ??= String(why)));
    child.once("exit", (code, signal) => end(`ended with ${signal ?? code}`));
    child.once("error", end);
  });
  return seen;
}

/** Keeps this process until it is asked to end, and then stops the server. */
export function holdUntilSignal(stop) {
  const hold = setInterval(() => {}, 60_000);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      clearInterval(hold);
      void stop();
    });
  }
}
