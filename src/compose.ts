import { Discovery } from "./discovery/discovery.js";
import { Fleet } from "./fleet/fleet.js";
import type { LeaseKeeper } from "./fleet/fleet-deps.js";
import type { ProtocolConfig } from "./model/config.js";
import type { Emit } from "./model/events.js";
import { ProcessingHost } from "./processing/host.js";
import type { PartitionStatus } from "./processing/journal.js";
import type { ProcessingOptions } from "./processing/options.js";
import type { Work } from "./processing/processor.js";
import { answerOf, remedies } from "./runtime/attempts.js";
import { waitAtMost, type Clock } from "./runtime/clock.js";
import type { Random } from "./runtime/random.js";
import type { PartitionSource } from "./source/partition-source.js";
import type { Store } from "./store/store.js";
import { watchedStore } from "./store/watched-store.js";

/** Everything of the outside world that a worker runs on: the simulator puts its own in, and nothing else differs. */
export interface WorkerPorts {
  readonly store: Store;
  readonly source: PartitionSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly machine: { readonly host: string; readonly pid: number };
}

export interface WorkerParts {
  readonly config: ProtocolConfig;
  readonly label: string;
  readonly deployment: string | undefined;
  readonly processor: Work;
  readonly processing: ProcessingOptions;
  readonly emit: Emit;
  readonly announce: (workerId: string) => Promise<void>;
}

/** A belief that a worker has now, computed now. */
export interface BelievedLease {
  readonly leaseKey: string;
  readonly epoch: number;
}

/** Making tables takes this long at most: DynamoDB makes one in seconds, an index on a large table in minutes. */
const prepareMs = 15 * 60_000;

/**
 * A sink that throws must not cut short what it is told of: the end of a tenure, say, before its signal has aborted. Its
 * error is thrown where nothing of the worker is on the stack, and is as loud there as any other that nobody catches.
 */
function outside(emit: Emit): Emit {
  return (event) => {
    try {
      emit(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/**
 * The rooms of one process, wired: what the fleet wins the processing room works, what ends there the discovery room
 * continues. No rule lives here.
 */
export class WorkerCore {
  readonly #parts: WorkerParts;
  readonly #ports: WorkerPorts;
  readonly #store: Store;
  readonly #discovery: Discovery;
  readonly #host: ProcessingHost;
  readonly #fleet: Fleet;

  constructor(parts: WorkerParts, ports: WorkerPorts) {
    this.#parts = parts;
    this.#ports = ports;
    const { config } = parts;
    const emit = outside(parts.emit);
    const { clock, random, source } = ports;
    const workerId = (): string => this.workerId;
    const store = watchedStore(ports.store, workerId, emit);
    this.#store = store;
    this.#discovery = new Discovery({ source, store, clock, random, config, workerId, emit });
    this.#host = new ProcessingHost({
      clock,
      random,
      emit,
      workerId,
      config,
      source,
      processor: parts.processor,
      options: parts.processing,
      partitionEnd: {
        createChildren: async (tenure, children) => {
          await this.#discovery.createChildren(tenure.row, children);
        },
        finished: async (tenure) => {
          await this.#fleet.current?.takeChildren(tenure.row.children);
        },
      },
      onAllSlotsStuck: () => {
        // Nothing can be worked here any more: the leases go to somebody who can, and a supervised process exits.
        // A worker that has ended by an error stops with that error: whoever waits for its end has it.
        void this.stop().catch(() => undefined);
      },
    });
    this.#fleet = new Fleet({
      store,
      clock,
      random,
      config,
      emit,
      host: this.#host,
      keeper: this.#keeper(),
      machine: ports.machine,
      label: parts.label,
      deployment: parts.deployment,
      announce: parts.announce,
    });
  }

  /** The present worker's id; before the first, the label. */
  get workerId(): string {
    return this.#fleet.current?.workerId ?? this.#parts.label;
  }

  get isPlanner(): boolean {
    return this.#fleet.current?.isPlanner ?? false;
  }

  get mode(): "open" | "draining" | "closed" {
    return this.#fleet.current?.mode ?? "closed";
  }

  /** Milliseconds left of the worker's belief, computed now. */
  remainingMs(): number {
    return this.#fleet.current?.belief.remainingMs() ?? 0;
  }

  /** The leases that this worker believes it holds, computed now. */
  believes(): readonly BelievedLease[] {
    const held = this.#fleet.current?.tenures.held() ?? [];
    return held
      .filter((tenure) => tenure.remainingMs() > 0)
      .map(({ leaseKey, fencingToken }) => ({ leaseKey, epoch: fencingToken }));
  }

  partitions(): readonly PartitionStatus[] {
    return this.#host.statuses();
  }

  /**
   * Checks the source, prepares the tables, creates the worker's row and starts.
   * @throws LeaseholdError `source-missing`, `source-denied`, `table-mismatch`, …: nothing runs then
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#ports.source.verify(signal);
    await this.#prepareTables(signal);
    await this.#fleet.start();
  }

  /** Resolves when it was stopped, rejects when it cannot go on; the processor's calls have returned or were given up. */
  async ended(): Promise<void> {
    try {
      await this.#fleet.ended;
    } finally {
      // Every tenure has ended; a call that ignores its signal gets the grace of a stuck one and no more.
      await waitAtMost(this.#ports.clock, this.#host.close(), this.#parts.config.abortGraceMs);
      this.#ports.source.close();
      this.#ports.store.close();
    }
  }

  /** A start that failed part-way: lets go of what it had opened. */
  abandon(): void {
    this.#ports.source.close();
    this.#ports.store.close();
  }

  /** A clean stop: drains, checkpoints, hands over. */
  stop(): Promise<void> {
    return this.#fleet.stop();
  }

  /** Ends the wait of a clean stop. */
  hurry(): void {
    this.#fleet.hurry();
  }

  async #prepareTables(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    await answerOf(
      clock,
      random,
      // A try ends after one lease duration: an answer that was lost holds a start up for no longer. A repeat finds what
      // the last one made and goes on waiting where that was.
      {
        attemptTimeoutMs: this.#parts.config.leaseDurationMs,
        withinMs: prepareMs,
        signal,
        unanswered: { call: "prepare the tables", remedy: remedies.worker },
      },
      (attempt) => this.#store.tables.prepare({ signal: attempt.signal }),
    );
  }

  #keeper(): LeaseKeeper {
    // Clean-up goes by what the source listed last: without a list there is nothing to compare the rows with.
    let listed: Awaited<ReturnType<Discovery["discover"]>>["partitions"] = [];
    return {
      discover: async () => {
        const result = await this.#discovery.discover();
        listed = result.partitions;
        return result.created.length;
      },
      cleanUp: async (_, leases, isFree) => {
        await this.#discovery.cleanUp({ partitions: listed, leases, isFenced: isFree });
      },
    };
  }
}
