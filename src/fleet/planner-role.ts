import { emptyPlanMemory, plan, type Plan, type PlanMemory } from "../model/plan.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import { plannerRank } from "../model/rendezvous.js";
import type { WorkerStatus } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { Directives } from "./directives.js";
import type { Member } from "./member.js";
import { PlanRows } from "./plan-rows.js";
import { assignAll } from "./rota.js";
import { snapshotOf } from "./snapshot.js";

/** What else the planner sees to, besides the plan. */
export interface PlannerDuties {
  /** Whether the last whole scan of the lease rows is recent enough to plan on. */
  scanIsFresh(): boolean;
  /** Whether it was made within this round. */
  scanIsOfThisRound(): boolean;
  /** Scans now. @returns whether there was an answer */
  rescan(): Promise<boolean>;
  /** Called once a planned round: discovery, clean-up, collection, each when due and beside the round. */
  housekeeping(): void;
}

interface SeenTick {
  readonly owner: string | undefined;
  readonly epoch: number;
  readonly tick: number;
  readonly since: Reading;
}

/**
 * The planner lease and what its holder does. It is advice only: two planners at once cost wasted writes, none at all
 * costs balance. It is the one lease that may be taken from a live worker.
 */
export class PlannerRole {
  readonly #member: Member;
  readonly #duties: PlannerDuties;
  readonly #directives: Directives;
  /** What plans see of the leases, and what they remember. */
  #rows: PlanRows;
  #memory: PlanMemory = emptyPlanMemory;
  #elected: { readonly epoch: number; tick: number } | undefined;
  #seen: SeenTick | undefined;
  #vacantSince: Reading | undefined;
  #deposedAt: Reading | undefined;
  /** A leaver has passed the lease on, or has nobody to pass it to: it plans no more, whatever the row says. */
  #retired = false;

  constructor(member: Member, duties: PlannerDuties) {
    this.#member = member;
    this.#duties = duties;
    this.#directives = new Directives(member);
    this.#rows = new PlanRows(member, this.#directives);
  }

  /** What the beat says: present while this worker is the planner. */
  get status(): WorkerStatus["planner"] {
    return this.#elected === undefined ? undefined : { epoch: this.#elected.epoch, tick: this.#elected.tick };
  }

  get isPlanner(): boolean {
    return this.#elected !== undefined;
  }

  /** Whether somebody plans: the planner's row lives and its tick has moved lately. */
  get planIsFresh(): boolean {
    const { fleet, deps } = this.#member;
    const owner = fleet.planner?.owner;
    if (owner === undefined || this.#seen === undefined) return false;
    const row = fleet.row(owner);
    if (row === undefined || row.fencedBy !== undefined) return false;
    return holderElapsedMs(this.#seen.since, deps.clock.now()) < deps.config.freshPlanMs;
  }

  /**
   * After each good read of the fleet: a plan, and a judgement of somebody else's, must rest on a read of this very round.
   * @param mayStand false while draining or blind
   */
  round(mayStand: boolean): void {
    const { fleet, tasks, workerId, deps } = this.#member;
    this.#watchTick();
    if (this.#retired) return;
    const planner = fleet.planner;
    if (planner?.owner === workerId) {
      if (this.#elected?.epoch !== planner.epoch) this.#elect(planner.epoch);
      // Elected by a read of some rows, say, by a leaver: the next one is of all.
      if (fleet.isInPart) return;
      tasks.start("plan", () => this.#planRound());
      const elected = this.#elected;
      tasks.start("assign-observers", () =>
        assignAll(this.#member, planner.epoch, () => this.#elected === elected),
      );
      return;
    }
    if (this.#elected !== undefined && planner !== undefined && planner.epoch > this.#elected.epoch) {
      deps.emit({ type: "planner-deposed", workerId, epoch: this.#elected.epoch });
      this.#elected = undefined;
      this.#deposedAt = deps.clock.now();
      this.#forget();
    }
    // Ranks and the silence of others are judged on all rows: without a fresh plan the next read is of all.
    if (this.#elected === undefined && mayStand && !fleet.isInPart) this.#stand();
  }

  #elect(epoch: number): void {
    this.#elected = { epoch, tick: 0 };
    this.#forget();
    this.#vacantSince = undefined;
    this.#member.deps.emit({ type: "planner-elected", workerId: this.#member.workerId, epoch });
  }

  #forget(): void {
    this.#directives.forget();
    this.#rows = new PlanRows(this.#member, this.#directives);
    this.#memory = emptyPlanMemory;
  }

  #watchTick(): void {
    const { fleet, deps } = this.#member;
    const owner = fleet.planner?.owner;
    const epoch = fleet.planner?.epoch ?? 0;
    const said = owner === undefined ? undefined : fleet.row(owner)?.planner;
    const tick = said?.epoch === epoch ? said.tick : 0;
    const seen = this.#seen;
    if (seen?.owner !== owner || seen?.epoch !== epoch || seen.tick !== tick) {
      this.#seen = { owner, epoch, tick, since: deps.clock.now() };
    }
  }

  /** Stands for the planner lease when there is no fresh plan: by rank, one poll apart. */
  #stand(): void {
    const { fleet, deps, workerId, tasks } = this.#member;
    const now = deps.clock.now();
    if (this.planIsFresh) {
      this.#vacantSince = undefined;
      return;
    }
    this.#vacantSince ??= now;
    if (this.#deposedAt !== undefined && holderElapsedMs(this.#deposedAt, now) < deps.config.expiryMs) return;
    const silent = fleet.planner?.owner;
    const candidates = fleet
      .liveRows()
      .filter((row) => row.workerId === workerId || (!row.draining && !row.blind && row.workerId !== silent))
      .map((row) => row.workerId);
    if (!candidates.includes(workerId)) return;
    const waitMs = plannerRank(workerId, candidates) * deps.config.pollIntervalMs;
    if (holderElapsedMs(this.#vacantSince, now) < waitMs) return;
    tasks.start("stand", async () => {
      await this.#claim(workerId);
    });
  }

  /** Makes a worker the planner: oneself, or at a clean stop one's successor. */
  async #claim(owner: string): Promise<boolean> {
    const { fleet, deps, tasks, workerId } = this.#member;
    const planner = fleet.planner;
    const result = await attempts(
      deps.clock,
      deps.random,
      {
        attemptTimeoutMs: deps.config.attemptTimeoutMs,
        withinMs: deps.config.attemptTimeoutMs * 2,
        // Who has begun to leave takes nothing: a claim of before is not repeated.
        mayTry: () => owner !== workerId || !this.#retired,
      },
      ({ signal }) => {
        deps.emit({ type: "planner-claimed", workerId, owner });
        return deps.store.plannerDesk.claim(owner, planner?.epoch, { signal });
      },
    );
    if (!result.ok) {
      tasks.failed("claim-planner", result.error);
      return false;
    }
    const row = result.value.ok ? result.value.row : result.value.current;
    if (row !== undefined) fleet.applyPlanner(row);
    return row?.owner === owner;
  }

  /** Passes the planner lease to another worker, at a clean stop. */
  async handOver(successor: string | undefined): Promise<void> {
    this.#retired = true;
    if (this.#elected === undefined) return;
    const { epoch } = this.#elected;
    this.#elected = undefined;
    this.#forget();
    if (successor !== undefined) await this.#claim(successor);
    this.#member.deps.emit({ type: "planner-deposed", workerId: this.#member.workerId, epoch });
  }

  async #planRound(): Promise<void> {
    const elected = this.#elected;
    if (elected === undefined || !this.#duties.scanIsFresh()) return;
    await this.#directives.follow();
    let { moves, memory } = this.#plan();
    if (moves.length > 0 && !this.#duties.scanIsOfThisRound()) {
      // What others took or gave away since the last scan is not known yet: nothing is moved on that.
      if (!(await this.#duties.rescan())) return;
      ({ moves, memory } = this.#plan());
    }
    if (this.#elected !== elected) return;
    const posted = await this.#directives.post(moves, elected.epoch);
    // A planner that was deposed meanwhile remembers nothing, elected again or not.
    if (this.#elected !== elected) return;
    // The memory counts the moves as made. Where none was, the round is as if it had not been; where some were, nothing
    // is known of the balance any more.
    if (posted === "all") this.#memory = memory;
    else if (posted === "some") this.#memory = emptyPlanMemory;
    this.#duties.housekeeping();
    // Only a whole round counts: the tick is what tells the others that somebody plans.
    if (posted !== "all") return;
    elected.tick += 1;
    const { workerId, deps } = this.#member;
    const { epoch, tick } = elected;
    deps.emit({ type: "planned", workerId, epoch, tick, moves: moves.length });
  }

  #plan(): Plan {
    return plan(snapshotOf(this.#member, this.#rows.look()), this.#memory);
  }
}
