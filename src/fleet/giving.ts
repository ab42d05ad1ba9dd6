import { messageOf } from "../model/errors.js";
import { isTarget, type Directive } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import type { Lane } from "../tenure/lane.js";
import type { DrainResult } from "../tenure/partition-host.js";
import type { Member } from "./member.js";
import type { Notes } from "./notes.js";

type Answer = "handed-off" | "refused" | "void";

/** The giver's side of planned moves: checks a directive, drains, hands over, tells the target. */
export class Giving {
  readonly #member: Member;
  readonly #notes: Notes;
  readonly #isOpen: () => boolean;
  /** The highest planner epoch read anywhere: a directive of a lower one is a deposed planner's. */
  #plannerEpoch = 0;
  #moving = 0;

  /** @param isOpen false from the moment on at which this worker leaves or ends */
  constructor(member: Member, notes: Notes, isOpen: () => boolean) {
    this.#member = member;
    this.#notes = notes;
    this.#isOpen = isOpen;
  }

  sawPlannerEpoch(epoch: number): void {
    this.#plannerEpoch = Math.max(this.#plannerEpoch, epoch);
  }

  /**
   * Handles one directive.
   * @param draining a leaver ignores directives: it makes its own plan
   * @param answered called once, when the entry may be removed
   */
  handle(directive: Directive, draining: boolean, answered: () => void): void {
    const { deps, workerId, tasks } = this.#member;
    this.sawPlannerEpoch(directive.plannerEpoch);
    const settle = (answer: Answer): void => {
      const { leaseKey, epoch } = directive;
      deps.emit({ type: "directive-answered", workerId, leaseKey, epoch, answer });
      answered();
    };
    if (draining || !this.#valid(directive)) {
      settle("void");
      return;
    }
    if (this.#moving >= deps.config.maxMovesInFlight) {
      settle("refused");
      return;
    }
    this.#moving += 1;
    const started = tasks.start(`move ${directive.leaseKey}`, async () => {
      let answer: Answer = "refused";
      try {
        answer = await this.#move(directive);
      } finally {
        this.#moving -= 1;
        settle(answer);
      }
    });
    if (!started) {
      this.#moving -= 1;
      settle("refused");
    }
  }

  #valid(directive: Directive): boolean {
    return (
      this.#member.tenures.get(directive.leaseKey)?.fencingToken === directive.epoch &&
      directive.plannerEpoch >= this.#plannerEpoch &&
      directive.target !== this.#member.workerId
    );
  }

  /**
   * A look at the target: as last read, at most a poll ago, where all rows are read each round; by itself where this
   * worker reads some only, since the row that it knows may be old, and a newcomer's unknown.
   */
  async #targetIsGood(target: string): Promise<boolean> {
    const { fleet, deps } = this.#member;
    if (fleet.isInPart) {
      const { clock, random, config, store } = deps;
      const look = await attempts(
        clock,
        random,
        { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.attemptTimeoutMs },
        ({ signal }) => store.membership.readWorker(target, { consistent: false, signal }),
      );
      // Without an answer nothing is given: the planner asks again.
      if (!look.ok || look.value === undefined) return false;
      fleet.applyWorker(look.value);
    }
    const row = fleet.row(target);
    return row !== undefined && isTarget(row);
  }

  async #move({ leaseKey, target }: Directive): Promise<Answer> {
    const { deps, tenures } = this.#member;
    const lane = tenures.lane(leaseKey);
    const { tenure } = lane;
    if (!(await this.#targetIsGood(target))) return "void";
    // The look may take its time: what was begun anew meanwhile was not asked for, and a leaver drains for itself.
    if (tenure === undefined || lane.tenure !== tenure || !this.#isOpen()) return "void";
    const drained = await drain(this.#member, leaseKey, "handoff", deps.config.drainMs);
    // Its belief may have lapsed and come again meanwhile: what was begun anew has not been drained.
    if (drained !== "drained" || lane.tenure !== tenure) return "refused";
    // Once more, for the drain may have taken long: a lease given to the dead waits for their fence.
    const isGood = await this.#targetIsGood(target);
    // Begun anew during that look, or a leaver's by now, who hands it over drained as it is.
    if (lane.tenure !== tenure || !this.#isOpen()) return "refused";
    if (!isGood) {
      await lane.restart();
      return "refused";
    }
    return (await giveAway(lane, leaseKey, target, "handoff", this.#notes)) ? "handed-off" : "refused";
  }
}

/** Drains a lease. Whatever breaks in it is no reason to end a worker: the lease is not drained, then. */
export async function drain(
  { deps, workerId }: Member,
  leaseKey: string,
  reason: "handoff" | "stop",
  withinMs: number,
): Promise<DrainResult> {
  try {
    return await deps.host.drain(leaseKey, reason, withinMs);
  } catch (error) {
    deps.emit({ type: "store-failed", workerId, operation: `drain ${leaseKey}`, error: messageOf(error) });
    return "not-drained";
  }
}

/** Hands a drained lease over and notes it for the target. @returns whether the target has it now */
export async function giveAway(
  lane: Lane,
  leaseKey: string,
  target: string,
  reason: "handoff" | "stop",
  notes: Notes,
): Promise<boolean> {
  const epoch = lane.tenure?.fencingToken;
  if (epoch === undefined) return false;
  const outcome = await lane.handOff(target, reason);
  // An unknown outcome is noted too: the target begins only what a consistent read shows, so a false note is harmless.
  if (outcome === "given" || outcome === "unknown") notes.add(target, leaseKey, epoch + 1);
  return outcome === "given";
}
