import type { FromFleetWorker, LogLevelOfHandler } from "../embedded/fleet-messages.js";
import { workerOptionsOf, type FleetWorkerSettings } from "../embedded/fleet-settings.js";
import { Worker, type Logger, type Processor } from "../index.js";
import { systemClock } from "../runtime/system.js";
import { failureOf } from "./failure.js";
import { loadHandler } from "./handler-file.js";

/** The entry of the worker processes of a fleet under test, whose handler files are those of `leasehold run`. */
async function main(settings: FleetWorkerSettings, handlerFile: string): Promise<number> {
  const uplink = new Uplink();
  const abort = new AbortController();
  process.on("SIGTERM", () => {
    abort.abort();
  });
  // Ctrl-C reaches the whole group: the test decides what becomes of its workers.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => {
    // The test is gone, and its emulators may be: nobody is left to hand anything to.
    process.exit(1);
  });
  try {
    const worker = new Worker({
      ...workerOptionsOf(settings),
      processor: () => processor,
      onEvent: (event) => {
        uplink.send({ fleet: "event", atMs: systemClock.now().wallMs, event });
      },
    });
    const handler = await loadHandler(handlerFile);
    const processor: Processor = await handler({
      application: settings.worker.application,
      get workerId() {
        return worker.workerId;
      },
      logger: uplink.logger,
    });
    abort.signal.addEventListener("abort", () => {
      // Its outcome is that of `ended`, which is awaited below.
      void worker.stop().catch(() => undefined);
    });
    if (abort.signal.aborted) return 0;
    await worker.start();
    uplink.send({ fleet: "started", workerId: worker.workerId });
    await worker.ended;
    return 0;
  } catch (error) {
    const { code, message } = failureOf(error);
    // A start that was called off has failed as asked.
    if (code === "worker-stopped" && abort.signal.aborted) return 0;
    uplink.send({ fleet: "failed", code, message });
    return 1;
  } finally {
    await uplink.sent;
  }
}

/** The way to the test. */
class Uplink {
  /** Resolves when everything sent so far has been handed to the operating system. */
  sent: Promise<void> = Promise.resolve();

  readonly logger: Logger = {
    debug: this.#at("debug"),
    info: this.#at("info"),
    warn: this.#at("warn"),
    error: this.#at("error"),
  };

  send(message: FromFleetWorker): void {
    if (!process.connected) return;
    this.sent = new Promise((resolve) => {
      // Messages go in order: the last one's end is everybody's.
      process.send?.(message, undefined, undefined, () => {
        resolve();
      });
    });
  }

  #at(level: LogLevelOfHandler): Logger["info"] {
    return (fields, message) => {
      this.send({ fleet: "log", atMs: systemClock.now().wallMs, level, message, fields });
    };
  }
}

const [settings = "{}", handler = ""] = process.argv.slice(2);
// What a handler leaves open (connections, timers) must not keep the process of an ended worker alive.
process.exit(await main(JSON.parse(settings) as FleetWorkerSettings, handler));
