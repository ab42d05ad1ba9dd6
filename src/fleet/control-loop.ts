import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { FleetRows } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { Member } from "./member.js";
import { Wakeup } from "./wakeup.js";

export interface ControlHooks {
  /** A good read of the fleet: `sentAt` before it was asked for, `receivedAt` when the answer was here. */
  read(rows: FleetRows, sentAt: Reading, receivedAt: Reading): void;
  /** Starts what follows, whether or not the read was good. */
  act(readWasGood: boolean): void;
}

/**
 * The control loop: every p one read of the fleet, and what follows from it is started. A round awaits only that single
 * bounded call, and one that ends in a store error has ended; so a round that does not end means a broken loop, and the
 * heartbeat stops vouching for it.
 */
export class ControlLoop {
  readonly #member: Member;
  readonly #hooks: ControlHooks;
  readonly #wakeup: Wakeup;
  readonly #stopping = new AbortController();
  #rounds = 0;
  #lookAtAll = false;
  #lastGoodRead: Reading;

  constructor(member: Member, hooks: ControlHooks) {
    this.#member = member;
    this.#hooks = hooks;
    this.#wakeup = new Wakeup(member.deps.clock);
    this.#lastGoodRead = member.deps.clock.now();
  }

  /** How many rounds have ended. */
  get rounds(): number {
    return this.#rounds;
  }

  /** No good read of the fleet for D: what this worker would do rests on nothing. */
  get blind(): boolean {
    const { clock, config } = this.#member.deps;
    return holderElapsedMs(this.#lastGoodRead, clock.now()) > config.leaseDurationMs;
  }

  async run(): Promise<void> {
    const { clock, config } = this.#member.deps;
    while (!this.#stopping.signal.aborted) {
      const startedAt = clock.now();
      await this.#round(startedAt);
      this.#rounds += 1;
      // A host's timer may fire a part of a millisecond early, and a cold start waits for a round sent p after its row.
      const restMs = Math.max(
        0,
        Math.ceil(config.pollIntervalMs - holderElapsedMs(startedAt, clock.now())) + 1,
      );
      await this.#wakeup.wait(restMs, this.#stopping.signal);
      this.#wakeup.take();
    }
  }

  /** The whole fleet is to be seen, once, consistently, in a round that begins at once: somebody died, say. */
  lookAtAll(): void {
    this.#lookAtAll = true;
    this.#wakeup.wake();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #round(sentAt: Reading): Promise<void> {
    const { deps, tasks } = this.#member;
    // Taken before the read is sent: who asks while it is under way has not been answered by it.
    const consistent = this.#lookAtAll;
    this.#lookAtAll = false;
    const result = await attempts(
      deps.clock,
      deps.random,
      // One attempt: the next round is the next one.
      { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: 0, signal: this.#stopping.signal },
      ({ signal }) => deps.store.membership.readFleet({ consistent, signal }),
    );
    if (this.#stopping.signal.aborted) return;
    if (result.ok) {
      const receivedAt = deps.clock.now();
      this.#lastGoodRead = receivedAt;
      this.#hooks.read(result.value, sentAt, receivedAt);
    } else {
      this.#lookAtAll ||= consistent;
      tasks.failed("read-fleet", result.error);
    }
    this.#hooks.act(result.ok);
  }
}
