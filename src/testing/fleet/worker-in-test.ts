import { workerOptionsOf, type FleetWorkerSettings } from "../../embedded/fleet-settings.js";
import { hasCode, LeaseholdError, messageOf } from "../../model/errors.js";
import type { Processor, ProcessorFactory } from "../../processing/processor.js";
import type { Clock } from "../../runtime/clock.js";
import { Worker } from "../../worker.js";
import type { Hear, WorkerHandle } from "./fleet-worker.js";

/** Starts a worker in the test's own process, where its processor sees the test's variables. */
export function startWorkerInTest(
  settings: FleetWorkerSettings,
  processor: Processor | ProcessorFactory,
  clock: Clock,
  hear: Hear,
): WorkerHandle {
  const nowMs = (): number => clock.now().wallMs;
  const worker = new Worker({
    ...workerOptionsOf(settings),
    processor,
    onEvent: (event) => {
      hear(event, nowMs());
    },
  });
  let isLeaving = false;
  const work = async (): Promise<number> => {
    try {
      await worker.start();
      hear({ type: "started", workerId: worker.workerId }, nowMs());
      await worker.ended;
      return 0;
    } catch (error) {
      // A start that was called off has failed as asked.
      if (isLeaving && hasCode(error, "worker-stopped")) return 0;
      const code = error instanceof LeaseholdError ? error.code : "failed";
      hear({ type: "failed", code, message: messageOf(error) }, nowMs());
      return 1;
    }
  };
  void work().then((code) => {
    hear({ type: "exited", code, signal: null }, nowMs());
  });
  const stop = (force: boolean): void => {
    isLeaving = true;
    // Its outcome is that of `ended`, which is awaited above.
    void worker.stop({ force }).catch(() => undefined);
  };
  const needsProcess = (what: string) => (): never => {
    throw new Error(
      `worker ${settings.label} runs in the test's own process and cannot be ${what}: give the fleet a handler file instead of a processor, and it runs in processes`,
    );
  };
  return {
    pid: undefined,
    kill: needsProcess("killed"),
    freeze: needsProcess("frozen"),
    thaw: needsProcess("thawed"),
    leave: () => {
      stop(false);
    },
    end: () => {
      stop(true);
    },
  };
}
