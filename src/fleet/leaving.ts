import { planLeaving } from "../model/plan-leaving.js";
import { isTarget } from "../model/worker-row.js";
import { holderElapsedMs } from "../model/reading.js";
import { attempts } from "../runtime/attempts.js";
import { sleep, waitAtMost } from "../runtime/clock.js";
import { drain, giveAway } from "./giving.js";
import type { Heartbeat } from "./heartbeat.js";
import type { Member } from "./member.js";
import type { Notes } from "./notes.js";
import type { PlannerRole } from "./planner-role.js";
import type { Scanning } from "./scanning.js";
import { Slots } from "./slots.js";
import { snapshotOf } from "./snapshot.js";

export interface LeavingParts {
  readonly notes: Notes;
  readonly heartbeat: Heartbeat;
  readonly planner: PlannerRole;
  readonly scanning: Scanning;
  /** Reads the whole fleet, consistently. */
  readonly readAll: () => Promise<void>;
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
  readonly #slots = new Slots(handoffsAtOnce);
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

  /** No more time: nothing is waited for, what is not drained is released without its last checkpoint. */
  hurry(): void {
    this.#hurry = true;
    this.#cutShort();
  }

  /** The row already says `draining` in every beat from now on. */
  async run(): Promise<void> {
    const { clock, config } = this.#member.deps;
    // Whatever keeps to its own time or not: the grace is over when it is over.
    const cancel = clock.setTimer(config.shutdownGraceMs, () => {
      this.hurry();
    });
    try {
      await this.#leave();
    } finally {
      cancel();
    }
  }

  async #leave(): Promise<void> {
    const { deps, tenures, belief, fleet, workerId } = this.#member;
    const { heartbeat, planner, scanning, notes, readAll } = this.#parts;
    // The row says `draining` before anything moves, so that nobody plans anything to this worker meanwhile. Where beats
    // do not pass, the stop goes on all the same.
    heartbeat.hurry();
    await this.#waitFor(heartbeat.nextAcknowledgement(), deps.config.attemptTimeoutMs * 2);
    // Targets and a successor are chosen among all rows as they are now; from here on every round reads them.
    if (fleet.isInPart) await this.#waitFor(readAll(), deps.config.attemptTimeoutMs * 2);
    if (tenures.count > 0 && belief.holds()) {
      await this.#beside("scan-to-leave", async () => {
        await scanning.scan(false);
      });
    }
    const moves = new Map(
      planLeaving(snapshotOf(this.#member), workerId).map((move) => [move.leaseKey, move.to]),
    );
    await this.#beside("pass-on-planner", () => planner.handOver(this.#successor()));
    // A take or a resume that is under way is not tried again, and may yet begin one more.
    do {
      const held = tenures.held();
      await Promise.all(held.map(({ leaseKey }) => this.#leaseGoes(leaseKey, moves.get(leaseKey))));
      await this.#waitFor(tenures.settled(), deps.config.attemptTimeoutMs);
    } while (tenures.count > 0);
    // A note unanswered means a target that died, or is slow: either way the rows name it, so the wait is short.
    const patience = deps.config.pollIntervalMs * 2 + deps.config.attemptTimeoutMs;
    const notedAt = deps.clock.now();
    while (notes.pending && !this.#hurry && holderElapsedMs(notedAt, deps.clock.now()) < patience) {
      await sleep(deps.clock, Math.ceil(deps.config.pollIntervalMs / 4));
    }
  }

  async #leaseGoes(leaseKey: string, target: string | undefined): Promise<void> {
    const { tenures, fleet, deps } = this.#member;
    const lane = tenures.lane(leaseKey);
    const { tenure } = lane;
    if (tenure === undefined) return;
    const drained = await Promise.race([
      drain(this.#member, leaseKey, "stop", this.#hurry ? 0 : deps.config.shutdownGraceMs),
      this.#hurried,
    ]);
    await this.#slots.run(async () => {
      // Ended meanwhile, or given away by a directive that came before the stop.
      if (lane.tenure !== tenure) return;
      const row = target === undefined ? undefined : fleet.row(target);
      if (drained === "drained" && target !== undefined && row !== undefined && isTarget(row)) {
        await giveAway(lane, leaseKey, target, "stop", this.#parts.notes);
      } else {
        await lane.release(tenure, "stop");
      }
    });
  }

  #successor(): string | undefined {
    const { fleet, workerId } = this.#member;
    return fleet.workers.find((row) => row.workerId !== workerId && isTarget(row))?.workerId;
  }

  /** Work that is waited for only as long as there is time; the worker's end waits for its own. */
  async #beside(name: string, work: () => Promise<void>): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#member.tasks.start(name, () => work().finally(resolve));
    });
    await Promise.race([done, this.#hurried]);
  }

  /** Waits for the promise, the time or a hurry, whichever comes first. */
  async #waitFor(promise: Promise<unknown>, ms: number): Promise<void> {
    await waitAtMost(this.#member.deps.clock, Promise.race([promise, this.#hurried]), ms);
  }
}

/**
 * `left`, a worker's fence of itself. From its sending on the worker believes, beats, takes and accepts nothing; the
 * caller has seen to that.
 */
export async function sendLeft(member: Member): Promise<void> {
  const { deps, workerId, tasks } = member;
  const { clock, random, config, store, emit } = deps;
  emit({ type: "leave-sent", workerId });
  const result = await attempts(
    clock,
    random,
    { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs },
    ({ signal }) => store.membership.leave(workerId, { signal }),
  );
  // Not left by its own word, it is fenced by the others' in time: nothing is lost but that time.
  if (result.ok) await countDeath(member);
  else tasks.failed("leave", result.error);
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
