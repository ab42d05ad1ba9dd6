import type { Batch } from "../processing/batch.js";
import type { EndOfPartition, LostReason, Processor, StopRequest } from "../processing/processor.js";
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
  /** A call with a batch has returned, or failed. */
  readonly returned: (
    process: SimulatedProcess,
    lease: HeldLease,
    sequenceNumbers: readonly string[],
    isDone: boolean,
  ) => void;
  readonly lost: (process: SimulatedProcess, lease: HeldLease) => void;
}

/** A block of the event loop that is wanted, and what lets the work go on that began it. */
interface Stall {
  goOn: (() => void) | undefined;
}

/** Work as a user would write it: it takes its time, and asks the lease before its effect. */
export class SimulatedProcessor implements Processor {
  readonly #process: SimulatedProcess;
  readonly #random: SeededRandom;
  readonly #workMs: readonly [number, number];
  readonly #hooks: ProcessorHooks;
  readonly #checkpoints: boolean;
  #stuck = 0;
  #free: (() => void)[] = [];
  #failingShare = 0;
  #slow: { readonly workMs: number; readonly reports: boolean } | undefined;
  #stall: Stall | undefined;

  /** @param checkpoints it checkpoints by itself */
  constructor(
    process: SimulatedProcess,
    random: SeededRandom,
    options: { readonly workMs: readonly [number, number]; readonly checkpoints: boolean },
    hooks: ProcessorHooks,
  ) {
    this.#process = process;
    this.#random = random;
    this.#workMs = options.workMs;
    this.#checkpoints = options.checkpoints;
    this.#hooks = hooks;
  }

  async process(batch: Batch, lease: HeldLease): Promise<void> {
    const numbers = batch.records.map((record) => record.sequenceNumber);
    this.#hooks.delivered(this.#process, lease, numbers);
    let isDone = false;
    try {
      await this.#processBatch(batch, lease, numbers);
      isDone = true;
    } finally {
      this.#hooks.returned(this.#process, lease, numbers, isDone);
    }
  }

  async #processBatch(batch: Batch, lease: HeldLease, numbers: readonly string[]): Promise<void> {
    if (this.#random.chance(this.#failingShare)) throw new Error("the processor fails (simulated)");
    if (this.#stuck > 0) {
      await new Promise<void>((resolve) => {
        this.#free.push(resolve);
      });
    }
    if (this.#stall !== undefined && this.#stall.goOn === undefined) await this.#block(this.#stall);
    else await this.#work(lease);
    // The effect is outside the lease's reach: this question, and the token, are all that guards it.
    lease.assertHeld();
    this.#hooks.worked(this.#process, lease, numbers);
    // Whoever checkpoints by himself does not do it for every batch.
    if (this.#checkpoints && this.#random.chance(0.3)) await batch.checkpoint();
  }

  async partitionEnded(end: EndOfPartition): Promise<void> {
    await end.checkpoint();
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

  /** From now on each batch takes so long, until what it returns is called. */
  beginSlow(workMs: number, reports: boolean): () => void {
    const slow = { workMs, reports };
    this.#slow = slow;
    return () => {
      if (this.#slow === slow) this.#slow = undefined;
    };
  }

  /** The next batch blocks the event loop, until what it returns is called. */
  beginStall(): () => void {
    const stall: Stall = { goOn: undefined };
    this.#stall = stall;
    return () => {
      if (this.#stall === stall) this.#stall = undefined;
      const { clock } = this.#process;
      if (stall.goOn === undefined || clock.isKilled) return;
      clock.thaw();
      // The blocking call returns to the work that made it, before any timer or answer: the thaw only makes them due.
      clock.deliver(stall.goOn);
    };
  }

  async #work(lease: HeldLease): Promise<void> {
    const { clock } = this.#process;
    const slow = this.#slow;
    if (slow === undefined) {
      await sleep(clock, this.#random.between(...this.#workMs), lease.signal);
      return;
    }
    for (let quarter = 0; quarter < 4; quarter++) {
      await sleep(clock, slow.workMs / 4, lease.signal);
      if (slow.reports) lease.progress();
    }
  }

  #block(stall: Stall): Promise<void> {
    this.#process.clock.freeze();
    return new Promise((resolve) => {
      stall.goOn = resolve;
    });
  }
}
