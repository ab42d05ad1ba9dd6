import type { LeaseholdEvent } from "../../model/events.js";
import type { LastBeat } from "./fence-life.js";
import type { ProcessLife } from "./process-life.js";
import type { Bounds, Refuse } from "./rules.js";
import { TenureLife } from "./tenure-life.js";

type Of<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;

/** A fence of somebody, as one worker saw it. */
interface SeenFence {
  readonly at: number;
  /** Not proven silent: by an operator, or of a kind that is not known. */
  readonly forced: boolean;
}

/** So many send times of beats are kept: a fence names a beat that was sent T ago, and T has room for five. */
const beatsKept = 24;

/** One incarnation: created, beating, lapsed and resumed, draining, left or fenced, and then silent. */
export class WorkerLife {
  readonly workerId: string;
  readonly process: ProcessLife;
  readonly tenures = new Map<string, TenureLife>();
  /** Fences that it knows of, by victim. */
  readonly seen = new Map<string, SeenFence>();
  /** The beat that its fences in flight name, by victim. */
  readonly fencing = new Map<string, number>();
  /** Tenures begun and not ended. */
  openTenures = 0;
  /** Raised by every lapse: tenures of an earlier stretch are over. */
  stretch = 0;
  leaving = false;
  ended = false;
  /** An operator's fence was read. */
  forced = false;
  /** Own beats have come without a gap since then. */
  unblindSince: number | undefined;
  lastAckAt = -Infinity;
  readonly #bounds: Bounds;
  readonly #refuse: Refuse;
  readonly #sentAt = new Map<number, number>();
  #acknowledged = 0;
  #underWay: number | undefined;
  #restsOn: number | undefined;
  #draining = false;

  constructor(workerId: string, process: ProcessLife, bounds: Bounds, refuse: Refuse) {
    this.workerId = workerId;
    this.process = process;
    this.#bounds = bounds;
    this.#refuse = refuse;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Whether it may act for itself, or may only tell how things ended that were begun before. */
  get isOver(): boolean {
    return this.leaving || this.ended;
  }

  /** Whether it may believe at this instant, on the slowest clock within the bound. */
  mayBelieve(at: number): boolean {
    if (this.#restsOn === undefined || this.isOver || this.process.gone) return false;
    return at <= this.#restsOn + this.#bounds.beliefMs;
  }

  /** When a beat was first sent; undefined where that is too long ago, or was never seen. */
  sentAt(beat: number): number | undefined {
    return this.#sentAt.get(beat);
  }

  /** Made at the first question about a lease. */
  tenure(leaseKey: string): TenureLife {
    let tenure = this.tenures.get(leaseKey);
    if (tenure === undefined) {
      tenure = new TenureLife(leaseKey, this, this.#refuse);
      this.tenures.set(leaseKey, tenure);
    }
    return tenure;
  }

  beatSent(event: Of<"beat-sent">, at: number): void {
    if (this.forced) this.#refuse("fenced-is-silent", "no beat after an operator's fence was read");
    const next = this.#acknowledged + 1;
    if (event.beat !== next) this.#refuse("beats-in-order", `beat ${next}`);
    if (this.#underWay === event.beat) return;
    this.#underWay = event.beat;
    this.#sentAt.set(event.beat, at);
    this.#sentAt.delete(event.beat - beatsKept);
  }

  beatAcknowledged({ beat }: Of<"beat-acknowledged">, at: number, last: LastBeat | undefined): void {
    const sentAt = this.#sentAt.get(beat);
    if (sentAt === undefined || this.#underWay !== beat) {
      this.#refuse("beat-was-sent", "the acknowledgement of the beat under way");
      return;
    }
    if (this.forced) this.#refuse("fenced-is-silent", "no beat to count after an operator's fence was read");
    if (last !== undefined && (beat > last.beat || sentAt > last.sentBefore)) {
      this.#refuse("fenced-is-silent", "no beat that counts after the fence");
    }
    // Past its end by every clock: what rested on the older beat does not pass over to this one.
    if (this.openTenures > 0 && !this.mayBelieve(at)) {
      this.#refuse("lapsed-tenure-ends", "the end of every tenure that rested on the beat before");
    }
    this.#underWay = undefined;
    this.#acknowledged = beat;
    this.#restsOn = sentAt;
    if (this.unblindSince === undefined || at - this.lastAckAt > this.#bounds.blindGapMs)
      this.unblindSince = at;
    this.lastAckAt = at;
  }

  beliefLapsed(): void {
    if (this.#restsOn === undefined)
      this.#refuse("lapse-of-a-belief", "a belief that had begun and not lapsed");
    this.#restsOn = undefined;
    this.stretch += 1;
  }

  draining(): void {
    if (this.#draining) this.#refuse("drains-once", "one draining");
    this.#draining = true;
  }

  leaveSent(): void {
    if (this.openTenures > 0) this.#refuse("ends-without-tenures", "every tenure ended before left is sent");
    this.leaving = true;
  }

  workerEnded({ reason }: Of<"worker-ended">): void {
    if (this.ended) this.#refuse("nothing-after-the-end", "one end");
    if (this.openTenures > 0) this.#refuse("ends-without-tenures", "every tenure ended before its worker");
    if (reason === "left" && !this.leaving) this.#refuse("left-was-sent", "leave-sent before the end");
    this.ended = true;
  }
}
