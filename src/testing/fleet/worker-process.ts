import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { endpointEnvironment } from "../../embedded/endpoints.js";
import { fromFleetWorker } from "../../embedded/fleet-messages.js";
import type { FleetWorkerSettings } from "../../embedded/fleet-settings.js";
import type { Clock } from "../../runtime/clock.js";
import type { Hear, WorkerHandle } from "./fleet-worker.js";

/** Starts a worker in a process of its own, with the processor of a handler file. */
export function startWorkerProcess(
  settings: FleetWorkerSettings,
  handler: string,
  env: Readonly<Record<string, string>>,
  clock: Clock,
  hear: Hear,
): WorkerHandle {
  const child = fork(workerPath(), [JSON.stringify(settings), handler], {
    env: { ...inherited(), NODE_NO_WARNINGS: "1", ...endpointEnvironment(settings.endpoints), ...env },
    stdio: ["ignore", 2, 2, "ipc"],
    // What a handler logs may hold what JSON does not: bytes, big integers, errors.
    serialization: "advanced",
  });
  const nowMs = (): number => clock.now().wallMs;
  child.on("message", (value) => {
    const message = fromFleetWorker(value);
    if (message === undefined) return;
    const { fleet } = message;
    if (fleet === "event") hear(message.event, message.atMs);
    else if (fleet === "log") {
      const { level, message: text, fields, atMs } = message;
      hear({ type: "logged", level, message: text, fields }, atMs);
    } else if (fleet === "started") hear({ type: "started", workerId: message.workerId }, nowMs());
    else hear({ type: "failed", code: message.code, message: message.message }, nowMs());
  });
  // `close`, not `exit`: everything that it said before has been heard by then.
  child.once("close", (code, signal) => {
    hear({ type: "exited", code, signal }, nowMs());
  });
  child.on("error", (error) => {
    // With a pid it is a failed signal; the end is still to come.
    if (child.pid !== undefined) return;
    hear({ type: "failed", code: "child-failed", message: error.message }, nowMs());
    hear({ type: "exited", code: 1, signal: null }, nowMs());
  });
  const kill = (): void => void child.kill("SIGKILL");
  return {
    pid: child.pid,
    kill,
    end: kill,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    leave: () => void child.kill("SIGTERM"),
  };
}

/** A profile, a key or an endpoint of the one who runs the tests must not reach a fleet under test. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));
}

/** The program of `src/cli/fleet-worker.ts`, compiled or not. */
function workerPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../../cli/fleet-worker.${extension}`, import.meta.url));
}
