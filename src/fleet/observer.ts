import {
  beatAcknowledged,
  noBeats,
  observe,
  verdict,
  type Observation,
  type OwnBeats,
} from "../model/expiry.js";
import { holderElapsedMs, observerElapsedMs, type Reading } from "../model/reading.js";
import type { WorkerRow } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { Cancel } from "../runtime/clock.js";
import type { FleetDeps } from "./fleet-deps.js";
import type { Tasks } from "./tasks.js";

export interface ObserverHooks {
  /** A row that a write or a look of the observer's own returned. */
  seen(row: WorkerRow): void;
  /** A worker was fenced by this observer. */
  fenced(row: WorkerRow): void;
}

/**
 * Watches the other workers' beats and fences who has fallen silent. All it knows of time is its own: from the receipt of
 * the answer that first showed a beat to now, and only time in which it could also have beaten itself.
 */
export class Observer {
  readonly #deps: FleetDeps;
  readonly #workerId: string;
  readonly #tasks: Tasks;
  readonly #hooks: ObserverHooks;
  readonly #observations = new Map<string, Observation>();
  /** Whose fence was sent and has no outcome yet: a read of the row may bring it before the answer does. */
  readonly #unanswered = new Set<string>();
  #own: OwnBeats = noBeats;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(deps: FleetDeps, workerId: string, tasks: Tasks, hooks: ObserverHooks) {
    this.#deps = deps;
    this.#workerId = workerId;
    this.#tasks = tasks;
    this.#hooks = hooks;
  }

  /** One of our own beats was acknowledged. */
  beatAcknowledged(): void {
    this.#own = beatAcknowledged(this.#own, this.#deps.clock.now(), this.#deps.config.blindGapMs);
  }

  /**
   * A read of the fleet, received at `at`. Only a read of the very row counts for it: the time in which it was not read
   * is no time of silence, and a row of another observer's that comes to this one is counted from its first read here.
   * @param asked whose rows were asked for; undefined where all were
   */
  read(rows: readonly WorkerRow[], at: Reading, asked?: ReadonlySet<string>): void {
    const known = new Set<string>();
    for (const row of rows) {
      if (row.workerId === this.#workerId) continue;
      if (row.fencedBy !== undefined) {
        this.#sawFence(row);
        continue;
      }
      known.add(row.workerId);
      this.#look(row, at);
    }
    for (const [workerId, { lastReadAt }] of this.#observations) {
      if (known.has(workerId)) continue;
      const isRead = asked === undefined || asked.has(workerId);
      // Not observed here any more. A new planner, or whoever reads all again soon, goes on with the timers it had.
      const isOld = holderElapsedMs(lastReadAt, at) > this.#deps.config.blindGapMs;
      if (isRead || isOld) this.#observations.delete(workerId);
    }
    this.#act();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #look(row: WorkerRow, at: Reading): void {
    const { blindGapMs } = this.#deps.config;
    const before = this.#observations.get(row.workerId);
    this.#observations.set(row.workerId, observe(before, row.beat, at, this.#own, blindGapMs));
  }

  #verdict(workerId: string): ReturnType<typeof verdict> {
    const observation = this.#observations.get(workerId);
    if (observation === undefined || this.#stopped) return { kind: "not-counting" };
    return verdict(observation, this.#own, this.#deps.clock.now(), this.#deps.config);
  }

  /** Fences who is silent, and sets one timer for who will be next: a timer at o + T does not wait for the next read. */
  #act(): void {
    let nextMs = Infinity;
    for (const workerId of this.#observations.keys()) {
      const found = this.#verdict(workerId);
      if (found.kind === "silent") this.#tasks.start(`fence ${workerId}`, () => this.#fence(workerId));
      else if (found.kind === "counting") nextMs = Math.min(nextMs, found.leftMs);
    }
    if (this.#stopped || this.#cancel !== undefined || nextMs === Infinity) return;
    // Timers cost: one for all rows, looking again at what is due when it fires, never moved with every beat.
    this.#cancel = this.#deps.clock.setTimer(Math.ceil(nextMs), () => {
      this.#cancel = undefined;
      this.#act();
    });
  }

  /** Looks once more, then fences under exactly the beat that was silent. A refusal starts over with the newer row. */
  async #fence(workerId: string): Promise<void> {
    const { clock, random, config, store, emit } = this.#deps;
    const options = { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs };
    const isSilent = (): boolean => this.#verdict(workerId).kind === "silent";
    const look = await attempts(clock, random, { ...options, mayTry: isSilent }, ({ signal }) =>
      store.membership.readWorker(workerId, { consistent: false, signal }),
    );
    if (look.ok && look.value !== undefined) {
      this.#look(look.value, clock.now());
      this.#hooks.seen(look.value);
    }
    const silent = this.#verdict(workerId);
    if (silent.kind !== "silent") return;
    const result = await attempts(
      clock,
      random,
      {
        ...options,
        // Before every single attempt: repeated fences land when writes return, before the beats do.
        mayTry: isSilent,
        onError: (error) => {
          this.#tasks.failed("fence", error);
        },
      },
      ({ signal }) => {
        this.#unanswered.add(workerId);
        const silentMs = this.#silentMs(workerId);
        emit({ type: "fence-sent", workerId: this.#workerId, victim: workerId, beat: silent.beat, silentMs });
        return store.membership.fence(workerId, this.#workerId, silent.beat, { signal });
      },
    );
    if (!result.ok || this.#stopped) return;
    const row = result.value.ok ? result.value.row : result.value.current;
    if (row === undefined) {
      this.#unanswered.delete(workerId);
      this.#observations.delete(workerId);
      return;
    }
    if (row.fencedBy === undefined) {
      this.#unanswered.delete(workerId);
      emit({ type: "fence-refused", workerId: this.#workerId, victim: workerId });
      this.#look(row, clock.now());
      this.#hooks.seen(row);
      return;
    }
    this.#observations.delete(workerId);
    this.#sawFence(row);
    if (row.fencedBy !== this.#workerId) this.#hooks.seen(row);
  }

  #silentMs(workerId: string): number {
    const from = this.#observations.get(workerId)?.countFrom;
    return from === undefined ? 0 : observerElapsedMs(from, this.#deps.clock.now());
  }

  /** A fence of our own is told of once, by its answer or by the first read that shows it. */
  #sawFence(row: WorkerRow): void {
    const { workerId: victim, beat } = row;
    if (!this.#unanswered.delete(victim) || row.fencedBy !== this.#workerId) return;
    this.#deps.emit({ type: "fenced", workerId: this.#workerId, victim, beat });
    this.#hooks.fenced(row);
  }
}
