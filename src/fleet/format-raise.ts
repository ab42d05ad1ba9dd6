import { mayRaise } from "../model/format.js";
import { observerElapsedMs, type Reading } from "../model/reading.js";
import type { FleetRows, MetaRow } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { Member } from "./member.js";

/** Since when the rows that this worker has read allow the raise. */
interface Hold {
  readonly since: Reading;
  readonly joins: number;
  /** Since when nobody has joined. */
  readonly joinsSince: Reading;
}

/**
 * The planner's raise of the format that the fleet writes: once every unfenced row has said, for `deployHoldMs` without a
 * break, that it reads the newer one. Until then a deployment can be taken back; afterwards an older version is refused.
 *
 * Whoever joins is counted in `meta` before it has a row, and has the row within D of that or joins again. So when nobody
 * has joined for T and the rows are read then, all have rows who joined before; the raise is conditional on the count, and
 * who joins after it reads the new format. Nobody is overlooked, however slow.
 */
export class FormatRaise {
  readonly #member: Member;
  readonly #onRaised: () => void;
  #hold: Hold | undefined;

  /** @param onRaised everybody is to read the fleet, where the new format stands */
  constructor(member: Member, onRaised: () => void) {
    this.#member = member;
    this.#onRaised = onRaised;
  }

  /** Once a round of the planner. */
  round(): void {
    const { fleet, deps, tasks } = this.#member;
    const { meta } = fleet;
    if (meta === undefined || !mayRaise(meta, fleet.workers)) {
      this.#hold = undefined;
      return;
    }
    const now = deps.clock.now();
    const before = this.#hold;
    const hold = {
      // A clock that was put back says nothing of how long it has been.
      since: before === undefined || observerElapsedMs(before.since, now) < 0 ? now : before.since,
      joins: meta.joins,
      joinsSince:
        before?.joins !== meta.joins || observerElapsedMs(before.joinsSince, now) < 0
          ? now
          : before.joinsSince,
    };
    this.#hold = hold;
    const { deployHoldMs, expiryMs } = deps.config;
    const isDue =
      observerElapsedMs(hold.since, now) >= deployHoldMs &&
      observerElapsedMs(hold.joinsSince, now) >= expiryMs;
    if (isDue) tasks.start("raise-format", () => this.#raise(hold));
  }

  async #raise(hold: Hold): Promise<void> {
    const { deps, tasks, workerId } = this.#member;
    const options = {
      attemptTimeoutMs: deps.config.attemptTimeoutMs,
      withinMs: deps.config.attemptTimeoutMs * 2,
    };
    // An eventually consistent read may lack a row that stands.
    const read = await attempts(deps.clock, deps.random, options, ({ signal }) =>
      deps.store.membership.readFleet({ consistent: true, signal }),
    );
    if (!read.ok) {
      tasks.failed("raise-format", read.error);
      return;
    }
    const meta = this.#allowed(read.value, hold);
    if (meta === undefined) {
      this.#hold = undefined;
      return;
    }
    const raised = await attempts(deps.clock, deps.random, options, ({ signal }) =>
      deps.store.membership.raiseFormat(meta, { signal }),
    );
    if (!raised.ok) {
      tasks.failed("raise-format", raised.error);
      return;
    }
    this.#hold = undefined;
    if (!raised.value.ok) return;
    deps.emit({ type: "format-raised", workerId, from: meta.format, to: raised.value.row.format });
    this.#onRaised();
  }

  #allowed({ meta, workers }: FleetRows, hold: Hold): MetaRow | undefined {
    return meta?.joins === hold.joins && mayRaise(meta, workers) ? meta : undefined;
  }
}
