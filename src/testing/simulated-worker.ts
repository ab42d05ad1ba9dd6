import type { ProtocolOptions } from "../model/config.js";
import type { Emit } from "../model/events.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { PartitionSource } from "../source/partition-source.js";
import type { Store } from "../store/store.js";
import type { ProcessingOptions } from "../processing/options.js";
import type { Processor } from "../processing/processor.js";

/** Everything that a worker takes from outside, as the simulator puts it in. */
export interface WorkerPorts {
  readonly application: string;
  /** The stable part of its worker ids. */
  readonly label: string;
  /** The label of what was deployed. */
  readonly deployment?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly source: PartitionSource;
  readonly processor: Processor;
  readonly protocol: ProtocolOptions;
  readonly processing?: ProcessingOptions;
  readonly emit: Emit;
}

/** A worker that ships, or one made wrong on purpose. It dies by its clock: there is nothing to call for that. */
export interface SimulatedWorker {
  /** Rejects when it could not start; it must then have cleaned up after itself. */
  start(): Promise<void>;
  /** A clean stop. Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
  /** Ends the wait of a clean stop: what is not drained is released without its last checkpoint. */
  hurry(): void;
  /** Rejects, or resolves, when the worker ends by itself. */
  readonly ended: Promise<void>;
  /** What it believes to hold, computed at the call. */
  believes(): readonly { readonly leaseKey: string; readonly epoch: number }[];
}

export type WorkerFactory = (ports: WorkerPorts) => SimulatedWorker;
