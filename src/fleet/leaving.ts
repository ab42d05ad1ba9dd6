import { planLeaving } from "../model/plan-leaving.js";
import { isTarget } from "../model/worker-row.js";
import { holderElapsedMs } from "../model/reading.js";
import { attempts } from "../runtime/attempts.js";
import { sleep, waitAtMost } from "../runtime/clock.js";
import { forEachLimited } from "../runtime/pool.js";
import { giveAway } from "./giving.js";
import type { Heartbeat } from "./heartbeat.js";
import type { Member } from "./member.js";
import type { Notes } from "./notes.js";
import type { PlannerRole } from "./planner-role.js";
import type { Scanning } from "./scanning.js";
import { snapshotOf } from "./snapshot.js";

export interface LeavingParts {
  readonly notes: Notes;
  readonly heartbeat: Heartbeat;
  readonly planner: PlannerRole;
  readonly scanning: Scanning;
}

/** Drains are waited for together, handoffs written this many at a time. */
const handoffsAtOnce = 64;

/**
 * A clean stop up to the point at which `left` may be sent: the leaver plans for its own leases, drains each, hands it
 * over, and waits for its notes to be answered.
 */
export class Leaving {
  readonly #member: Member;
  readonly #parts: LeavingParts;
  readonly #hurried: Promise<"not-drained">;
  #hurry = false;
  #cutShort: () => void = () => undefined;

  constructor(member: Member, parts: LeavingParts) {
    this.#member = member;
    this.#parts = parts;
    this.#hurried = new Promise((resolve) => {
      this.#cutShort = () => {
        resolve("not-drained");
      };
    });
  }

  /** No more time: what is not drained is released without its last checkpoint. */
  hurry(): void {
    this.#hurry = true;
    this.#cutShort();
  }

  /** The row already says `draining` in every beat from now on. */
  async run(): Promise<void> {
    const { deps, tenures, belief } = this.#member;
    const { heartbeat, planner, scanning, notes } = this.#parts;
    const startedAt = deps.clock.now();
    const leftMs = (): number =>
      this.#hurry
        ? 0
        : Math.max(0, deps.config.shutdownGraceMs - holderElapsedMs(startedAt, deps.clock.now()));
    // The row says `draining` before anything moves, so that nobody plans anything to this worker meanwhile. Where beats
    // do not pass, the stop goes on all the same.
    heartbeat.hurry();
    const announced = heartbeat.nextAcknowledgement();
    await waitAtMost(deps.clock, announced, Math.min(leftMs(), deps.config.attemptTimeoutMs * 2));
    if (tenures.count > 0 && leftMs() > 0 && belief.holds()) await scanning.scan(false);
    const moves = new Map(
      planLeaving(snapshotOf(this.#member), this.#member.workerId).map((move) => [move.leaseKey, move.to]),
    );
    await planner.handOver(this.#successor());
    const keys = tenures.held().map(({ leaseKey }) => leaseKey);
    await forEachLimited(keys, handoffsAtOnce, (leaseKey) =>
      this.#leaseGoes(leaseKey, moves.get(leaseKey), leftMs),
    );
    // A note unanswered means a target that died, or is slow: either way the rows name it, so the wait is short.
    const patience = deps.config.pollIntervalMs * 2 + deps.config.attemptTimeoutMs;
    const notedAt = deps.clock.now();
    while (notes.pending && leftMs() > 0 && holderElapsedMs(notedAt, deps.clock.now()) < patience) {
      await sleep(deps.clock, Math.ceil(deps.config.pollIntervalMs / 4));
    }
  }

  async #leaseGoes(leaseKey: string, target: string | undefined, leftMs: () => number): Promise<void> {
    const { deps, tenures, fleet } = this.#member;
    const drained = await Promise.race([deps.host.drain(leaseKey, "stop", leftMs()), this.#hurried]);
    const lane = tenures.lane(leaseKey);
    const { tenure } = lane;
    if (tenure === undefined) return;
    const row = target === undefined ? undefined : fleet.row(target);
    if (drained === "drained" && target !== undefined && row !== undefined && isTarget(row)) {
      await giveAway(lane, leaseKey, target, "stop", this.#parts.notes);
    } else {
      await lane.release(tenure, "stop");
    }
  }

  #successor(): string | undefined {
    const { fleet, workerId } = this.#member;
    return fleet.workers.find((row) => row.workerId !== workerId && isTarget(row))?.workerId;
  }
}

/** Adds 1 to the count that tells everybody to look at the whole fleet. */
export async function countDeath({ deps, tasks }: Member): Promise<void> {
  const result = await attempts(
    deps.clock,
    deps.random,
    { attemptTimeoutMs: deps.config.attemptTimeoutMs, withinMs: deps.config.attemptTimeoutMs * 2 },
    ({ signal }) => deps.store.plannerDesk.countDeath({ signal }),
  );
  if (!result.ok) tasks.failed("count-death", result.error);
}
