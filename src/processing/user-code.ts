import { LeaseholdError } from "../model/errors.js";
import { isFinished } from "../model/position.js";
import type { EndReason } from "../model/reasons.js";
import type { Tenure } from "../tenure/tenure.js";
import type { Batch, FetchedRecords } from "./batch.js";
import { ProcessorCalls, type CallResult } from "./calls.js";
import type { Checkpointer } from "./checkpointer.js";
import { Journal } from "./journal.js";
import { checkMade } from "./options.js";
import type { LostReason, Processor, StopReason } from "./processor.js";
import type { RunnerDeps } from "./runner-deps.js";
import { Silence } from "./silence.js";
import { Watchdog, type Phase } from "./watchdog.js";
import { WorkLease } from "./work-lease.js";

export interface UserCodeHooks {
  /** When the source answered last, or was last not asked, on the monotonic clock. */
  readonly notSilentAtMs: () => number | undefined;
  /** The lease is to be released. */
  readonly giveUp: (reason: EndReason) => void;
}

/** A result, and which callback it is of. */
export type NamedResult = CallResult & { readonly callback: string };

function isLost(reason: EndReason): reason is LostReason {
  return reason !== "partition-ended" && reason !== "handoff" && reason !== "stop";
}

/** One tenure's way into the user's code: who may be called when, in which slot, and who watches it. */
export class UserCode {
  readonly journal: Journal;
  readonly watchdog: Watchdog;
  readonly #tenure: Tenure;
  readonly #deps: RunnerDeps;
  readonly #hooks: UserCodeHooks;
  readonly #lease: WorkLease;
  readonly #calls: ProcessorCalls;
  readonly #silence: Silence;
  #processor: Processor | undefined;
  /** The processor has heard of this tenure. */
  #begun = false;
  #inSlot = false;
  #slotStuck = false;

  constructor(tenure: Tenure, deps: RunnerDeps, workerId: string, hooks: UserCodeHooks) {
    const { answers, clock, config, emit, processor } = deps;
    this.#tenure = tenure;
    this.#deps = deps;
    this.#hooks = hooks;
    this.#lease = new WorkLease(tenure);
    this.#silence = new Silence(clock, answers, tenure.leaseKey, config.sourceSilenceMs);
    this.#processor = typeof processor === "function" ? undefined : processor;
    this.journal = new Journal(tenure, clock, emit, workerId);
    this.watchdog = new Watchdog(clock, {
      limitMs: {
        predecessor: config.abortGraceMs,
        slot: config.processingTimeoutMs,
        call: config.processingTimeoutMs,
        grace: config.abortGraceMs,
        fetch: this.#silence.firstLookMs,
      },
      lifeAtMs: (phase) =>
        phase === "call" ? tenure.progressAtMs : phase === "fetch" ? hooks.notSilentAtMs() : undefined,
      onExpired: (phase) => this.#expired(phase),
    });
    this.#calls = new ProcessorCalls({
      tenure,
      lease: this.#lease,
      watchdog: this.watchdog,
      processingTimeoutMs: config.processingTimeoutMs,
      onTimedOut: () => {
        this.journal.processorStuck();
      },
      onStuck: (told) => {
        this.#onStuck(told);
      },
      onReturned: () => {
        this.#onReturned();
      },
    });
  }

  get stuck(): boolean {
    return this.#calls.stuck;
  }

  get outstanding(): number {
    return this.#calls.outstanding;
  }

  /** Tells what runs to break off; the lease is still held. */
  breakOff(reason: LeaseholdError): void {
    this.#calls.breakOff(reason);
  }

  /** The tenure is over. @returns when `leaseLost`, if it is due, has returned */
  tenureEnded(): Promise<void> {
    this.#lease.abort(this.#tenure.signal.reason);
    this.#calls.tenureEnded();
    const reason = this.#tenure.endReason;
    const due =
      reason !== undefined && isLost(reason) && this.#begun && !isFinished(this.#tenure.row.checkpoint);
    return due ? this.#tellLost(reason) : Promise.resolve();
  }

  /** Makes the processor where there is none, and begins. Undefined: not now. */
  async initialize(pause: AbortSignal): Promise<NamedResult | undefined> {
    this.journal.state = "initializing";
    let callback = "initialize";
    if (this.#processor !== undefined && this.#processor.initialize === undefined) {
      this.#begun = true;
      return { ok: true, callback };
    }
    const result = await this.#callInSlot(pause, () => {
      this.journal.state = "initializing";
      callback = "factory";
      const processor = (this.#processor ??= this.#make());
      callback = "initialize";
      this.#begun = true;
      return processor.initialize?.(this.#lease, this.#lease.start());
    });
    return result && { ...result, callback };
  }

  /** Hands a batch over, made at that instant. Undefined: not now. */
  async process(
    pause: AbortSignal,
    fetched: FetchedRecords,
    handOver: () => Batch,
  ): Promise<CallResult | undefined> {
    try {
      return await this.#callInSlot(pause, () => {
        const batch = handOver();
        this.journal.batchStarted(fetched, batch.records, this.#tenure.remainingMs());
        return this.#processor?.process(batch, this.#lease);
      });
    } finally {
      this.journal.callReturned();
    }
  }

  /**
   * Tells the processor that its partition is done, and looks whether that was checkpointed.
   * @returns `checkpoint-missing` among the failures; undefined: not now
   */
  async partitionEnded(
    pause: AbortSignal,
    children: readonly string[],
    checkpointer: Checkpointer,
  ): Promise<CallResult | undefined> {
    const result = await this.#callInSlot(pause, () => {
      this.journal.state = "ending";
      const checkpoint = (): Promise<void> => checkpointer.atPartitionEnd(children);
      const checkpointIfDone = async (): Promise<boolean> => {
        const isDone = this.#deps.processing.checkpointing === "automatic" || !checkpointer.isBehind;
        if (isDone) await checkpoint();
        return isDone;
      };
      if (this.#processor?.partitionEnded === undefined) return checkpointIfDone();
      return this.#processor.partitionEnded({ children, checkpoint, checkpointIfDone }, this.#lease);
    });
    if (result?.ok !== true || isFinished(this.#tenure.row.checkpoint)) return result;
    const error = new LeaseholdError(
      "checkpoint-missing",
      `the end of partition ${this.#tenure.leaseKey} is not checkpointed, so its children cannot start: call end.checkpoint() in partitionEnded${this.#processor?.partitionEnded === undefined ? ", or checkpoint its last batch" : ""}`,
      { retryable: true },
    );
    return { ok: false, error };
  }

  /** @returns whether the processor has been told */
  async stopRequested(reason: StopReason, checkpointer: Checkpointer): Promise<boolean> {
    const processor = this.#processor;
    if (processor?.stopRequested === undefined || this.#tenure.remainingMs() <= 0) return false;
    const checkpoint = (at?: Parameters<Batch["checkpoint"]>[0]): Promise<void> =>
      at === undefined ? checkpointer.atCompleted() : checkpointer.at(at);
    const result = await this.#calls.call(() =>
      processor.stopRequested?.({ reason, checkpoint }, this.#lease),
    );
    // Nothing is lost by it: what it did not checkpoint is redelivered.
    if (!result.ok && !this.#tenure.ended) this.journal.processorFailed("stopRequested", result.error);
    return true;
  }

  #make(): Processor {
    const { processor } = this.#deps;
    return typeof processor === "function" ? checkMade(processor(this.#lease)) : processor;
  }

  async #tellLost(reason: LostReason): Promise<void> {
    // The end may have been found in the middle of anybody's question about the time left: not on their stack.
    await Promise.resolve();
    const processor = this.#processor;
    if (processor?.leaseLost === undefined) return;
    const result = await this.#calls.callBeside(() => {
      this.journal.lostTold(reason);
      return processor.leaseLost?.(reason, this.#lease);
    });
    if (!result.ok) this.journal.processorFailed("leaseLost", result.error);
  }

  async #callInSlot(pause: AbortSignal, call: () => unknown): Promise<CallResult | undefined> {
    this.journal.state = "queued";
    this.watchdog.enter("slot");
    const ticket = this.#deps.slots.run(
      () => this.#mayStart(),
      async () => {
        this.#inSlot = true;
        const result = await this.#calls.call(call);
        this.#inSlot = false;
        return result;
      },
    );
    const cancel = (): void => {
      ticket.cancel();
    };
    if (pause.aborted) cancel();
    pause.addEventListener("abort", cancel, { once: true });
    try {
      return await ticket.ended;
    } finally {
      pause.removeEventListener("abort", cancel);
      if (this.watchdog.phase === "slot") this.watchdog.enter("idle");
    }
  }

  // The time left is computed now: it does not depend on a timer or an abort having come through before.
  #mayStart(): boolean {
    return this.#tenure.remainingMs() > 0 && !this.#tenure.unsettled;
  }

  #expired(phase: Exclude<Phase, "idle">): number | undefined {
    switch (phase) {
      case "call":
        this.#calls.timedOut();
        return undefined;
      case "grace":
        this.#calls.graceOver();
        return undefined;
      case "fetch":
        return this.#silent();
      case "slot":
      case "predecessor":
        this.journal.note(
          phase,
          new LeaseholdError(
            "processor-stuck",
            phase === "slot"
              ? "no processing slot became free in processingTimeoutMs; raise maxConcurrentBatches or shorten the work"
              : "a call of an earlier tenure has not returned within abortGraceMs of its end; obey lease.signal",
            { retryable: true },
          ),
        );
        this.#hooks.giveUp("stuck");
        return undefined;
    }
  }

  #silent(): number | undefined {
    const verdict = this.#silence.look(this.watchdog.sinceMs);
    if (verdict !== "wait" && !this.journal.silent) {
      this.journal.silent = true;
      this.journal.sourceFailed(
        new LeaseholdError(
          "source-unavailable",
          `the source has not answered for ${String(this.#deps.config.sourceSilenceMs)} ms`,
          { retryable: true },
        ),
      );
    }
    if (verdict !== "give-up") return this.#silence.nextLookMs;
    this.#hooks.giveUp("silent");
    return undefined;
  }

  #onStuck(told: boolean): void {
    if (!told) this.journal.processorStuck();
    this.#slotStuck = this.#inSlot;
    if (this.#slotStuck) this.#deps.slots.markStuck(true);
    if (!this.#tenure.ended) this.#hooks.giveUp("stuck");
  }

  #onReturned(): void {
    if (this.#slotStuck) this.#deps.slots.markStuck(false);
    this.#slotStuck = false;
    this.journal.stuckReturned();
  }
}
