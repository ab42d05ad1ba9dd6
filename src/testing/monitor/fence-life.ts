import type { LeaseholdEvent } from "../../model/events.js";
import type { Bounds, Refuse } from "./rules.js";
import type { WorkerLife } from "./worker-life.js";

type Of<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { type: Type }>;

/** What is known of one worker's fence. */
interface Fate {
  /** Fences sent by observers, and by whom. */
  readonly senders: Set<string>;
  /** Whose fence stands, and under which beat; undefined while nobody was told so. */
  by: string | undefined;
  beat: number | undefined;
  /** It has sent `left`, or it is told that its parent or an operator fenced it. */
  otherwise: boolean;
  /** When anybody first knew that it stands. */
  knownAt: number;
}

/** What a fence leaves its worker: no beat above this one, and none that is sent later. */
export interface LastBeat {
  /** Infinity while nobody was told under which beat the fence stands. */
  readonly beat: number;
  readonly sentBefore: number;
}

/** Who was fenced, by whom and when it could be: the one way in which a worker ends against its will. */
export class FenceLife {
  readonly #bounds: Bounds;
  readonly #isWhole: boolean;
  readonly #refuse: Refuse;
  readonly #fates = new Map<string, Fate>();

  constructor(bounds: Bounds, isWhole: boolean, refuse: Refuse) {
    this.#bounds = bounds;
    this.#isWhole = isWhole;
    this.#refuse = refuse;
  }

  isFenced(workerId: string): boolean {
    const fate = this.#fates.get(workerId);
    return fate !== undefined && (fate.otherwise || fate.senders.size > 0);
  }

  /** Undefined while nobody knows of a fence. */
  lastBeatOf(workerId: string): LastBeat | undefined {
    const fate = this.#fates.get(workerId);
    return fate && { beat: fate.beat ?? Infinity, sentBefore: fate.knownAt };
  }

  sent(
    { victim, beat, workerId }: Of<"fence-sent">,
    by: WorkerLife,
    of: WorkerLife | undefined,
    at: number,
  ): void {
    const { expiryMs, blindGapMs } = this.#bounds;
    if (at - by.lastAckAt > blindGapMs) this.#refuse("fence-not-while-blind", "own beats up to now");
    const ownMs = by.unblindSince === undefined ? 0 : at - by.unblindSince;
    if (ownMs < expiryMs) this.#refuse("fence-after-t", `T of own beats without a gap, not ${ownMs} ms`);
    const sentAt = of?.sentAt(beat);
    if (sentAt !== undefined && at - sentAt < expiryMs) {
      this.#refuse("fence-after-t", `T since beat ${beat} was sent, not ${at - sentAt} ms`);
    }
    by.fencing.set(victim, beat);
    this.#fate(victim).senders.add(workerId);
  }

  fenced(
    { victim, beat, workerId }: Of<"fenced">,
    by: WorkerLife,
    of: WorkerLife | undefined,
    at: number,
  ): void {
    if (by.fencing.get(victim) !== beat)
      this.#refuse("fence-has-an-author", "a fence sent under this very beat");
    const fate = this.#fate(victim);
    // A row that was deleted may stand again as a tombstone, which never beats.
    if (beat >= 0 && fate.by !== undefined && fate.by !== workerId) {
      this.#refuse("fenced-once", `the fence of ${fate.by} to stand`);
    }
    if (of !== undefined && of.acknowledged > beat && beat >= 0) {
      this.#refuse("fenced-is-silent", `a fence under beat ${of.acknowledged}, which was acknowledged`);
    }
    fate.knownAt = Math.min(fate.knownAt, at);
    fate.by = workerId;
    if (beat >= 0) fate.beat = beat;
  }

  seen(
    { victim, by, kind, workerId }: Of<"fence-seen">,
    who: WorkerLife,
    of: WorkerLife | undefined,
    at: number,
  ): void {
    const fate = this.#fate(victim);
    const isOwnWord = kind === "left";
    if (isOwnWord && of !== undefined && !of.leaving) {
      this.#refuse("fence-has-an-author", `${victim} to have sent that it left`);
    }
    const author = this.#isWhole && kind === "observer" && !fate.senders.has(by);
    if (author) this.#refuse("fence-has-an-author", `${by} to have sent a fence before ${workerId} sees it`);
    fate.knownAt = Math.min(fate.knownAt, at);
    const forced = kind === "forced" || kind === undefined;
    if (kind !== "observer") fate.otherwise = true;
    // Its process has ended: the operating system said so to its parent.
    if (kind === "parent" && of !== undefined) of.ended = true;
    if (!who.seen.has(victim)) who.seen.set(victim, { at, forced });
  }

  left(workerId: string): void {
    this.#fate(workerId).otherwise = true;
  }

  collected({ victim }: Of<"worker-collected">, by: WorkerLife): void {
    if (!by.seen.has(victim)) this.#refuse("collected-only-fenced", `a fence of ${victim} that it has seen`);
  }

  #fate(workerId: string): Fate {
    let fate = this.#fates.get(workerId);
    if (fate === undefined) {
      fate = { senders: new Set(), by: undefined, beat: undefined, otherwise: false, knownAt: Infinity };
      this.#fates.set(workerId, fate);
    }
    return fate;
  }
}
