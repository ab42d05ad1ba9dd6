import type { Fault } from "./faults.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { SimulatedStore } from "./simulated-store.js";
import type { SimulatedStream } from "./simulated-stream.js";
import type { VirtualTime } from "./virtual-time.js";

/** What faults are done to. */
export interface FaultTargets {
  readonly time: VirtualTime;
  readonly store: SimulatedStore;
  readonly stream: SimulatedStream;
  /** The process in a slot, dead or alive. */
  process(slot: number): SimulatedProcess | undefined;
  /** Starts a process in a slot that has none. */
  start(slot: number): void;
  kill(process: SimulatedProcess): void;
  /** What an operator's command writes about the process's present worker. */
  forceFence(process: SimulatedProcess): void;
  trim(): void;
  /** Told when a fault begins to act, and when it ends. */
  note(fault: Fault, phase: "begins" | "ends"): void;
}

/** Sets every fault of a scenario on its time. */
export function scheduleFaults(targets: FaultTargets, faults: readonly Fault[]): void {
  for (const fault of faults) {
    targets.time.schedule(fault.atMs - targets.time.nowMs, () => {
      targets.note(fault, "begins");
      const end = begin(targets, fault);
      if (end === undefined) return;
      targets.time.schedule("forMs" in fault ? fault.forMs : 0, () => {
        targets.note(fault, "ends");
        end();
      });
    });
  }
}

/** @returns what ends it, for a fault that lasts */
function begin(targets: FaultTargets, fault: Fault): (() => void) | undefined {
  switch (fault.kind) {
    case "store-outage":
    case "store-slow":
    case "store-lossy":
    case "store-throttled":
    case "store-failing":
    case "store-denied":
    case "stale-reads":
      return targets.store.network.begin(fault);
    case "tables-deleted":
      targets.store.rows.drop();
      return undefined;
    case "stream-outage":
      return targets.stream.beginOutage();
    case "stream-throttled":
    case "stream-denied":
      return targets.stream.begin(fault);
    case "split":
      targets.stream.splitAny(fault.pick);
      return undefined;
    case "merge":
      targets.stream.mergeAny(fault.pick);
      return undefined;
    case "trim":
      targets.trim();
      return undefined;
    case "start":
      targets.start(fault.worker);
      return undefined;
    default: {
      const process = targets.process(fault.worker);
      if (process?.isAlive !== true) return undefined;
      return beginAt(targets, process, fault);
    }
  }
}

type ProcessFault = Extract<
  Fault,
  {
    kind:
      | "crash"
      | "pause"
      | "suspend"
      | "wall-jump"
      | "stop"
      | "forced-fence"
      | "stuck-processor"
      | "failing-processor";
  }
>;

function beginAt(
  targets: FaultTargets,
  process: SimulatedProcess,
  fault: ProcessFault,
): (() => void) | undefined {
  const { clock, processor } = process;
  switch (fault.kind) {
    case "crash":
      targets.kill(process);
      return undefined;
    case "pause":
      clock.freeze();
      return () => {
        clock.thaw();
      };
    case "suspend":
      clock.suspend();
      return () => {
        clock.wake();
      };
    case "wall-jump":
      clock.jumpWall(fault.byMs);
      return undefined;
    case "stop":
      // The signal reaches a process that stands still when it goes on.
      clock.deliver(() => void process.stop());
      return undefined;
    case "forced-fence":
      targets.forceFence(process);
      return undefined;
    case "stuck-processor":
      return processor.beginStuck();
    case "failing-processor":
      return processor.beginFailing(fault.share);
  }
}
