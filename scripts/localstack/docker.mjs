// LocalStack by localstack/docker-compose.yml.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";

const file = path.join(import.meta.dirname, "../../localstack/docker-compose.yml");

/** Whether a Docker answers, with compose; otherwise why not. */
export function tryDocker() {
  for (const args of [["info"], ["compose", "version"]]) {
    const { status, stderr, error } = spawnSync("docker", args, { encoding: "utf8", timeout: 30_000 });
    if (status !== 0) return { problem: error?.message ?? stderr.trim().split("\n").at(-1) };
  }
  return {};
}

/** @returns {Promise<{ endpoint: string, how: string, stop: () => Promise<void> }>} */
export async function startInDocker() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  // A project of its own: what somebody else started from the same file is left alone.
  const project = `leasehold-${process.pid}`;
  const compose = (...args) => {
    const all = ["compose", "--project-name", project, "--file", file, ...args];
    const env = { ...process.env, LOCALSTACK_PORT: String(port) };
    return spawnSync("docker", all, { env, stdio: ["ignore", 2, 2] }).status;
  };
  const stop = async () => {
    if (compose("down", "--volumes") !== 0) throw new Error(`docker compose down failed: project ${project}`);
  };
  if (compose("up", "--detach", "--wait") !== 0) {
    await stop();
    throw new Error(`docker compose up failed for ${file}`);
  }
  return { endpoint: `http://127.0.0.1:${port}`, how: "LocalStack in Docker", stop };
}
