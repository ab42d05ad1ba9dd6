import type { LeaseholdEvent } from "../../src/model/events.js";
import { resolveProtocol, type ProtocolConfig } from "../../src/model/config.js";
import { trimHorizon } from "../../src/model/position.js";
import { sleep } from "../../src/runtime/clock.js";
import type { PartitionSource, SourceFetch } from "../../src/source/partition-source.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import { shippedWorker } from "../../src/testing/shipped-worker.js";
import { SimulatedStore } from "../../src/testing/simulated-store.js";
import type { SimulatedWorker } from "../../src/testing/simulated-worker.js";
import type { VirtualClock } from "../../src/testing/virtual-clock.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";

export interface LargeFleetOptions {
  readonly leases: number;
  readonly workers: number;
  /** Decides latencies, jitter and names. */
  readonly seed: string;
  /** Each lease's load, in the order of the keys. */
  readonly weights?: readonly number[];
}

interface Process {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly worker: SimulatedWorker;
  readonly deployment: string;
  isOver: boolean;
}

/** A round of any of the workers; nothing that is looked for here passes sooner. */
const stepMs = 500;

/** Partitions that never have anything to work: what is measured is who holds them. */
function quietSource(keys: readonly string[], clock: VirtualClock): PartitionSource {
  return {
    kind: "fixed",
    name: "quiet",
    evolves: false,
    initialPosition: trimHorizon,
    verify: () => Promise.resolve(),
    list: () => Promise.resolve(keys.map((partitionKey) => ({ partitionKey, parents: [], open: true }))),
    open: ({ onAnswer }) => ({
      next: async (signal): Promise<SourceFetch> => {
        for (;;) {
          onAnswer();
          await sleep(clock, 60_000, signal);
          signal.throwIfAborted();
        }
      },
      close: () => undefined,
    }),
    close: () => undefined,
  };
}

/** Many workers that ship, on one virtual time and one simulated store. */
export class LargeFleet {
  readonly config: ProtocolConfig = resolveProtocol();
  readonly time = new VirtualTime();
  readonly store: SimulatedStore;
  /** Tenures that began with another worker than the one before. */
  changes = 0;
  readonly #options: LargeFleetOptions;
  readonly #keys: readonly string[];
  readonly #processes: Process[] = [];
  readonly #owners = new Map<string, string>();

  constructor(options: LargeFleetOptions) {
    this.#options = options;
    this.store = new SimulatedStore(this.time, { conditions: { latencyMs: [2.5, 7.5] } });
    this.#keys = Array.from({ length: options.leases }, (_, i) => `s${String(i).padStart(4, "0")}`);
  }

  /** Starts all together, has them share, and waits until nothing moves any more. */
  async begin(): Promise<void> {
    for (let i = 0; i < this.#options.workers; i++) this.start("v1");
    await this.until(() => this.isOwned, 60_000);
    this.#weigh();
    // Each newcomer waits for something to get for so long.
    await this.run(40_000);
    this.changes = 0;
  }

  start(deployment: string): Process {
    const slot = this.#processes.length;
    const name = `w${String(slot).padStart(2, "0")}`;
    const clock = this.time.clock();
    const random = seededRandom(this.#options.seed).fork(name);
    const process: Process = {
      name,
      clock,
      deployment,
      isOver: false,
      worker: shippedWorker({
        application: "simulated",
        label: name,
        deployment,
        clock,
        random: random.fork("worker"),
        store: this.store.connect({ worker: slot, clock, random: random.fork("store") }),
        source: quietSource(this.#keys, clock),
        processor: { process: () => undefined },
        protocol: {},
        emit: (event) => {
          this.#hear(event);
        },
      }),
    };
    this.#processes.push(process);
    process.worker.start().catch((error: unknown) => {
      throw error;
    });
    return process;
  }

  /** A clean stop, waited for. */
  async stop(process: Process): Promise<void> {
    const stopped = process.worker.stop().then(() => {
      process.isOver = true;
    });
    await this.time.runUntilSettled(stopped, 60_000);
  }

  /** SIGKILL. */
  kill(process: Process): void {
    process.isOver = true;
    process.clock.kill();
  }

  get alive(): readonly Process[] {
    return this.#processes.filter(({ isOver }) => !isOver);
  }

  async run(ms: number): Promise<void> {
    await this.time.advance(ms);
  }

  /** Goes on until it is so. @returns how long it took */
  async until(isSo: () => boolean, withinMs: number, everyMs = stepMs): Promise<number> {
    const from = this.time.nowMs;
    while (!isSo()) {
      if (this.time.nowMs - from >= withinMs) throw new Error(`not so within ${String(withinMs)} ms`);
      await this.run(everyMs);
    }
    return this.time.nowMs - from;
  }

  /** Stops all of it where it stands: nothing of it is left to run. */
  end(): void {
    for (const process of this.alive) this.kill(process);
  }

  /** Whether every row names a process that lives. */
  get isOwned(): boolean {
    const { leases } = this.store.rows.view().scan();
    const names = new Set(this.alive.map(({ name }) => name));
    return leases.length === this.#options.leases && leases.every(({ owner }) => names.has(labelOf(owner)));
  }

  /** How many leases somebody believes in now. */
  get believed(): number {
    return this.alive.reduce((sum, { worker }) => sum + worker.believes().length, 0);
  }

  /** How many workers that live have beaten. */
  get beating(): number {
    const { workers } = this.store.rows.view().fleet();
    return workers.filter(({ beat, fencedBy }) => beat > 0 && fencedBy === undefined).length;
  }

  /** Rows that name each process that lives. */
  get counts(): Readonly<Record<string, number>> {
    const counts = Object.fromEntries(this.alive.map(({ name }) => [name, 0]));
    for (const { owner } of this.store.rows.view().scan().leases) {
      const count = counts[labelOf(owner)];
      if (count !== undefined) counts[labelOf(owner)] = count + 1;
    }
    return counts;
  }

  /** The greatest load of a worker that lives, by the rows, divided by their mean. */
  get maxToMean(): number {
    const loads = new Map(this.alive.map(({ name }) => [name, 0]));
    for (const { owner, throughputKBps = 1 } of this.store.rows.view().scan().leases) {
      const label = labelOf(owner);
      if (loads.has(label)) loads.set(label, (loads.get(label) ?? 0) + throughputKBps);
    }
    const all = [...loads.values()];
    return (Math.max(...all) * all.length) / all.reduce((a, b) => a + b, 0);
  }

  /** Nothing is checkpointed here, so what a row says of its load stands. */
  #weigh(): void {
    const { weights } = this.#options;
    if (weights === undefined) return;
    for (const lease of this.store.rows.view().scan().leases) {
      const throughputKBps = weights[this.#keys.indexOf(lease.leaseKey)];
      if (throughputKBps !== undefined) this.store.rows.setLease({ ...lease, throughputKBps });
    }
  }

  #hear(event: LeaseholdEvent): void {
    if (event.type !== "tenure-began") return;
    const { leaseKey, workerId } = event;
    // A tenure resumed by whoever had it before is no change of owner.
    if (this.#owners.get(leaseKey) !== workerId) this.changes += 1;
    this.#owners.set(leaseKey, workerId);
  }
}

function labelOf(owner: string | undefined): string {
  return owner === undefined ? "" : owner.replace(/-[^-]*$/, "");
}
