import type { Move } from "../model/plan-snapshot.js";
import type { Directive, MailEntry } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { mailKey } from "./mailroom.js";
import type { Member } from "./member.js";
import type { PlannedLeases } from "./snapshot.js";

interface Posted {
  readonly directive: Directive;
  readonly from: string;
  readonly key: string;
  /** The giver's beat when the post returned. */
  readonly beat: number;
}

/** What became of one giver's directives; a giver that is gone needs none. */
type Posting = "posted" | "not-posted" | "unknown";

const longestCoolDownMs = 3_600_000;

/**
 * The planner's directives: posted in the giver's row, followed until each is answered by a handoff or by its removal
 * with the lease unmoved, which means refused.
 */
export class Directives implements PlannedLeases {
  readonly #member: Member;
  #posted = new Map<string, Posted>();
  readonly #cool = new Map<string, { readonly untilMs: number; readonly refusals: number }>();

  constructor(member: Member) {
    this.#member = member;
  }

  target(leaseKey: string, epoch: number): string | undefined {
    const posted = this.#posted.get(leaseKey);
    return posted?.directive.epoch === epoch ? posted.directive.target : undefined;
  }

  coolUntilMs(leaseKey: string): number | undefined {
    return this.#cool.get(leaseKey)?.untilMs;
  }

  *keys(): Iterable<string> {
    yield* this.#posted.keys();
    yield* this.#cool.keys();
  }

  /** Deposed: what was posted is void by its epoch, and so is what is being posted. */
  forget(): void {
    this.#posted = new Map<string, Posted>();
  }

  /**
   * Looks what became of the posted ones. An entry is gone only in a row whose beat exceeds the one that its posting
   * returned, and gone means refused only if a consistent read made afterwards still shows the epoch.
   */
  async follow(): Promise<void> {
    const { fleet, leases, deps } = this.#member;
    this.#forgetTheCooled();
    for (const [leaseKey, posted] of this.#posted) {
      const known = leases.get(leaseKey);
      const row = fleet.row(posted.from);
      if (known === undefined || known.epoch !== posted.directive.epoch) {
        this.#answered(leaseKey, true);
      } else if (row === undefined || row.fencedBy !== undefined) {
        this.#posted.delete(leaseKey);
      } else if (row.beat > posted.beat && !row.mailbox.has(posted.key)) {
        const read = await attempts(
          deps.clock,
          deps.random,
          { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: deps.config.attemptTimeoutMs },
          ({ signal }) => deps.store.leases.get(leaseKey, { consistent: true, signal }),
        );
        // Without an answer it still counts at its target; asked again next round.
        if (!read.ok) continue;
        if (read.value !== undefined) leases.apply(read.value);
        this.#answered(leaseKey, read.value?.epoch !== posted.directive.epoch);
      }
    }
  }

  /** Posts the moves, one write a giver. @returns how many of the givers' rows took them or proved to be gone */
  async post(moves: readonly Move[], plannerEpoch: number): Promise<"all" | "some" | "none"> {
    const byGiver = new Map<string, Move[]>();
    for (const move of moves) {
      const list = byGiver.get(move.from);
      if (list === undefined) byGiver.set(move.from, [move]);
      else list.push(move);
    }
    const outcomes = new Set<Posting>();
    const posted = this.#posted;
    for (const [from, list] of byGiver) {
      outcomes.add(await this.#postTo(from, list, plannerEpoch));
      if (posted !== this.#posted) return "some";
    }
    if (!outcomes.has("not-posted") && !outcomes.has("unknown")) return "all";
    return outcomes.size === 1 && outcomes.has("not-posted") ? "none" : "some";
  }

  async #postTo(from: string, moves: readonly Move[], plannerEpoch: number): Promise<Posting> {
    const { deps, workerId, tasks, fleet } = this.#member;
    const posted = this.#posted;
    const entries = new Map<string, MailEntry>();
    const directives = moves.map((move) => {
      const directive: Directive = {
        kind: "directive",
        leaseKey: move.leaseKey,
        epoch: move.epoch,
        target: move.to,
        plannerEpoch,
      };
      const key = mailKey(directive, deps.random.id().slice(0, 8));
      entries.set(key, directive);
      return { directive, key, why: move.why };
    });
    const result = await attempts(
      deps.clock,
      deps.random,
      {
        attemptTimeoutMs: deps.config.attemptTimeoutMs,
        withinMs: deps.config.leaseDurationMs,
        mayTry: () => posted === this.#posted,
      },
      ({ signal }) => deps.store.membership.post(from, entries, { signal }),
    );
    if (!result.ok) {
      tasks.failed("post-directives", result.error);
      // They may have been posted all the same: they count at their targets until the giver's row shows otherwise.
      if (!result.ambiguous) return "not-posted";
    } else if (!result.value.ok) {
      if (result.value.current !== undefined) fleet.applyWorker(result.value.current);
      return "posted";
    }
    const row = result.ok && result.value.ok ? result.value.row : fleet.row(from);
    for (const { directive, key, why } of directives) {
      const { leaseKey, epoch, target } = directive;
      posted.set(leaseKey, { directive, from, key, beat: row?.beat ?? 0 });
      deps.emit({
        type: "directive-posted",
        workerId,
        leaseKey,
        epoch,
        from,
        target,
        why,
        plannerEpoch,
      });
    }
    return result.ok ? "posted" : "unknown";
  }

  /** Leases come and go for as long as the planner lives: what no longer holds anything back is dropped. */
  #forgetTheCooled(): void {
    const { leases, deps } = this.#member;
    const nowMs = deps.clock.now().monoMs;
    for (const [leaseKey, { untilMs, refusals }] of this.#cool) {
      const counts = nowMs < untilMs || (refusals > 0 && nowMs < untilMs + longestCoolDownMs);
      if (!counts || leases.get(leaseKey) === undefined) this.#cool.delete(leaseKey);
    }
  }

  #answered(leaseKey: string, moved: boolean): void {
    this.#posted.delete(leaseKey);
    const { clock, config } = this.#member.deps;
    const refusals = moved ? 0 : (this.#cool.get(leaseKey)?.refusals ?? 0) + 1;
    const coolMs = Math.min(longestCoolDownMs, config.coolDownMs * 2 ** refusals);
    this.#cool.set(leaseKey, { untilMs: clock.now().monoMs + coolMs, refusals });
  }
}
