import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker, type Logger } from "../index.js";
import { systemClock, systemRandom } from "../runtime/system.js";
import { createDynamoDbStore } from "../store/dynamodb/index.js";
import type { SupervisorEvent } from "../supervisor/events.js";
import { nodeChildHost } from "../supervisor/node-processes.js";
import { Supervisor } from "../supervisor/supervisor.js";
import { checkHandlerFile } from "./handler-file.js";
import { holdOff } from "./hold-off.js";
import { stderrLogger } from "./logger.js";
import { checkSource } from "./options.js";
import { CommandError, UsageError } from "./output.js";
import { ownLabel, startWorker } from "./run-worker.js";
import { workerOptions, type RunSettings } from "./run-settings.js";
import { onStopSignals } from "./signals.js";

export interface RunOptions extends RunSettings {
  readonly workers?: number;
  readonly supervise: boolean;
  readonly label?: string;
}

/** What `leasehold run --json` prints at its end. */
export interface RunResult {
  readonly ok: true;
  readonly application: string;
  readonly workers: number;
  readonly restarts: number;
}

/** From `shutdownGraceMs` and what its last writes may take; a child that is not gone by then hangs. */
const killAfterMs = 45_000;

/** Runs workers until a stop signal. */
export async function run(options: RunOptions): Promise<RunResult> {
  checkSource(options);
  if (!options.supervise && options.workers !== undefined && options.workers > 1) {
    throw new UsageError(
      `--workers ${String(options.workers)} and --no-supervise are both given: without a supervisor this process is the one worker; leave one of them out`,
    );
  }
  if (options.partitions !== undefined) checkForPartitions(options);
  checkHandlerFile(options.handler);
  const settings = settingsOf(options);
  const labels = labelsOf(options);
  checkWithoutStarting(settings, labels.at(-1) ?? "");
  return options.supervise ? runSupervised(settings, labels) : runHere(settings, labels[0] ?? "");
}

/** What says how a stream is read says nothing of fixed partitions. */
function checkForPartitions(options: RunOptions): void {
  const mistakes = [
    ["--initial-position", options.initialPosition, "fixed partitions hold no records to begin at"],
    ["--idle-poll-interval-ms", options.idlePollIntervalMs, "fixed partitions are not polled"],
    ["--empty-batches", options.emptyBatches, "fixed partitions hand over turns and no batches of records"],
    ["--wire", options.wire, "fixed partitions hold no records"],
  ] as const;
  for (const [name, value, why] of mistakes) {
    if (value === undefined) continue;
    throw new UsageError(`${name} and --partitions are both given: ${why}; leave ${name} out`);
  }
}

function settingsOf({
  workers: _workers,
  supervise: _supervise,
  label: _label,
  ...rest
}: RunOptions): RunSettings {
  return rest;
}

/** A worker that is only made does no I/O, but refuses wrong options: better here than in every child. */
function checkWithoutStarting(settings: RunSettings, label: string): void {
  new Worker({ ...workerOptions(settings), label, processor: { process: () => undefined } });
}

/** One label is the label itself; of several each has its number. */
function labelsOf({ workers = 1, label = ownLabel() }: RunOptions): readonly string[] {
  return workers === 1 ? [label] : Array.from({ length: workers }, (_, i) => `${label}-${String(i + 1)}`);
}

async function runHere(settings: RunSettings, label: string): Promise<RunResult> {
  // A stop during the start is one too: the handlers are on before anything takes time.
  const stopped = new AbortController();
  let stop = (): void => undefined;
  const takeOff = onStopSignals(
    holdOff(systemClock, () => {
      stopped.abort();
      stop();
    }),
  );
  try {
    const worker = await startWorker({ settings, label, stopped: stopped.signal });
    stop = () => worker?.stop();
    await worker?.ended;
  } finally {
    takeOff();
  }
  return { ok: true, application: settings.application, workers: 1, restarts: 0 };
}

async function runSupervised(settings: RunSettings, labels: readonly string[]): Promise<RunResult> {
  const { application, logLevel, json } = settings;
  const logger = stderrLogger({ label: "supervisor", level: logLevel, json });
  const store = createDynamoDbStore({ application });
  const supervisor = new Supervisor({
    labels,
    clock: systemClock,
    random: systemRandom,
    host: nodeChildHost({
      modulePath: workerProcessPath(),
      args: (label) => [label, JSON.stringify(settings)],
    }),
    membership: store.membership,
    by: `supervisor@${hostname()}:${String(process.pid)}`,
    killAfterMs,
    onEvent: (event) => {
      log(logger, event);
    },
  });
  const takeOff = onStopSignals(() => {
    supervisor.stop();
  });
  try {
    const { restarts, fatal } = await supervisor.run();
    if (fatal !== undefined) throw new CommandError(fatal.code, fatal.message);
    return { ok: true, application, workers: labels.length, restarts };
  } finally {
    takeOff();
    store.close();
  }
}

/** Beside this file, compiled or not. */
function workerProcessPath(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`./worker-process.${extension}`, import.meta.url));
}

function log(logger: Logger, event: SupervisorEvent): void {
  const { type, ...rest } = event;
  // `label` is the logger's own.
  const { label: child, ...fields } = { label: undefined, ...rest };
  const about = { ...(child === undefined ? {} : { child }), ...fields };
  switch (type) {
    case "child-announced":
      logger.debug(about, type);
      return;
    case "child-exited":
      // One that left in good order is no cause for alarm.
      logger[event.exit.code === 0 && event.fencing.length === 0 ? "info" : "warn"](about, type);
      return;
    case "child-killed":
    case "fence-failed":
      logger.warn(about, type);
      return;
    case "child-fatal":
      logger.error(about, type);
      return;
    case "child-started":
    case "child-restarts":
    case "worker-fenced":
    case "stopping":
      logger.info(about, type);
      return;
  }
}
