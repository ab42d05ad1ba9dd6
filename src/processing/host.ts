import type { ProtocolConfig } from "../model/config.js";
import type { Emit } from "../model/events.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import type { PartitionSource } from "../source/partition-source.js";
import type { DrainResult, HostLoad, PartitionHost } from "../tenure/partition-host.js";
import type { Tenure } from "../tenure/tenure.js";
import { Answers } from "./answers.js";
import type { PartitionStatus } from "./journal.js";
import { checkProcessor, resolveProcessing, type ProcessingOptions } from "./options.js";
import type { PartitionEnd } from "./partition-end.js";
import { PartitionRunner } from "./partition-runner.js";
import type { StopReason, Work } from "./processor.js";
import type { RunnerDeps } from "./runner-deps.js";
import { Slots } from "./slots.js";

export interface ProcessingHostDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: Emit;
  /** The worker's id now; a tenure's events carry the one at its begin. */
  readonly workerId: () => string;
  readonly config: ProtocolConfig;
  readonly source: PartitionSource;
  readonly processor: Work;
  readonly options?: ProcessingOptions;
  readonly partitionEnd: PartitionEnd;
  /** Stuck calls hold every processing slot: nothing can be worked here any more, and the worker should leave. */
  readonly onAllSlotsStuck?: () => void;
}

/**
 * The processing room of one worker: a runner for each tenure, and the slots that they share. It outlives the worker's
 * incarnations, because a stuck call does: a lease must not be worked beside it, whatever the worker is called by then.
 */
export class ProcessingHost implements PartitionHost {
  readonly #deps: RunnerDeps;
  readonly #workerId: () => string;
  /** What has not returned of each lease, oldest first: all but the last are stuck in an earlier tenure's call. */
  readonly #runners = new Map<string, readonly PartitionRunner[]>();
  #closed = false;

  /** @throws LeaseholdError `invalid-option` */
  constructor(deps: ProcessingHostDeps) {
    const { clock, config } = deps;
    this.#workerId = deps.workerId;
    this.#deps = {
      clock,
      config,
      random: deps.random,
      emit: deps.emit,
      source: deps.source,
      partitionEnd: deps.partitionEnd,
      processor: checkProcessor(deps.processor),
      processing: resolveProcessing(deps.options),
      slots: new Slots(clock, config.maxConcurrentBatches, () => deps.onAllSlotsStuck?.()),
      answers: new Answers(clock),
    };
  }

  begin(tenure: Tenure): void {
    if (this.#closed) {
      void tenure.release("stop").catch(() => undefined);
      return;
    }
    const { leaseKey } = tenure;
    const before = this.#runners.get(leaseKey) ?? [];
    const predecessors =
      before.length === 0
        ? undefined
        : Promise.all(before.map((runner) => runner.done)).then(() => undefined);
    const runner = new PartitionRunner(tenure, this.#deps, this.#workerId(), predecessors);
    this.#runners.set(leaseKey, [...before, runner]);
    void runner.done.then(() => {
      this.#forget(runner);
    });
  }

  drain(leaseKey: string, reason: StopReason, withinMs: number): Promise<DrainResult> {
    const runner = this.#runners.get(leaseKey)?.at(-1);
    return runner?.drain(reason, withinMs) ?? Promise.resolve("drained");
  }

  unfit(): readonly string[] {
    const keys: string[] = [];
    for (const [key, runners] of this.#runners) if (runners.some((runner) => runner.stuck)) keys.push(key);
    return keys.sort();
  }

  load(): HostLoad {
    const failing: string[] = [];
    for (const runners of this.#runners.values()) {
      for (const runner of runners) if (runner.journal.failing) failing.push(runner.tenure.leaseKey);
    }
    return { utilisation: this.#deps.slots.utilisation(), failing: failing.sort() };
  }

  /** Every partition that is worked here, and every call of an earlier tenure that has not returned. */
  statuses(): readonly PartitionStatus[] {
    return this.#all().map((runner) => runner.journal.status(runner.stuck));
  }

  /** Whether no call into the user's code is under way. */
  idle(): boolean {
    return !this.#all().some((runner) => runner.busy);
  }

  /**
   * Begins nothing more and waits until every tenure's work has returned. It ends none of them, and a stuck call may
   * never return: who calls it ends the tenures and bounds the wait.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#all().map((runner) => runner.done));
  }

  #all(): PartitionRunner[] {
    return [...this.#runners.values()].flat();
  }

  #forget(runner: PartitionRunner): void {
    const { leaseKey } = runner.tenure;
    const left = (this.#runners.get(leaseKey) ?? []).filter((other) => other !== runner);
    if (left.length > 0) {
      this.#runners.set(leaseKey, left);
      return;
    }
    this.#runners.delete(leaseKey);
    this.#deps.answers.forget(leaseKey);
  }
}
