import { holderElapsedMs, type Reading } from "../model/reading.js";
import { StoreError } from "../model/errors.js";
import type { FleetRows } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { FleetRead, Share } from "./fleet-read.js";
import type { Member } from "./member.js";
import { Wakeup } from "./wakeup.js";

export interface ControlHooks {
  /** Asked before each round: what it is to read. */
  share(): Share;
  /** A good read of the fleet. */
  read(read: FleetRead): void;
  /** Starts what follows, whether or not the read was good. */
  act(readWasGood: boolean): void;
}

/**
 * The control loop: every p one read of the fleet, or of its share of it, and what follows from it is started. A round awaits only that single
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
  /** The store lets this worker query and not read by keys. */
  #partIsDenied = false;
  #tellWhole: (() => void)[] = [];
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

  /** The same, and resolves when there has been such a read, or none will come any more. */
  wholeRead(): Promise<void> {
    this.lookAtAll();
    return new Promise((resolve) => {
      if (this.#stopping.signal.aborted) resolve();
      else this.#tellWhole.push(resolve);
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#tell();
  }

  async #round(sentAt: Reading): Promise<void> {
    const { deps, tasks } = this.#member;
    const share = this.#share();
    // Taken before the read is sent: who asks while it is under way has not been answered by it.
    const looksAtAll = this.#lookAtAll;
    this.#lookAtAll = false;
    const result = await attempts(
      deps.clock,
      deps.random,
      // One attempt: the next round is the next one.
      { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: 0, signal: this.#stopping.signal },
      ({ signal }) => this.#read(share, signal),
    );
    if (this.#stopping.signal.aborted) return;
    if (result.ok) {
      const receivedAt = deps.clock.now();
      this.#lastGoodRead = receivedAt;
      const asked = typeof share === "string" ? undefined : new Set(share);
      const consistent = share === "all-consistent";
      this.#hooks.read({ rows: result.value, asked, consistent, sentAt, receivedAt });
      if (looksAtAll) this.#tell();
    } else {
      this.#lookAtAll ||= looksAtAll;
      // A permission that a fleet of an older version never needed: without it all is read, which costs more and works.
      const isDenied = result.error instanceof StoreError && result.error.code === "store-denied";
      this.#partIsDenied ||= isDenied && typeof share !== "string";
      tasks.failed(typeof share === "string" ? "read-fleet" : "read-part-of-fleet", result.error);
    }
    this.#hooks.act(result.ok);
  }

  #share(): Share {
    if (this.#lookAtAll) return "all-consistent";
    const share = this.#hooks.share();
    return this.#partIsDenied && typeof share !== "string" ? "all" : share;
  }

  async #read(share: Share, signal: AbortSignal): Promise<FleetRows> {
    const { membership } = this.#member.deps.store;
    if (typeof share === "string")
      return membership.readFleet({ consistent: share === "all-consistent", signal });
    return { ...(await membership.readPart(share, { signal })), meta: undefined };
  }

  #tell(): void {
    const tell = this.#tellWhole;
    this.#tellWhole = [];
    for (const resolve of tell) resolve();
  }
}
