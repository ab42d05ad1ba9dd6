import type { VirtualTime } from "./virtual-time.js";
import { SimulatedProcess, type ProcessDeps } from "./simulated-process.js";
import type { SeededRandom } from "./seeded-random.js";

export interface ProcessesDeps extends ProcessDeps {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly onStart: (process: SimulatedProcess) => void;
}

/** The processes of a fleet, by the slots of their machines: each slot's newest, and those that still leave beside it. */
export class Processes {
  readonly #deps: ProcessesDeps;
  readonly #newest: (SimulatedProcess | undefined)[];
  readonly #generations: number[];
  /** What was deployed last on each machine. */
  readonly #deployments: (string | undefined)[];
  #leaving: SimulatedProcess[] = [];

  constructor(deps: ProcessesDeps) {
    this.#deps = deps;
    const { machines } = deps.scenario;
    this.#newest = machines.map(() => undefined);
    this.#generations = machines.map(() => 0);
    this.#deployments = machines.map(({ deployment }) => deployment);
  }

  get slots(): number {
    return this.#newest.length;
  }

  newest(slot: number): SimulatedProcess | undefined {
    return this.#newest[slot];
  }

  /** Every process that runs, leaves or stands still. */
  alive(): readonly SimulatedProcess[] {
    this.#leaving = this.#leaving.filter(({ isAlive }) => isAlive);
    return [...this.#newest, ...this.#leaving].filter(
      (process): process is SimulatedProcess => process?.isAlive === true,
    );
  }

  /** The process whose present worker has this id. */
  of(workerId: string | undefined): SimulatedProcess | undefined {
    return this.alive().find(({ workerIds }) => workerIds.at(-1) === workerId);
  }

  /** Starts a process in a slot that has none. */
  start(slot: number, deployment?: string): void {
    if (this.#newest[slot]?.isAlive === true) return;
    this.startBeside(slot, deployment);
  }

  /** Starts a process in a slot, whether or not the one before it still runs. */
  startBeside(slot: number, deployment = this.#deployments[slot]): void {
    const { scenario, time, random, onStart } = this.#deps;
    const machine = scenario.machines[slot];
    if (machine === undefined) return;
    const before = this.#newest[slot];
    if (before?.isAlive === true) this.#leaving.push(before);
    this.#deployments[slot] = deployment;
    const generation = (this.#generations[slot] ?? 0) + 1;
    this.#generations[slot] = generation;
    const process = new SimulatedProcess(
      slot,
      generation,
      time.clock({ rate: machine.rate, wallOffsetMs: machine.wallOffsetMs }),
      random.fork(`process ${String(slot)}.${String(generation)}`),
      this.#deps,
      { deployment, startedAtMs: time.nowMs },
    );
    this.#newest[slot] = process;
    onStart(process);
    process.start();
  }
}
