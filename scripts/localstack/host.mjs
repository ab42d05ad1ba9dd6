// LocalStack without Docker, in a process of its own.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, watched } from "../server-process.mjs";
import { initHasRun } from "./health.mjs";
import { installLocalStack } from "./install.mjs";

const here = import.meta.dirname;
const readyWithinMs = 180_000;
const stopWithinMs = 20_000;

/** A root of its own for each run: state of two of them must not meet. What was installed is shared. */
function fileSystem(lib) {
  const root = mkdtempSync(path.join(tmpdir(), "leasehold-localstack-"));
  const link = (target, name) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    symlinkSync(target, path.join(root, name));
  };
  link(lib, "var/lib/localstack/lib");
  link(path.join(here, "../../localstack/init"), "etc/localstack/init");
  return root;
}

/** All of its environment: no proxy, no profile and no key of the one who starts it. */
function environment(root, port) {
  return {
    PATH: process.env.PATH ?? "",
    HOME: root,
    FILESYSTEM_ROOT: root,
    LEASEHOLD_LOCALSTACK_PORT: String(port),
    OVERRIDE_IN_DOCKER: "0",
    // Its server takes 127.0.0.1 for every interface; the same address in IPv6's words really is loopback.
    GATEWAY_LISTEN: `[::ffff:127.0.0.1]:${port}`,
    LOCALSTACK_HOST: `127.0.0.1:${port}`,
    DNS_ADDRESS: "0",
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
    AWS_EC2_METADATA_DISABLED: "true",
    SERVICES: "dynamodb,dynamodbstreams,kinesis",
    EAGER_SERVICE_LOADING: "1",
    DYNAMODB_IN_MEMORY: "1",
    KINESIS_LATENCY: "0",
    KINESIS_SHARD_LIMIT: "1000",
    KINESIS_MOCK_LOG_LEVEL: "WARN",
    // Its Kinesis is a Node process, which by itself binds every interface.
    NODE_OPTIONS: `--require ${JSON.stringify(path.join(here, "../../src/embedded/loopback.cjs"))}`,
  };
}

/**
 * Starts it on a free port of the loopback interface, installed first if need be; resolves when its services have loaded.
 * It ends with this process.
 * @returns {Promise<{ endpoint: string, how: string, stop: () => Promise<void> }>}
 */
export async function startOnHost() {
  const { version, python, lib } = installLocalStack();
  const root = fileSystem(lib);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  // A group of its own: a Ctrl-C is for this process, which then stops it.
  const child = spawn(python, [path.join(here, "run.py")], {
    env: environment(root, port),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const server = watched(child);
  const stop = async () => {
    // The same way as when this process dies: run.py ends its servers too, which are not in its group.
    child.stdin.end();
    const grace = new AbortController();
    await Promise.race([
      server.ended,
      sleep(stopWithinMs, undefined, { signal: grace.signal }).catch(() => {}),
    ]);
    grace.abort();
    killGroup(child.pid);
    await server.ended;
    // A server that is ending may still write there.
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  const until = performance.now() + readyWithinMs;
  while (!(await initHasRun(endpoint))) {
    if (server.over !== undefined || performance.now() > until) {
      await stop();
      throw new Error(`LocalStack ${version} did not start (${server.over}): ${server.output.trim()}`);
    }
    await sleep(200);
  }
  return { endpoint, how: `LocalStack ${version} without Docker`, stop };
}

/** What is left of its own group. */
function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nothing was left.
    if (error.code !== "ESRCH") throw error;
  }
}
