import { isFinished } from "../model/position.js";
import type { Fault } from "./faults.js";
import type { Operator } from "./operator.js";
import type { Processes } from "./processes.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { SimulatedStore } from "./simulated-store.js";
import type { SimulatedStream } from "./simulated-stream.js";
import type { VirtualTime } from "./virtual-time.js";

/** What faults are done to. */
export interface FaultTargets {
  readonly time: VirtualTime;
  readonly store: SimulatedStore;
  readonly stream: SimulatedStream;
  readonly processes: Processes;
  readonly operator: Operator;
  kill(process: SimulatedProcess): void;
  /** Told when a fault begins to act, and when it ends; `hit` is false where there was nothing for it to act on. */
  note(fault: Fault, phase: "begins" | "ends", hit: boolean): void;
}

/** What ends a fault; `none`: it is over at once; `missed`: there was nothing for it to act on. */
type Begun = (() => void) | "none" | "missed";

/** How long after the exit of a child its parent's fence is written, ms. */
const parentMs = 50;

/** Sets every fault of a scenario on its time. */
export function scheduleFaults(targets: FaultTargets, faults: readonly Fault[]): void {
  for (const fault of faults) {
    targets.time.schedule(fault.atMs - targets.time.nowMs, () => {
      const end = begin(targets, fault);
      targets.note(fault, "begins", end !== "missed");
      if (typeof end === "string") return;
      targets.time.schedule("forMs" in fault ? fault.forMs : 0, () => {
        targets.note(fault, "ends", true);
        end();
      });
    });
  }
}

type FaultOf<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;
type FleetFault = FaultOf<
  "lease-row-deleted" | "tables-deleted" | "idle-planner" | "two-planners" | "cold-start" | "start"
>;
type StreamFault = FaultOf<
  "stream-outage" | "stream-throttled" | "stream-denied" | "shard-silent" | "split" | "merge" | "trim"
>;
type NetworkFault = Parameters<SimulatedStore["network"]["begin"]>[0];
type ProcessFault = Exclude<Fault, FleetFault | StreamFault | NetworkFault>;

function begin(targets: FaultTargets, fault: Fault): Begun {
  switch (fault.kind) {
    case "store-outage":
    case "store-slow":
    case "store-lossy":
    case "store-throttled":
    case "store-failing":
    case "store-denied":
    case "stale-reads":
    case "index-lag":
      return targets.store.network.begin(fault);
    case "stream-outage":
    case "stream-throttled":
    case "stream-denied":
    case "shard-silent":
    case "split":
    case "merge":
    case "trim":
      return beginInStream(targets, fault);
    case "lease-row-deleted":
    case "tables-deleted":
    case "idle-planner":
    case "two-planners":
    case "cold-start":
    case "start":
      return beginInFleet(targets, fault);
    default: {
      const process = targets.processes.newest(fault.worker);
      return process?.isAlive === true ? beginAt(targets, process, fault) : "missed";
    }
  }
}

function beginInStream({ store, stream }: FaultTargets, fault: StreamFault): Begun {
  switch (fault.kind) {
    case "stream-outage":
      return stream.beginOutage();
    case "stream-throttled":
    case "stream-denied":
      return stream.begin(fault);
    case "shard-silent":
      return stream.beginSilence(fault.pick);
    case "split":
      return stream.splitAny(fault.pick).length === 0 ? "missed" : "none";
    case "merge":
      return stream.mergeAny(fault.pick) === undefined ? "missed" : "none";
    case "trim": {
      const ended = store.rows
        .view()
        .scan()
        .leases.filter(({ checkpoint }) => isFinished(checkpoint));
      for (const { leaseKey } of ended) stream.shards.trim(leaseKey);
      return ended.length === 0 ? "missed" : "none";
    }
  }
}

function beginInFleet(targets: FaultTargets, fault: FleetFault): Begun {
  const { store, stream, processes, operator } = targets;
  switch (fault.kind) {
    case "lease-row-deleted":
      return operator.deleteLeaseRow(fault.pick, (key) => stream.shards.get(key)?.open === true)
        ? "none"
        : "missed";
    case "tables-deleted":
      store.rows.drop();
      return "none";
    case "start": {
      const isFree = processes.newest(fault.worker)?.isAlive !== true;
      processes.start(fault.worker, fault.deployment);
      return isFree ? "none" : "missed";
    }
    case "cold-start":
      for (const process of processes.alive()) targets.kill(process);
      return () => {
        for (let slot = 0; slot < processes.slots; slot++) processes.start(slot);
      };
    case "idle-planner":
    case "two-planners": {
      const planner = processes.of(store.rows.view().planner?.owner);
      if (planner === undefined) return "missed";
      const way = { atMs: fault.atMs, forMs: fault.forMs, worker: planner.slot };
      if (fault.kind === "idle-planner") {
        return store.network.begin({ kind: "store-denied", operations: ["leases.scan"], ...way });
      }
      const other = processes.alive().find((one) => one !== planner && operator.isTarget(one));
      if (other === undefined) return "missed";
      const asOfMs = targets.time.nowMs;
      const end = store.network.begin({ kind: "stale-reads", upToMs: 0, asOfMs, ...way });
      operator.claimPlannerFor(other);
      return end;
    }
  }
}

function beginAt(targets: FaultTargets, process: SimulatedProcess, fault: ProcessFault): Begun {
  const { clock, processor } = process;
  const { processes, operator } = targets;
  switch (fault.kind) {
    case "crash":
      targets.kill(process);
      return "none";
    case "restart":
      targets.kill(process);
      processes.start(fault.worker);
      return "none";
    case "exit":
      targets.kill(process);
      targets.time.schedule(parentMs, () => {
        operator.fenceExited(process);
      });
      return "none";
    case "death-with-observers":
      for (const other of operator.observersOf(process, processes.alive())) targets.kill(other);
      targets.kill(process);
      return "none";
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
    case "event-loop-stall":
      return processor.beginStall();
    case "wall-jump":
      clock.jumpWall(fault.byMs);
      return "none";
    case "stop":
    case "second-stop":
    case "stop-called-off":
    case "replace":
      return beginStop(targets, process, fault);
    case "forced-fence":
      operator.forceFence(process);
      return "none";
    case "worker-row-deleted":
      return operator.deleteWorkerRow(process) ? "none" : "missed";
    case "stuck-processor":
      return processor.beginStuck();
    case "failing-processor":
      return processor.beginFailing(fault.share);
    case "slow-processor":
      return processor.beginSlow(fault.workMs, fault.reports);
  }
}

/** A signal reaches a process that stands still when it goes on. */
function beginStop(
  { processes }: FaultTargets,
  process: SimulatedProcess,
  fault: FaultOf<"stop" | "second-stop" | "stop-called-off" | "replace">,
): Begun {
  const { clock } = process;
  if (fault.kind === "replace") {
    processes.startBeside(fault.worker, fault.deployment);
    return () => {
      clock.deliver(() => void process.stop());
    };
  }
  clock.deliver(() => void process.stop());
  if (fault.kind === "stop") return "none";
  return () => {
    if (fault.kind === "second-stop") {
      clock.deliver(() => {
        process.hurry();
      });
    } else if (processes.newest(fault.worker) === process) processes.startBeside(fault.worker);
  };
}
