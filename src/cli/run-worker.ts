import { hostname } from "node:os";
import { LeaseholdError, Worker, type LeaseholdEvent } from "../index.js";
import type { ParentLink } from "../supervisor/parent-link.js";
import { loadHandler } from "./handler-file.js";
import { stderrLogger } from "./logger.js";
import { messageOf } from "./output.js";
import { workerOptions, type RunSettings } from "./run-settings.js";

export interface RunningWorker {
  /** Resolves after a clean stop, rejects with what ended the worker otherwise. */
  readonly ended: Promise<void>;
  /** The first call stops in good order, the second without the last checkpoint. */
  stop(): void;
  /** Whether its row was ever made: errors before that come from settings, not from the fleet's life. */
  hasJoined(): boolean;
}

/** Loads the handler and runs one worker in this process. */
export async function startWorker(
  settings: RunSettings,
  label: string,
  parent?: ParentLink,
): Promise<RunningWorker> {
  const logger = stderrLogger({ label, level: settings.logLevel, json: settings.json });
  const handler = await loadHandler(settings.handler);
  let joined = false;
  const worker = new Worker({
    ...workerOptions(settings),
    label,
    logger,
    // Made below: it is given the worker's id.
    processor: () => processor,
    onEvent: (event: LeaseholdEvent) => {
      if (event.type === "worker-created") joined = true;
      if (event.type === "worker-ended" && event.reason === "left") parent?.left(event.workerId);
    },
    ...(parent === undefined ? {} : { announce: (workerId: string) => parent.announce(workerId) }),
  });
  const processor = await handler({
    application: settings.application,
    // New after every fence, and known only when the worker has joined: read where it is used.
    get workerId() {
      return worker.workerId;
    },
    logger,
  });
  const abort = new AbortController();
  let stops = 0;
  return {
    ended: worker.run(abort.signal),
    stop() {
      stops++;
      abort.abort();
      if (stops > 1) {
        worker.stop({ force: true }).catch((error: unknown) => {
          logger.error({ error: messageOf(error) }, "the forced stop failed");
        });
      }
    },
    hasJoined: () => joined,
  };
}

/** Errors of a start that the same settings would bring again: the library says of each whether a retry may help. */
export function isFatalAtStart(error: unknown): boolean {
  return error instanceof LeaseholdError && !error.retryable;
}

/** A label for the worker of a process that nobody gave one. */
export function ownLabel(): string {
  // A label has 60 characters at most, and a number may follow.
  return `${hostname()
    .replaceAll(/[^A-Za-z0-9_.-]/g, "-")
    .slice(0, 40)}-${String(process.pid)}`;
}
