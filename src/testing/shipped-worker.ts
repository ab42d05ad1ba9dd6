import { WorkerCore } from "../compose.js";
import { resolveProtocol } from "../model/config.js";
import type { SimulatedWorker, WorkerFactory, WorkerPorts } from "./simulated-worker.js";

/** The worker that ships, on simulated ports: nothing of it is replaced. */
export const shippedWorker: WorkerFactory = (ports) => new ShippedWorker(ports);

class ShippedWorker implements SimulatedWorker {
  readonly #core: WorkerCore;
  readonly #abortStart = new AbortController();
  #starting: Promise<void> | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(ports: WorkerPorts) {
    const { clock, random, store, source, label, processor, emit } = ports;
    this.#core = new WorkerCore(
      {
        config: resolveProtocol(ports.protocol),
        label,
        deployment: ports.deployment,
        processor,
        processing: ports.processing ?? {},
        emit,
        announce: () => Promise.resolve(),
      },
      { clock, random, store, source, machine: { host: label, pid: 1 } },
    );
  }

  get ended(): Promise<void> {
    return this.#ended;
  }

  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async stop(): Promise<void> {
    this.#abortStart.abort();
    await this.#starting?.catch(() => undefined);
    // Its outcome is that of `ended`.
    void this.#core.stop().catch(() => undefined);
    await this.#ended;
  }

  hurry(): void {
    this.#core.hurry();
  }

  believes(): readonly { readonly leaseKey: string; readonly epoch: number }[] {
    return this.#core.believes();
  }

  async #start(): Promise<void> {
    try {
      await this.#core.start(this.#abortStart.signal);
    } catch (error) {
      this.#core.abandon();
      throw error;
    }
    this.#ended = this.#core.ended();
    this.#ended.catch(() => undefined);
  }
}
