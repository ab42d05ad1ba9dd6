import { hostname } from "node:os";
import { LeaseholdError, Worker, type LeaseholdEvent, type Processor } from "../index.js";
import { systemClock } from "../runtime/system.js";
import type { ParentLink } from "../supervisor/parent-link.js";
import { loadHandler } from "./handler-file.js";
import { stderrLogger } from "./logger.js";
import { messageOf } from "./output.js";
import { workerOptions, type RunSettings } from "./run-settings.js";
import { SlowStart } from "./slow-start.js";

export interface RunningWorker {
  /** Resolves after a clean stop, rejects with what ended the worker otherwise. */
  readonly ended: Promise<void>;
  /** The first call stops in good order, the second without the last checkpoint. */
  stop(): void;
  /** Whether its row was ever made: errors before that come from settings, not from the fleet's life. */
  hasJoined(): boolean;
}

export interface StartOptions {
  readonly settings: RunSettings;
  readonly label: string;
  /** Aborts at the first stop: what does not run by then never will. */
  readonly stopped: AbortSignal;
  readonly parent?: ParentLink;
}

/**
 * Loads the handler and runs one worker in this process.
 * @returns undefined when the stop came before the handler was ready: one that never is must not hold the stop up
 */
export async function startWorker(options: StartOptions): Promise<RunningWorker | undefined> {
  const { settings, label, stopped, parent } = options;
  const logger = stderrLogger({ label, level: settings.logLevel, json: settings.json });
  const slowStart = new SlowStart(systemClock, logger);
  let joined = false;
  const worker = new Worker({
    ...workerOptions(settings),
    label,
    logger,
    // Made below: it is given the worker's id.
    processor: () => processor,
    onEvent: (event: LeaseholdEvent) => {
      if (event.type === "worker-created") {
        joined = true;
        slowStart.over();
      }
      if (event.type === "kcl-watched") {
        slowStart.waitsFor(
          `rows of a Java KCL fleet to stand still for ${String(Math.ceil(event.forMs / 1_000))} s: ${event.which}`,
        );
      }
      if (event.type === "worker-ended" && event.reason === "left") parent?.left(event.workerId);
    },
    ...(parent === undefined ? {} : { announce: (workerId: string) => parent.announce(workerId) }),
  });
  const make = async (): Promise<Processor> => {
    const handler = await loadHandler(settings.handler);
    return handler({
      application: settings.application,
      // New after every fence, and known only when the worker has joined: read where it is used.
      get workerId() {
        return worker.workerId;
      },
      logger,
    });
  };
  slowStart.waitsFor(`--handler ${settings.handler} to load and to return its processor`);
  const made = await unlessAborted(stopped, make()).finally(() => {
    slowStart.over();
  });
  if (made === undefined) return undefined;
  const processor = made;
  slowStart.waitsFor("its stream and its tables; check the region, the endpoints and the network");
  const abort = new AbortController();
  let stops = 0;
  return {
    ended: worker.run(abort.signal).finally(() => {
      slowStart.over();
    }),
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

/** What a promise brings, or undefined as soon as the signal aborts. */
function unlessAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      resolve(undefined);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
    // Listened to in any case: what fails after the stop is nobody's unhandled rejection.
    promise.then(resolve, reject);
  });
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
