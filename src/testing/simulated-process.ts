import type { LeaseholdEvent } from "../model/events.js";
import type { SeededRandom } from "./seeded-random.js";
import { SimulatedProcessor, type ProcessorHooks } from "./simulated-processor.js";
import type { SimulatedStore } from "./simulated-store.js";
import type { SimulatedStream } from "./simulated-stream.js";
import type { SimulatedWorker, WorkerFactory } from "./simulated-worker.js";
import type { Scenario } from "./scenario.js";
import type { VirtualClock } from "./virtual-clock.js";

export interface ProcessDeps {
  readonly scenario: Scenario;
  readonly factory: WorkerFactory;
  readonly store: SimulatedStore;
  readonly stream: SimulatedStream;
  readonly hooks: ProcessorHooks;
  readonly onEvent: (process: SimulatedProcess, event: LeaseholdEvent) => void;
  /** The process has ended by itself, or its start failed; undefined after a clean stop. */
  readonly onEnd: (process: SimulatedProcess, error: unknown) => void;
}

export type ProcessState = "running" | "stopping" | "stopped" | "failed" | "killed";

/** One process: a clock, a worker that ships, and a processor whose work is simulated. */
export class SimulatedProcess {
  /** `2.1` is the second process in slot 2. */
  readonly name: string;
  readonly slot: number;
  readonly clock: VirtualClock;
  readonly processor: SimulatedProcessor;
  /** The ids it has had, newest last: an incarnation each. */
  readonly workerIds: string[] = [];
  /** True time of its start, ms. */
  readonly startedAtMs: number;
  /** Its stop was told to wait for nothing any more. */
  isHurried = false;
  readonly #worker: SimulatedWorker;
  readonly #deps: ProcessDeps;
  #state: ProcessState = "running";
  #stop: Promise<void> | undefined;

  constructor(
    slot: number,
    generation: number,
    clock: VirtualClock,
    random: SeededRandom,
    deps: ProcessDeps,
    { deployment, startedAtMs }: { readonly deployment: string | undefined; readonly startedAtMs: number },
  ) {
    this.name = `${String(slot)}.${String(generation)}`;
    this.slot = slot;
    this.clock = clock;
    this.startedAtMs = startedAtMs;
    this.#deps = deps;
    const { scenario, store, stream } = deps;
    const { checkpointing = "automatic" } = scenario;
    const checkpoints = checkpointing === "explicit";
    const { workMs } = scenario;
    this.processor = new SimulatedProcessor(
      this,
      random.fork("processor"),
      { workMs, checkpoints },
      deps.hooks,
    );
    this.#worker = deps.factory({
      application: "simulated",
      label: `worker-${this.name}`,
      clock,
      random: random.fork("worker"),
      store: store.connect({ worker: slot, clock, random: random.fork("store") }),
      source: stream.source({ clock, random: random.fork("stream") }),
      processor: this.processor,
      protocol: scenario.protocol,
      processing: { checkpointing, ...(scenario.retry === undefined ? {} : { retry: scenario.retry }) },
      ...(deployment === undefined ? {} : { deployment }),
      emit: (event) => {
        // A dead process may still have a continuation to run; it has nothing to say any more.
        if (this.#state === "killed") return;
        if (event.type === "worker-created") this.workerIds.push(event.workerId);
        deps.onEvent(this, event);
      },
    });
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** Whether there is a process: running, stopping or standing still. */
  get isAlive(): boolean {
    return this.#state === "running" || this.#state === "stopping";
  }

  start(): void {
    const fail = (error: unknown): void => {
      if (this.#state !== "running") return;
      this.#state = "failed";
      this.#deps.onEnd(this, error);
    };
    this.#worker.start().then(() => {
      this.#worker.ended.then(() => {
        fail(new Error("the worker ended by itself"));
      }, fail);
    }, fail);
  }

  /** A clean stop; the second call gets the first one's promise. */
  stop(): Promise<void> {
    if (this.#state !== "running") return this.#stop ?? Promise.resolve();
    this.#state = "stopping";
    this.#stop = this.#worker.stop().then(
      () => {
        if (this.#state !== "stopping") return;
        this.#state = "stopped";
        this.#deps.onEnd(this, undefined);
      },
      (error: unknown) => {
        if (this.#state !== "stopping") return;
        this.#state = "failed";
        this.#deps.onEnd(this, error);
      },
    );
    return this.#stop;
  }

  /** The end of a clean stop's patience, as on a second SIGTERM. */
  hurry(): void {
    if (this.#state !== "stopping") return;
    this.isHurried = true;
    this.#worker.hurry();
  }

  kill(): void {
    if (!this.isAlive) return;
    this.#state = "killed";
    this.clock.kill();
  }

  believes(): readonly { readonly leaseKey: string; readonly epoch: number }[] {
    return this.#worker.believes();
  }
}
