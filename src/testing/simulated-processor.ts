import type { Batch } from "../processing/batch.js";
import type { LostReason, Processor, StopRequest } from "../processing/processor.js";
import { sleep } from "../runtime/clock.js";
import type { HeldLease } from "../tenure/tenure.js";
import type { SeededRandom } from "./seeded-random.js";
import type { SimulatedProcess } from "./simulated-process.js";

/** Who looks on while work is done. */
export interface ProcessorHooks {
  /** Records are handed over. */
  readonly delivered: (
    process: SimulatedProcess,
    lease: HeldLease,
    sequenceNumbers: readonly string[],
  ) => void;
  /** The lease said that it is held, and the work's effect happens now. */
  readonly worked: (process: SimulatedProcess, lease: HeldLease, sequenceNumbers: readonly string[]) => void;
  readonly lost: (process: SimulatedProcess, lease: HeldLease) => void;
}

/** Work as a user would write it: it takes its time, and asks the lease before its effect. */
export class SimulatedProcessor implements Processor {
  readonly #process: SimulatedProcess;
  readonly #random: SeededRandom;
  readonly #workMs: readonly [number, number];
  readonly #hooks: ProcessorHooks;
  #stuck = 0;
  #free: (() => void)[] = [];
  #failingShare = 0;

  constructor(
    process: SimulatedProcess,
    random: SeededRandom,
    workMs: readonly [number, number],
    hooks: ProcessorHooks,
  ) {
    this.#process = process;
    this.#random = random;
    this.#workMs = workMs;
    this.#hooks = hooks;
  }

  async process(batch: Batch, lease: HeldLease): Promise<void> {
    const numbers = batch.records.map((record) => record.sequenceNumber);
    this.#hooks.delivered(this.#process, lease, numbers);
    if (this.#random.chance(this.#failingShare)) throw new Error("the processor fails (simulated)");
    const { clock } = this.#process;
    if (this.#stuck > 0) {
      await new Promise<void>((resolve) => {
        this.#free.push(resolve);
      });
    }
    await sleep(clock, this.#random.between(...this.#workMs), lease.signal);
    // The effect is outside the lease's reach: this question, and the token, are all that guards it.
    lease.assertHeld();
    this.#hooks.worked(this.#process, lease, numbers);
  }

  leaseLost(_reason: LostReason, lease: HeldLease): void {
    this.#hooks.lost(this.#process, lease);
  }

  async stopRequested(stop: StopRequest): Promise<void> {
    await stop.checkpoint();
  }

  /** From now on `process` does not return; call what it returns to let all of it go on. */
  beginStuck(): () => void {
    this.#stuck++;
    return () => {
      this.#stuck--;
      if (this.#stuck > 0) return;
      const free = this.#free;
      this.#free = [];
      // They go on in their own worker, which may be standing still or dead.
      for (const go of free) this.#process.clock.deliver(go);
    };
  }

  /** From now on this share of the batches fails, until what it returns is called. */
  beginFailing(share: number): () => void {
    this.#failingShare = share;
    return () => {
      this.#failingShare = 0;
    };
  }
}
