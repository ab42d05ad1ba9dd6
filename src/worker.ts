import { hostname } from "node:os";
import { argv, pid } from "node:process";
import { WorkerCore, type BelievedLease } from "./compose.js";
import {
  checkApplication,
  resolveProtocol,
  type ProtocolConfig,
  type ProtocolOptions,
} from "./model/config.js";
import { LeaseholdError } from "./model/errors.js";
import type { LeaseholdEvent } from "./model/events.js";
import { checkProcessor, resolveProcessing, type ProcessingOptions } from "./processing/options.js";
import type { PartitionStatus } from "./processing/journal.js";
import type { Partition } from "./processing/partition.js";
import { PartitionQueue, unworked, worked } from "./processing/partition-queue.js";
import type { Processor, ProcessorFactory } from "./processing/processor.js";
import { applicationVersion } from "./runtime/application-version.js";
import { systemClock, systemRandom } from "./runtime/system.js";
import type { SourceFactory } from "./source/partition-source.js";
import {
  checkDynamoDbOptions,
  createDynamoDbStore,
  type DynamoDbStoreOptions,
  type TableOptions,
} from "./store/dynamodb/index.js";
import { adapterEvents } from "./telemetry/adapter-events.js";
import { emitTo, type Logger } from "./telemetry/log.js";

/** How DynamoDB is reached, for other accounts and assumed roles, and how tables are made that do not exist yet. */
export type DynamoDbOptions = Pick<DynamoDbStoreOptions, "client" | keyof TableOptions>;

/** What a worker is made of. Durations in ms; everything but `application` and `source` has a default. */
export interface WorkerOptions extends ProtocolOptions, ProcessingOptions {
  /** Names the tables `<application>` and `<application>-fleet`. 3 to 249 characters of A-Z a-z 0-9 _ . - */
  readonly application: string;
  /** What is partitioned: `kinesis(…)` or `fixedPartitions(…)`. */
  readonly source: SourceFactory;
  /** One processor for all partitions, or a function that makes one for each tenure. Without it: `worker.partitions()`. */
  readonly processor?: Processor | ProcessorFactory;
  /** The stable part of worker ids, 1 to 60 characters of A-Z a-z 0-9 _ . -; default: the host's name. */
  readonly label?: string;
  /**
   * What was deployed, 1 to 60 characters of A-Z a-z 0-9 _ . -; while workers of two are alive, leases move once, from the
   * older to the newer. Default: the `version` in the package.json nearest to the main script; none where there is none.
   */
  readonly deployment?: string;
  /** Only `worker` so far: one heartbeat for all leases of a worker. */
  readonly liveness?: "worker";
  /** pino's shape. Default: silent. */
  readonly logger?: Logger;
  /** Told of every event as it happens; must neither throw nor wait. */
  readonly onEvent?: (event: LeaseholdEvent) => void;
  /** Awaited before each worker row is created: a supervised process tells its parent the id. */
  readonly announce?: (workerId: string) => Promise<void>;
  /** How DynamoDB is reached. Default: the SDK's usual environment and config files. */
  readonly dynamodb?: DynamoDbOptions;
}

/** What a worker says of itself. */
export interface WorkerReport {
  readonly workerId: string;
  readonly state: "new" | "starting" | "running" | "draining" | "stopped";
  readonly isPlanner: boolean;
  /** Local time left of its belief, in ms. */
  readonly remainingMs: number;
  readonly leases: readonly BelievedLease[];
  readonly partitions: readonly PartitionStatus[];
}

const processingNames: ReadonlySet<string> = new Set<keyof ProcessingOptions>([
  "checkpointing",
  "retry",
  "onError",
]);
const ownNames: ReadonlySet<string> = new Set<
  Exclude<keyof WorkerOptions, keyof ProtocolOptions | keyof ProcessingOptions>
>([
  "application",
  "source",
  "processor",
  "label",
  "deployment",
  "liveness",
  "logger",
  "onEvent",
  "announce",
  "dynamodb",
]);

/**
 * A worker of a fleet that shares the partitions of a source: it takes its share of the leases, works them, hands them
 * on when it stops, and lets nobody lose a record when it dies.
 *
 * It guarantees that a record is processed at least once, and that no checkpoint of a deposed owner takes effect. It
 * does not guarantee that a record is processed only once: hand `lease.fencingToken` to what you write to.
 */
export class Worker {
  readonly #core: WorkerCore;
  #state: WorkerReport["state"] = "new";
  #starting: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  readonly #abortStart = new AbortController();
  /** Where partitions wait for a loop; undefined where a processor works them. */
  readonly #queue: PartitionQueue | undefined;

  /** @throws LeaseholdError `invalid-option`, `invalid-application`: nothing was written */
  constructor(options: WorkerOptions) {
    const { application, config, label, deployment } = checked(options);
    const runtime = { clock: systemClock, random: systemRandom };
    const processing = pick(options, processingNames);
    const emit = emitTo(options, application, systemClock);
    const { onCapability, onTableDifference, onFallback } = adapterEvents(emit, () => this.workerId);
    this.#queue = options.processor === undefined ? new PartitionQueue() : undefined;
    this.#core = new WorkerCore(
      {
        config,
        label,
        deployment,
        processing,
        processor: this.#queue?.factory ?? checkProcessor(options.processor),
        emit,
        announce: options.announce ?? (() => Promise.resolve()),
      },
      {
        ...runtime,
        source: options.source({ ...runtime, onFallback }),
        store: createDynamoDbStore({
          ...options.dynamodb,
          application,
          clock: systemClock,
          onCapability,
          onTableDifference,
        }),
        machine: { host: hostname(), pid },
      },
    );
  }

  /** The present worker's id: new at every start and after every fence. */
  get workerId(): string {
    return this.#core.workerId;
  }

  /**
   * Checks the source, prepares the tables and joins the fleet. Resolves when the worker beats; leases follow. A second
   * call shares the first one's promise.
   * @throws LeaseholdError when source or tables cannot be used, or nobody would work the partitions; nothing runs then
   */
  start(): Promise<void> {
    if (this.#queue?.isIterated === false) return Promise.reject(unworked());
    this.#starting ??= this.#start();
    return this.#starting;
  }

  /**
   * A clean stop: drains, checkpoints, hands every lease to another worker, leaves. Resolves when all of it is done or
   * `shutdownGraceMs` are over.
   * @param options `force` ends the wait: what is not drained is released without its last checkpoint
   * @throws what ended the worker, if it had ended before by an error
   */
  async stop(options: { readonly force?: boolean } = {}): Promise<void> {
    if (options.force === true) this.#core.hurry();
    if (this.#state === "new") {
      this.#state = "stopped";
      return;
    }
    if (this.#state === "running") this.#state = "draining";
    this.#abortStart.abort();
    this.#queue?.close();
    // Told at once, so that a start under way is called off too. Its outcome is that of `ended`, awaited below.
    void this.#core.stop().catch(() => undefined);
    await this.#starting?.catch(() => undefined);
    await this.#ended;
  }

  /**
   * Starts, and works until the signal aborts or the worker cannot go on.
   * @throws LeaseholdError what ended it: a table deleted under it, say
   */
  async run(signal?: AbortSignal): Promise<void> {
    const isAborted = (): boolean => signal?.aborted === true;
    if (isAborted()) return;
    const onAbort = (): void => {
      // Its outcome is that of `ended`, which is awaited below.
      void this.stop().catch(() => undefined);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      try {
        await this.start();
      } catch (error) {
        // A start that was called off has failed as asked.
        if (isAborted()) return;
        throw error;
      }
      await this.#ended;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * The partitions that this worker holds, for a worker without a processor: each tenure comes once, and again when the
   * loop over it was left. Give each to a function of its own and do not await that, or they are worked one after another.
   * The worker starts when the first is asked for. Leaving the loop stops it cleanly; the loop ends when it has stopped.
   * @throws LeaseholdError `invalid-option` when a processor was given, `worker-stopped` when called twice; in the loop
   * what `start` throws, and what ended the worker
   */
  partitions(): AsyncIterableIterator<Partition, undefined> {
    if (this.#queue === undefined) throw worked();
    return this.#queue.iterate(this, this.#abortStart.signal);
  }

  /** Resolves when the worker has stopped; rejects with what ended it. */
  get ended(): Promise<void> {
    return this.#ended ?? Promise.resolve();
  }

  status(): WorkerReport {
    return {
      workerId: this.workerId,
      state: this.#state,
      isPlanner: this.#core.isPlanner,
      remainingMs: this.#core.remainingMs(),
      leases: this.#core.believes(),
      partitions: this.#core.partitions(),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    if (this.#state !== "new") {
      throw new LeaseholdError("worker-stopped", "this worker was stopped; make a new one");
    }
    this.#state = "starting";
    try {
      await this.#core.start(this.#abortStart.signal);
    } catch (error) {
      this.#state = "stopped";
      this.#core.abandon();
      throw error;
    }
    this.#state = "running";
    this.#ended = this.#core.ended().finally(() => {
      this.#state = "stopped";
    });
    // Who asks for it hears of it; nobody asking is no unhandled rejection.
    this.#ended.catch(() => undefined);
    void this.#queue?.follow(this.#ended);
  }
}

function pick(options: WorkerOptions, names: ReadonlySet<string>): Record<string, never> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.has(name))) as Record<
    string,
    never
  >;
}

function checked(options: WorkerOptions): {
  readonly application: string;
  readonly config: ProtocolConfig;
  readonly label: string;
  readonly deployment: string | undefined;
} {
  const from: unknown = options;
  if (typeof from !== "object" || from === null) {
    throw new LeaseholdError(
      "invalid-option",
      `the worker's options are ${from === null ? "null" : `of type ${typeof from}`}: they must be an object with application, source and processor`,
    );
  }
  const application = checkApplication(options.application);
  const given: Readonly<Record<string, unknown>> = { ...options };
  if (typeof given["source"] !== "function") {
    throw new LeaseholdError(
      "invalid-option",
      `source is ${typeof given["source"]}: it must be what kinesis(…) or fixedPartitions(…) returned`,
    );
  }
  const { liveness } = given;
  if (liveness !== undefined && liveness !== "worker") {
    throw new LeaseholdError(
      "invalid-option",
      `liveness is ${JSON.stringify(liveness)}: only "worker" exists so far; leave it out`,
    );
  }
  checkHooks(given);
  const protocol = Object.fromEntries(
    Object.entries(given).filter(([name]) => !ownNames.has(name) && !processingNames.has(name)),
  );
  resolveProcessing(pick(options, processingNames));
  const config = resolveProtocol(protocol);
  const label = checkLabel("label", given["label"], "for the host's name") ?? hostLabel();
  const deployment = checkLabel("deployment", given["deployment"], "for the application's version");
  return { application, config, label, deployment: deployment ?? applicationVersion(argv[1]) };
}

const levels = ["debug", "info", "warn", "error"] as const satisfies readonly (keyof Logger)[];

/** What is called later is checked now: a wrong one would otherwise show in the middle of the work. */
function checkHooks(given: Readonly<Record<string, unknown>>): void {
  for (const name of ["onEvent", "announce"]) {
    const hook = given[name];
    if (hook !== undefined && typeof hook !== "function") invalid(name, hook, "a function");
  }
  const { logger, dynamodb } = given;
  if (logger !== undefined && !levels.every((level) => typeof property(logger, level) === "function")) {
    invalid("logger", logger, "an object with the methods debug, info, warn and error");
  }
  if (dynamodb !== undefined) checkDynamoDbOptions(dynamodb);
}

function property(value: unknown, name: string): unknown {
  const has = typeof value === "function" || (typeof value === "object" && value !== null);
  return has ? (Reflect.get(value, name) as unknown) : undefined;
}

function invalid(name: string, value: unknown, rule: string): never {
  const shown =
    typeof value === "string"
      ? JSON.stringify(value)
      : value === null || ["number", "boolean"].includes(typeof value)
        ? String(value)
        : `a value of type ${typeof value}`;
  throw new LeaseholdError("invalid-option", `${name} is ${shown}: it must be ${rule}; or leave it out`);
}

function hostLabel(): string {
  return (
    hostname()
      .replaceAll(/[^A-Za-z0-9_.-]/g, "-")
      .slice(0, 60) || "worker"
  );
}

function checkLabel(name: string, value: unknown, fallback: string): string | undefined {
  if (value === undefined || (typeof value === "string" && /^[A-Za-z0-9_.-]{1,60}$/.test(value)))
    return value;
  throw new LeaseholdError(
    "invalid-option",
    `${name} is ${typeof value === "string" ? JSON.stringify(value) : `a ${typeof value}`}: it must be 1 to 60 characters of A-Z a-z 0-9 _ . -; leave it out ${fallback}`,
  );
}
