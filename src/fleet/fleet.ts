import { LeaseholdError, StoreError } from "../model/errors.js";
import { checkMeta } from "../model/format.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import { formatNumber, livenessModes, type WorkerIdentity, type WorkerStatus } from "../model/worker-row.js";
import {
  answerOf,
  attempts,
  remedies,
  type AttemptOptions,
  type AttemptsResult,
} from "../runtime/attempts.js";
import { sleep, wallTime } from "../runtime/clock.js";
import { jitter } from "../runtime/random.js";
import type { LeaseScan } from "../store/lease-reader.js";
import type { FleetDeps } from "./fleet-deps.js";
import { Incarnation } from "./incarnation.js";
import { KclWatch } from "./kcl-watch.js";

const newcomer: WorkerStatus = {
  draining: false,
  joining: true,
  blind: false,
  leases: 0,
  weight: 0,
  utilisation: 0,
  unfit: [],
  failing: [],
};

/** An id so rarely taken that three in a row mean something else is wrong. */
const creations = 3;

/** Requests for a row without an answer and without a row: so many fit into D, each under an id of its own. */
const mostUnanswered = 5;

/** Workers that were fenced before their first beat are followed by the next after at most this long, ms. */
const longestRejoinMs = 5 * 60_000;

/**
 * A process's place in the fleet: one worker after another, since a fenced worker never beats again and the process
 * rejoins as a new one.
 */
export class Fleet {
  readonly #deps: FleetDeps;
  #current: Incarnation | undefined;
  #stopping = false;
  readonly #halt = new AbortController();
  #ended: Promise<void> | undefined;
  /** `meta.joins` at the first worker's creation. A process that comes back after a fence has deployed nothing new. */
  #firstJoin = 0;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** The present worker; undefined before the first. */
  get current(): Incarnation | undefined {
    return this.#current;
  }

  /**
   * Creates the first worker and starts it.
   * @throws LeaseholdError `table-mismatch`, `kcl-alive`, StoreError
   */
  async start(): Promise<void> {
    const first = await this.#create();
    this.#ended = this.#live(first);
    // Who waits for the end hears of it; nobody waiting is no unhandled rejection.
    this.#ended.catch(() => undefined);
  }

  /** Resolves when it was stopped; rejects when it cannot go on. */
  get ended(): Promise<void> {
    return this.#ended ?? Promise.resolve();
  }

  /** A clean stop. A second call does nothing more; `hurry` ends the wait. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#halt.abort();
    this.#current?.leave();
    await this.ended;
  }

  hurry(): void {
    this.#current?.hurry();
  }

  async #live(first: Incarnation): Promise<void> {
    const { clock, random, config } = this.#deps;
    let incarnation = first;
    let beatless = 0;
    for (;;) {
      this.#current = incarnation;
      incarnation.start();
      if (this.#stopping) incarnation.leave();
      const outcome = await incarnation.ended;
      if (outcome.reason === "table-missing" || outcome.reason === "failed") {
        throw outcome.error instanceof Error ? outcome.error : new Error(outcome.reason);
      }
      if (this.#stopping || outcome.reason === "left") return;
      // A permission withdrawn, say: each further life costs a row that others have to read until it is collected.
      beatless = incarnation.belief.hasBegun ? 0 : beatless + 1;
      if (beatless > 0) {
        const waitMs = Math.min(longestRejoinMs, config.leaseDurationMs * 2 ** (beatless - 1));
        await sleep(clock, jitter(random, waitMs, 0.5, 1), this.#halt.signal);
      }
      const next = await this.#rejoin();
      if (next === undefined) return;
      incarnation = next;
    }
  }

  /** A fenced process comes back as a new worker, however long the store takes to let it. */
  async #rejoin(): Promise<Incarnation | undefined> {
    const { clock, random, config, emit } = this.#deps;
    while (!this.#halt.signal.aborted) {
      try {
        return await this.#create();
      } catch (error) {
        if (this.#stopping) return undefined;
        const passing = error instanceof StoreError && error.code !== "table-missing";
        if (!passing) throw error;
        const workerId = this.#current?.workerId ?? this.#deps.label;
        emit({ type: "store-failed", workerId, operation: "rejoin", error: error.message });
      }
      await sleep(clock, jitter(random, config.heartbeatIntervalMs, 0.5, 1), this.#halt.signal);
    }
    return undefined;
  }

  /** Joins `meta`, looks for a Java KCL fleet, announces a new id and creates its row. Creation is no beat. */
  async #create(): Promise<Incarnation> {
    const { clock, random, config, emit, machine, announce, label, deployment } = this.#deps;
    // Both at once: on a table without rows of a KCL's the look costs no time of its own.
    const [joined, { result, sentAt, answeredAt }] = await Promise.all([this.#join(), this.#firstScan()]);
    const watch = new KclWatch(this.#deps, this.#current?.workerId ?? label, this.#halt.signal);
    const look = await watch.settle({ scan: answered(result), sentAt, answeredAt }, joined.kclNote);
    let { joinedAt } = joined;
    let unanswered = 0;
    for (let tries = 0; tries < creations;) {
      const workerId = `${label}-${random.id().slice(0, 12)}`;
      await this.#unlessHalted(announce(workerId));
      if (this.#ageMs(joinedAt) >= config.leaseDurationMs / 2) ({ joinedAt } = await this.#join());
      const identity: WorkerIdentity = {
        workerId,
        join: this.#firstJoin,
        maxConcurrentBatches: config.maxConcurrentBatches,
        readsFormat: formatNumber,
        host: machine.host,
        pid: machine.pid,
        startedAt: wallTime(clock),
        ...(deployment === undefined ? {} : { deployment }),
        ...(config.maxLeases === undefined ? {} : { maxLeases: config.maxLeases }),
      };
      const made = await this.#createRow(identity, unanswered + 1 < mostUnanswered);
      if (made === "unknown") unanswered += 1;
      // Counted as joined and without a row for so long, it may have been overlooked when the format was raised
      // (`format-raise.ts`): its row is left to be fenced, and it joins again.
      if (this.#ageMs(joinedAt) >= config.leaseDurationMs) continue;
      if (made === "taken") tries += 1;
      if (made !== "ours") continue;
      emit({ type: "worker-created", workerId });
      return new Incarnation(this.#deps, workerId, look);
    }
    throw new LeaseholdError(
      "store-rejected",
      `no worker row could be created: ${String(creations)} new ids in a row were taken; look at the fleet table's rows named ${label}-…`,
    );
  }

  /**
   * One request for one id, as far as it may have been applied. Repeated under the same id, the late one of two could make
   * the row again after it was fenced and deleted by hand: then a worker beats of which others know that it is fenced.
   * @returns "unknown": it was not answered, and the row is not there yet
   * @throws StoreError where no other may be tried after one like that
   */
  async #createRow(identity: WorkerIdentity, mayTryAnother: boolean): Promise<"ours" | "taken" | "unknown"> {
    const { store, clock, random } = this.#deps;
    let sent = false;
    const created = await attempts(
      clock,
      random,
      {
        ...this.#options(`create the row of ${identity.workerId}`),
        mayTry: () => !sent,
        onError: (error) => (sent ||= error instanceof StoreError && error.ambiguous),
      },
      ({ signal }) => store.membership.create(identity, newcomer, { signal }),
    );
    if (created.ok) return created.value.ok ? "ours" : "taken";
    if (!created.ambiguous) throw created.error;
    const options = this.#options(`read the row of ${identity.workerId}`);
    const row = await answerOf(clock, random, options, ({ signal }) =>
      store.membership.readWorker(identity.workerId, { consistent: true, signal }),
    );
    if (row === undefined) {
      if (mayTryAnother) return "unknown";
      throw created.error;
    }
    // An unbeaten, unfenced row of our own random id is our own.
    return row.beat === 0 && row.fencedBy === undefined ? "ours" : "taken";
  }

  /** No error is thrown here: the join beside it is waited for all the same. */
  async #firstScan(): Promise<{
    readonly result: AttemptsResult<LeaseScan>;
    readonly sentAt: Reading;
    readonly answeredAt: Reading;
  }> {
    const { store, clock, random, config } = this.#deps;
    const sentAt = clock.now();
    const options = { ...this.#options("scan the leases"), attemptTimeoutMs: config.leaseDurationMs };
    const result = await attempts(clock, random, options, ({ signal }) =>
      store.leases.scan({ consistent: false, signal }),
    );
    return { result, sentAt, answeredAt: clock.now() };
  }

  /** Counts itself in `meta`, and checks what the tables are. @returns when that was sent, and what a KCL left */
  async #join(): Promise<{ readonly joinedAt: Reading; readonly kclNote: string }> {
    const { store, clock, random } = this.#deps;
    const mode = livenessModes[0];
    const joinedAt = clock.now();
    const meta = await answerOf(clock, random, this.#options("join the fleet"), ({ signal }) =>
      store.membership.join(mode, formatNumber, { signal }),
    );
    checkMeta(meta, mode);
    if (this.#firstJoin === 0) this.#firstJoin = meta.joins;
    return { joinedAt, kclNote: meta.kclNote ?? "" };
  }

  #ageMs(since: Reading): number {
    return holderElapsedMs(since, this.#deps.clock.now());
  }

  /** What somebody else has to answer must not hold a stop up. */
  async #unlessHalted(answer: Promise<void>): Promise<void> {
    const { signal } = this.#halt;
    const halted = new Promise<never>((_, reject) => {
      const stop = (): void => {
        reject(new LeaseholdError("worker-stopped", "the worker was stopped before its row was created"));
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
    // Whichever loses the race is nobody's error.
    halted.catch(() => undefined);
    await Promise.race([answer, halted]);
  }

  #options(call: string): AttemptOptions {
    const { attemptTimeoutMs, leaseDurationMs } = this.#deps.config;
    const unanswered = { call, remedy: remedies.worker };
    return { attemptTimeoutMs, withinMs: leaseDurationMs, signal: this.#halt.signal, unanswered };
  }
}

function answered<T>(result: AttemptsResult<T>): T {
  if (result.ok) return result.value;
  throw result.error;
}
