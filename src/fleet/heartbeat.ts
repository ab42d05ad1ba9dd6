import { holderElapsedMs, type Reading } from "../model/reading.js";
import { tombstoneBeat, type WorkerRow, type WorkerStatus } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { sleep } from "../runtime/clock.js";
import { jitter } from "../runtime/random.js";
import type { WriteOutcome } from "../store/call.js";
import type { FleetDeps } from "./fleet-deps.js";
import { Wakeup } from "./wakeup.js";

/** What the heartbeat needs of the incarnation that it vouches for. */
export interface HeartbeatHooks {
  status(): WorkerStatus;
  /** Keys of mailbox entries that were answered, to be removed by the next beat. */
  answeredMail(): readonly string[];
  /** How many rounds the control loop has ended. */
  rounds(): number;
  /** An acknowledgement: the belief is extended before anything else looks at the row. */
  acknowledged(row: WorkerRow, sentAt: Reading): void;
  /** The row is fenced, gone or a tombstone: this worker has ended. */
  ended(row: WorkerRow | undefined): void;
  failed(error: unknown): void;
}

/** An early beat waits so long for others that are wanted at the same time. */
const gatherMs = 50;
/**
 * A refused beat rests no longer than this part of h before its next try. A belief has room for few rests of a second: a
 * store that refuses half of all calls, or is back after half a lease, would end one that a try in time could have kept.
 */
const retriesAnInterval = 4;

/**
 * The beat: a loop of its own on the event loop that runs the processors, awaiting nothing but its own single write.
 *
 * It vouches for the worker's own loops: when the control loop has ended no round across the last ⌈D/h⌉ + 1 acknowledged
 * beats, none is sent. One beat is in flight at a time. A beat is repeated until it has an outcome, and counts from the
 * send time of its FIRST attempt however many there were.
 */
export class Heartbeat {
  readonly #deps: FleetDeps;
  readonly #workerId: string;
  readonly #hooks: HeartbeatHooks;
  readonly #stopping = new AbortController();
  readonly #early: Wakeup;
  #beat = 0;
  #beatsWithoutRound = 0;
  #roundsSeen = 0;
  /** When the first attempt of the beat under way was sent: kept over all its repeats. */
  #pendingSince: Reading | undefined;
  #ackWaiters: (() => void)[] = [];
  /** The last acknowledgement came more than a rest after its beat was first sent. */
  #cameLate = false;

  constructor(deps: FleetDeps, workerId: string, hooks: HeartbeatHooks) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#hooks = hooks;
    this.#early = new Wakeup(deps.clock);
  }

  /** The last acknowledged beat. */
  get beat(): number {
    return this.#beat;
  }

  /** Beats until stopped or ended; the first one at once. */
  async run(): Promise<void> {
    const { clock, random, config } = this.#deps;
    while (!this.#stopping.signal.aborted) {
      if (this.#vouched()) {
        const outcome = await this.#oneBeat();
        if (outcome === "ended") return;
        // The belief rests on the first attempt: after a beat that was long under way little of it is left, or nothing, and
        // a beat sent now is worth more than a rest.
        if (outcome === "acknowledged" && this.#cameLate) continue;
      } else {
        this.#deps.emit({ type: "beat-withheld", workerId: this.#workerId });
      }
      await this.#early.wait(jitter(random, config.heartbeatIntervalMs, 0.9, 1), this.#stopping.signal);
      if (!this.#early.take()) continue;
      await sleep(clock, gatherMs, this.#stopping.signal);
      // Whoever asked while it waited is served by the beat that comes now.
      this.#early.take();
    }
  }

  /** Wants a beat soon: something in the row is to change, or an answer is waiting. */
  hurry(): void {
    this.#early.wake();
  }

  /** Resolves with the next acknowledgement of a beat sent from now on, or when the heartbeat stops. */
  nextAcknowledgement(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stopping.signal.aborted) resolve();
      else this.#ackWaiters.push(resolve);
    });
  }

  /** Sends nothing more from now on; an attempt under way is given up. */
  stop(): void {
    this.#stopping.abort();
    this.#tellWaiters();
  }

  #vouched(): boolean {
    const { leaseDurationMs, heartbeatIntervalMs } = this.#deps.config;
    const rounds = this.#hooks.rounds();
    if (rounds !== this.#roundsSeen) {
      this.#roundsSeen = rounds;
      this.#beatsWithoutRound = 0;
    }
    return this.#beatsWithoutRound < Math.ceil(leaseDurationMs / heartbeatIntervalMs) + 1;
  }

  /**
   * One call of many attempts for the beat after the last acknowledged one.
   * @returns how it ended; after "again" the same beat is tried later, and still counts from its very first attempt
   */
  async #oneBeat(): Promise<"acknowledged" | "ended" | "again"> {
    const { clock, random, config, emit, store } = this.#deps;
    const beat = this.#beat;
    // Taken now, so that only an acknowledgement of a beat sent later satisfies who asks after this.
    const waiters = this.#ackWaiters;
    this.#ackWaiters = [];
    const result = await attempts(
      clock,
      random,
      {
        attemptTimeoutMs: config.attemptTimeoutMs,
        withinMs: config.leaseDurationMs,
        longestBackOffMs: config.heartbeatIntervalMs / retriesAnInterval,
        signal: this.#stopping.signal,
        mayTry: () => this.#vouched(),
        onError: (error) => {
          // An attempt given up by the stop is no failure of the store.
          if (!this.#stopping.signal.aborted) this.#hooks.failed(error);
        },
      },
      ({ number, signal }) => {
        this.#pendingSince ??= clock.now();
        const status = this.#hooks.status();
        const planner = status.planner === undefined ? {} : { planner: status.planner };
        emit({ type: "beat-sent", workerId: this.#workerId, beat: beat + 1, attempt: number, ...planner });
        return store.membership.beat(
          {
            workerId: this.#workerId,
            beat,
            status,
            removeMail: this.#hooks.answeredMail(),
          },
          { signal },
        );
      },
    );
    const outcome = result.ok
      ? await this.#outcome(result.value, beat, this.#pendingSince ?? result.firstSentAt)
      : "again";
    if (outcome === "again" && !this.#stopping.signal.aborted) this.#ackWaiters.unshift(...waiters);
    else for (const tell of waiters) tell();
    return outcome;
  }

  async #outcome(
    outcome: WriteOutcome<WorkerRow>,
    beat: number,
    sentAt: Reading,
  ): Promise<"acknowledged" | "ended" | "again"> {
    if (this.#stopping.signal.aborted) return "ended";
    let row = outcome.ok ? outcome.row : outcome.current;
    if (row === undefined) {
      // Only a consistent read may say that the row is gone.
      const read = await attempts(
        this.#deps.clock,
        this.#deps.random,
        { attemptTimeoutMs: this.#deps.config.attemptTimeoutMs, withinMs: this.#deps.config.leaseDurationMs },
        ({ signal }) => this.#deps.store.membership.readWorker(this.#workerId, { consistent: true, signal }),
      );
      if (!read.ok) return "again";
      row = read.value;
    }
    if (row === undefined || row.fencedBy !== undefined || row.beat === tombstoneBeat) {
      this.stop();
      this.#hooks.ended(row);
      return "ended";
    }
    // Refused, yet our own number and no fence: an earlier attempt of this very beat was applied.
    if (row.beat !== beat + 1) return "again";
    this.#beat = beat + 1;
    this.#pendingSince = undefined;
    const { clock, config } = this.#deps;
    this.#cameLate = holderElapsedMs(sentAt, clock.now()) > config.heartbeatIntervalMs;
    this.#beatsWithoutRound += 1;
    this.#hooks.acknowledged(row, sentAt);
    return "acknowledged";
  }

  #tellWaiters(): void {
    const waiters = this.#ackWaiters;
    this.#ackWaiters = [];
    for (const tell of waiters) tell();
  }
}
