import type { Endpoints } from "../../embedded/endpoints.js";
import type { Clock } from "../../runtime/clock.js";
import type { Happening, Seen } from "./fleet-event.js";
import type { FleetPlan } from "./fleet-options.js";
import type { TestWorker, WorkerHandle } from "./fleet-worker.js";
import { startWorkerInTest } from "./worker-in-test.js";
import { startWorkerProcess } from "./worker-process.js";

/** A worker of a fleet under test, as the fleet knows it. */
export class Member implements TestWorker {
  readonly label: string;
  readonly exited: Promise<number | null>;
  readonly #handle: WorkerHandle;
  readonly #onEvent: (event: Seen) => void;
  #state: TestWorker["state"] = "starting";
  #workerId: string | undefined;
  #failure: string | undefined;
  /** It was asked to end, in one way or another. */
  #isAsked = false;
  #resolve: (code: number | null) => void = () => undefined;

  constructor(
    label: string,
    { settings, work, env }: FleetPlan,
    endpoints: Endpoints,
    clock: Clock,
    onEvent: (event: Seen) => void,
  ) {
    this.label = label;
    this.#onEvent = onEvent;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const all = { ...settings, label, endpoints };
    const hear = (happening: Happening, atMs: number): void => {
      this.#hear(happening, atMs);
    };
    this.#handle =
      typeof work === "string"
        ? startWorkerProcess(all, work, env, clock, hear)
        : startWorkerInTest(all, work, clock, hear);
  }

  get pid(): number | undefined {
    return this.#handle.pid;
  }

  get workerId(): string | undefined {
    return this.#workerId;
  }

  get state(): TestWorker["state"] {
    return this.#state;
  }

  /** Why it ended otherwise than asked. */
  get failure(): string | undefined {
    return this.#failure;
  }

  get endedByItself(): boolean {
    return this.#state === "exited" && !this.#isAsked;
  }

  kill(): void {
    this.#handle.kill();
    this.#isAsked = true;
    this.#state = "killed";
  }

  freeze(): void {
    this.#handle.freeze();
    this.#state = "frozen";
  }

  thaw(): void {
    this.#handle.thaw();
    this.#state = "running";
  }

  /** @returns whether there was anything left to ask */
  leave(): boolean {
    if (this.#state === "exited" || this.#state === "killed") return false;
    // A frozen process hears nothing.
    if (this.#state === "frozen") this.thaw();
    this.#isAsked = true;
    this.#state = "stopping";
    this.#handle.leave();
    return true;
  }

  /** The end, in the quickest way there is. */
  end(): void {
    if (this.#state === "exited") return;
    this.#isAsked = true;
    this.#state = "killed";
    this.#handle.end();
  }

  #hear(happening: Happening, atMs: number): void {
    switch (happening.type) {
      case "worker-created":
        this.#workerId = happening.workerId;
        break;
      case "started":
        if (this.#state === "starting") this.#state = "running";
        break;
      case "failed":
        this.#failure = `${happening.message} (${happening.code})`;
        break;
      case "exited":
        this.#ended(happening.code, happening.signal);
        break;
      default:
    }
    this.#onEvent({ ...happening, label: this.label, atMs });
  }

  #ended(code: number | null, signal: string | null): void {
    const isKilled = this.#state === "killed";
    if (!isKilled && code !== 0) this.#failure ??= `it ended with ${signal ?? `status ${String(code)}`}`;
    this.#state = "exited";
    this.#resolve(code);
  }
}
