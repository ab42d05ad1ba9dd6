import { LeaseholdError } from "../model/errors.js";
import { isFinished } from "../model/position.js";
import type { EndReason } from "../model/reasons.js";
import { sleep } from "../runtime/clock.js";
import type { SourcePartition } from "../source/partition-source.js";
import type { DrainResult } from "../tenure/partition-host.js";
import type { Tenure } from "../tenure/tenure.js";
import { Throughput } from "./averages.js";
import type { FetchedRecords } from "./batch.js";
import { Checkpointer } from "./checkpointer.js";
import { Drain } from "./drain.js";
import { FailurePolicy } from "./failure-policy.js";
import { Fetcher } from "./fetcher.js";
import type { Journal } from "./journal.js";
import type { StopReason } from "./processor.js";
import { Recovery } from "./recovery.js";
import type { RunnerDeps } from "./runner-deps.js";
import { Session } from "./session.js";
import { UserCode } from "./user-code.js";
import { unlessAborted, untilAborted } from "./waiting.js";

/** A write of unknown outcome tells nobody when it is settled. */
const unsettledPollMs = 50;

/**
 * The work of one tenure: one thing after another, each begun only after a look at the lease. A drain and the tenure's
 * end interrupt what waits, never a call into the user's code: that is told by its signal.
 */
export class PartitionRunner {
  readonly tenure: Tenure;
  /** Resolves when nothing of it runs any more: every call into the user's code has returned. */
  readonly done: Promise<void>;
  readonly #deps: RunnerDeps;
  readonly #user: UserCode;
  readonly #recovery: Recovery;
  readonly #throughput: Throughput;
  /** The work of earlier tenures of the lease; undefined once all of it has returned. */
  #predecessor: Promise<void> | undefined;
  #session: Session | undefined;
  #drain: Drain | undefined;
  /** Aborted while nothing new may begin. */
  #pause = new AbortController();
  #releasing = false;
  /** When the source last answered, or was last not asked. */
  #notSilentAtMs: number | undefined;
  #lost: Promise<void> | undefined;

  /** @param predecessor the work of an earlier tenure of the same lease: nothing begins before it has returned */
  constructor(tenure: Tenure, deps: RunnerDeps, workerId: string, predecessor: Promise<void> | undefined) {
    this.tenure = tenure;
    this.#deps = deps;
    this.#predecessor = predecessor;
    this.#throughput = new Throughput(tenure.row.throughputKBps, deps.clock.monoMs());
    this.#user = new UserCode(tenure, deps, workerId, {
      notSilentAtMs: () => this.#notSilentAtMs,
      giveUp: (reason) => void this.#release(reason),
    });
    const policy = new FailurePolicy(deps.processing, deps.random);
    this.#recovery = new Recovery(tenure.leaseKey, deps.clock, policy, this.#user.journal, () => {
      void this.#release("failed");
    });
    if (tenure.ended) this.#tenureEnded();
    else tenure.signal.addEventListener("abort", this.#tenureEnded, { once: true });
    this.done = this.#run();
  }

  /** Whether a call was given up and has not returned. */
  get stuck(): boolean {
    return this.#user.stuck;
  }

  /** Whether a call into the user's code is under way. */
  get busy(): boolean {
    return this.#user.outstanding > 0;
  }

  get journal(): Journal {
    return this.#user.journal;
  }

  drain(reason: StopReason, withinMs: number): Promise<DrainResult> {
    const before = this.#drain;
    if (this.tenure.ended || before?.settled === "drained") return Promise.resolve("drained");
    const drain = new Drain(this.#deps.clock, reason, withinMs, (late) => {
      this.#drainIsLate(late);
    });
    this.#drain = drain;
    this.#pause.abort();
    before?.callOff();
    return drain.result;
  }

  async #run(): Promise<void> {
    try {
      while (await this.#rest()) await this.#step();
    } catch (error) {
      // A bug of this package: another worker may fare better, and nobody is to hold a lease that nobody works.
      this.#user.journal.processorFailed("runner", error);
    }
    if (!this.tenure.ended) await this.#release("failed");
    await this.#lost;
  }

  readonly #tenureEnded = (): void => {
    this.#pause.abort();
    this.#drain?.settle(this.tenure.endReason === "partition-ended" ? "drained" : "not-drained");
    this.#drain?.callOff();
    this.#session?.close();
    this.#lost = this.#user.tenureEnded();
  };

  /** Stands still while the partition is drained. @returns whether there is work: false after the tenure's end */
  async #rest(): Promise<boolean> {
    for (;;) {
      if (this.tenure.ended) return false;
      if (this.#releasing) {
        await untilAborted(this.tenure.signal);
        continue;
      }
      const drain = this.#drain;
      if (drain === undefined || isFinished(this.tenure.row.checkpoint)) return true;
      if (drain.settled === undefined) await this.#comeToRest(drain);
      else await untilAborted(drain.calledOff);
    }
  }

  async #comeToRest(drain: Drain): Promise<void> {
    const { journal } = this.#user;
    const session = this.#session;
    journal.state = "draining";
    // Given away before, the lease would be worked by its next owner beside an earlier tenure's call that still runs here.
    if (this.#predecessor !== undefined) await this.#awaitPredecessor(this.#predecessor, drain.calledOff);
    if (drain.isCalledOff()) return;
    if (session?.initialized === true) {
      const written = await this.#lastCheckpoint(session, drain);
      if (drain.isCalledOff()) return;
      session.stopTold ||= await this.#user.stopRequested(drain.reason, session.checkpointer);
      if (drain.isCalledOff()) return;
      if (!written && !(await this.#lastCheckpoint(session, drain))) drain.settle("not-drained");
      if (drain.isCalledOff()) return;
    }
    drain.settle("drained");
    journal.state = "drained";
    if (drain.settled === "drained") journal.drained(drain.reason);
  }

  async #lastCheckpoint(session: Session, drain: Drain): Promise<boolean> {
    try {
      await session.checkpointer.flush();
      return true;
    } catch (error) {
      this.#user.journal.note("checkpoint", error);
      // Without it a planned move would only redeliver: the lease stays, and the work goes on.
      if (drain.reason === "handoff") {
        session.checkpointer.retryLater();
        this.#goOn(drain);
      }
      return false;
    }
  }

  #drainIsLate(drain: Drain): void {
    if (drain.reason === "handoff") {
      this.#goOn(drain);
      return;
    }
    drain.settle("not-drained");
    this.#user.breakOff(
      new LeaseholdError(
        "worker-stopped",
        `lease ${this.tenure.leaseKey}: the worker stops and its time for work in flight is over; break off, the batch is redelivered`,
      ),
    );
  }

  #goOn(drain: Drain): void {
    drain.callOff();
    if (this.#drain !== drain || this.tenure.ended) return;
    this.#drain = undefined;
    this.#pause = new AbortController();
  }

  /** Does the next thing, or waits for what stands in its way. */
  async #step(): Promise<void> {
    const { clock } = this.#deps;
    const { journal } = this.#user;
    const pause = this.#pause.signal;
    const remainingMs = this.tenure.remainingMs();
    // What is opened after the end would never be closed.
    if (this.tenure.ended) return;
    if (isFinished(this.tenure.row.checkpoint)) return this.#finish();
    if (this.#predecessor !== undefined) return this.#awaitPredecessor(this.#predecessor, pause);
    if (this.#recovery.standsStill) {
      journal.state = "failed";
      return untilAborted(pause);
    }
    if (this.#recovery.leftMs > 0) {
      journal.state = "backing-off";
      return sleep(clock, this.#recovery.leftMs, pause);
    }
    if (this.tenure.unsettled || remainingMs <= 0) {
      journal.state = "waiting";
      return sleep(clock, unsettledPollMs, pause);
    }
    // It was asked to stop and is to go on after all: nobody knows what it has thrown away.
    if (this.#session?.stopTold === true) {
      this.#session.close();
      this.#session = undefined;
    }
    const session = (this.#session ??= this.#newSession());
    if (!session.initialized) return this.#initialize(session, pause);
    if (session.current === undefined) return this.#fetch(session, pause);
    if (session.current.kind === "ended") return this.#end(session, session.current.children, pause);
    return this.#deliver(session, session.current, pause);
  }

  async #awaitPredecessor(predecessor: Promise<void>, pause: AbortSignal): Promise<void> {
    this.#user.watchdog.enter("predecessor");
    const gone = predecessor.then(() => (this.#predecessor = undefined));
    await unlessAborted(gone, pause);
    this.#user.watchdog.enter("idle");
  }

  #newSession(): Session {
    const { clock, config, processing } = this.#deps;
    const checkpointer = new Checkpointer(this.tenure, {
      clock,
      automatic: processing.checkpointing === "automatic",
      intervalMs: config.checkpointIntervalMs,
      extra: () => this.#throughput.extra(clock.monoMs()),
      onError: (error) => {
        this.#user.journal.note("checkpoint", error);
      },
    });
    return new Session(this.tenure, checkpointer);
  }

  async #initialize(session: Session, pause: AbortSignal): Promise<void> {
    const result = await this.#user.initialize(pause);
    if (result === undefined || this.tenure.ended) return;
    if (result.ok) session.initialized = true;
    this.#recovery.called(result, result.callback);
  }

  async #fetch(session: Session, pause: AbortSignal): Promise<void> {
    const { journal, watchdog } = this.#user;
    journal.state = "fetching";
    watchdog.enter("fetch");
    try {
      session.fetcher ??= new Fetcher(this.#deps.source, {
        partitionKey: this.tenure.leaseKey,
        checkpoint: session.checkpointer.reached,
        tenure: this.tenure,
        onError: (error) => {
          if (!this.tenure.ended) journal.sourceFailed(error);
        },
        onAnswer: () => {
          this.#notSilentAtMs = this.#deps.clock.monoMs();
          this.#deps.answers.note(this.tenure.leaseKey);
          journal.sourceAnswered();
        },
        onHeldUp: () => {
          this.#notSilentAtMs = this.#deps.clock.monoMs();
        },
      });
      session.current = await session.fetcher.fetch(pause);
      if (session.current !== undefined) this.#recovery.fetched();
    } catch (error) {
      session.fetcher?.close();
      session.fetcher = undefined;
      if (!this.tenure.ended) this.#recovery.readerFailed(error);
    } finally {
      watchdog.enter("idle");
    }
  }

  async #deliver(session: Session, fetched: FetchedRecords, pause: AbortSignal): Promise<void> {
    const left = session.left(fetched);
    if (left === undefined) return this.#complete(session, fetched, 0, 0);
    const startMs = (): number => this.#deps.clock.monoMs();
    let startedMs = 0;
    const result = await this.#user.process(pause, fetched, () => {
      startedMs = startMs();
      return session.handOver(fetched, left.records());
    });
    if (result === undefined) {
      if (this.tenure.ended) this.#user.journal.batchDropped(left.count);
    } else if (this.tenure.ended) this.#user.journal.batchReturned();
    else if (result.ok) return this.#complete(session, fetched, left.count, startMs() - startedMs);
    else this.#recovery.called(result, "process");
  }

  async #complete(session: Session, fetched: FetchedRecords, records: number, tookMs: number): Promise<void> {
    this.#throughput.add(fetched, this.#deps.clock.monoMs());
    session.complete(fetched);
    this.#user.journal.batchFinished(fetched, records, tookMs);
    session.fetcher?.done();
    if (this.#deps.config.checkpointIntervalMs > 0) return;
    try {
      await session.checkpointer.flush();
    } catch (error) {
      this.#user.journal.note("checkpoint", error);
      session.checkpointer.retryLater();
    }
  }

  async #end(session: Session, children: readonly SourcePartition[], pause: AbortSignal): Promise<void> {
    const { journal } = this.#user;
    journal.state = "ending";
    if (!session.childrenCreated) {
      try {
        await this.#deps.partitionEnd.createChildren(this.tenure, children);
        session.childrenCreated = true;
      } catch (error) {
        this.#recovery.childrenFailed(error);
      }
      return;
    }
    const keys = children.map((child) => child.partitionKey);
    const result = await this.#user.partitionEnded(pause, keys, session.checkpointer);
    if (isFinished(this.tenure.row.checkpoint)) {
      // Written is written: what the callback threw after it is reported, and changes nothing.
      if (result?.ok === false) journal.processorFailed("partitionEnded", result.error);
      journal.partitionEnded(keys);
    } else if (result !== undefined && !this.tenure.ended) {
      this.#recovery.called(result, "partitionEnded");
    }
  }

  async #finish(): Promise<void> {
    await this.#release("partition-ended");
    try {
      await this.#deps.partitionEnd.finished(this.tenure);
    } catch (error) {
      this.#user.journal.childrenFailed(error);
    }
  }

  async #release(reason: EndReason): Promise<void> {
    // What is being given up is not worked on while the write is under way.
    this.#releasing = true;
    this.#pause.abort();
    try {
      await this.tenure.release(reason);
    } catch (error) {
      this.#user.journal.note("release", error);
    }
    this.tenure.end(reason);
  }
}
