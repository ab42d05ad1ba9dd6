/** What the budget must know of a read that is to be made. */
export interface ReadNeed {
  /** What it is expected to bring; asked when the read may begin. */
  readonly expectedBytes: () => number;
  /** Whether a processor waits for it; asked at every look. */
  readonly isAwaited: () => boolean;
  /** Whether the last read of the shard failed. */
  readonly isDoubtful: boolean;
}

/** One answer's part of the worker's memory: from when it is asked for until its batch is handed over. */
export class Lot {
  readonly need: ReadNeed;
  readonly #budget: PrefetchBudget;
  #state: "waiting" | "under way" | "late" | "held" | "over" = "waiting";
  #bytes = 0;
  #wake: AbortController | undefined;

  /** Made by the budget alone. */
  constructor(budget: PrefetchBudget, need: ReadNeed) {
    this.#budget = budget;
    this.need = need;
  }

  /** Whether the read may begin. */
  isGranted(): boolean {
    return this.#state !== "waiting" && this.#state !== "over";
  }

  /** Aborts when it may, or was let go. */
  get settled(): AbortSignal {
    return (this.#wake ??= new AbortController()).signal;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** For the budget. */
  grant(): void {
    this.#state = "under way";
    this.#bytes = this.need.expectedBytes();
    this.#wake?.abort();
  }

  /** No answer has come for long, and perhaps none will: others may read. Should it come, it counts. */
  late(): void {
    if (this.#state !== "under way") return;
    this.#state = "late";
    this.#resize(0);
  }

  /** The answer is there and takes so much. */
  arrived(bytes: number): void {
    if (!this.isGranted()) return;
    this.#state = "held";
    this.#resize(bytes);
  }

  /** Its batch is handed over, or nobody wants it any more. Harmless the second time. */
  release(): void {
    if (this.#state === "over") return;
    this.#state = "over";
    this.#wake?.abort();
    this.#budget.left(this);
  }

  /** Whether others need not wait for its answer. */
  get isLate(): boolean {
    return this.#state === "late";
  }

  #resize(bytes: number): void {
    const change = bytes - this.#bytes;
    this.#bytes = bytes;
    this.#budget.changed(this, change);
  }
}

/**
 * What all shards of a worker hold of records that no processor has begun: a bound on memory that does not grow with the
 * number of shards.
 *
 * A read begins while less than the bound is held, whatever it brings: one answer may exceed it. Reads that a processor
 * waits for come first, in the order of asking, and others leave half of the bound to them: what was read ahead for
 * processors that cannot go on (a call that hangs, a back-off) takes the other half at most. Where nothing is left even
 * so, awaited reads are made one at a time. So none waits for a batch that may never be handed over.
 *
 * Nor for an answer that may never come: a late one counts again when it is there. Shards whose last read failed are read
 * one at a time until they answer, or those that hang would take turns in holding up all others.
 */
export class PrefetchBudget {
  readonly #limitBytes: number;
  #bytes = 0;
  /** Granted while a processor waited for them, and not late. */
  readonly #awaited = new Set<Lot>();
  /** The one that is under way of a shard whose last read failed. */
  #doubtful: Lot | undefined;
  #waiting: readonly Lot[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Held now, what reads under way are expected to bring included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Asks for a read. */
  ask(need: ReadNeed): Lot {
    const lot = new Lot(this, need);
    this.#waiting = [...this.#waiting, lot];
    this.look();
    return lot;
  }

  /** Grants what may be granted now: called when something was let go, and when a processor begins to wait. */
  look(): void {
    if (this.#waiting.length === 0) return;
    const awaited = this.#waiting.filter(({ need }) => need.isAwaited());
    for (const lot of awaited) {
      if (this.#bytes >= this.#limitBytes && this.#awaited.size > 0) return;
      if (this.#mustWait(lot)) continue;
      this.#awaited.add(lot);
      this.#grant(lot);
    }
    for (const lot of this.#waiting) {
      if (this.#bytes >= this.#limitBytes / 2) return;
      if (!this.#mustWait(lot)) this.#grant(lot);
    }
  }

  /** For a lot: it takes so much more, or less, and is no more under way. */
  changed(lot: Lot, bytes: number): void {
    this.#bytes += bytes;
    if (lot.isLate) this.#awaited.delete(lot);
    if (this.#doubtful === lot) this.#doubtful = undefined;
    this.look();
  }

  /** For a lot: it is over. */
  left(lot: Lot): void {
    this.#waiting = this.#waiting.filter((other) => other !== lot);
    this.#awaited.delete(lot);
    this.changed(lot, -lot.bytes);
  }

  #mustWait({ need }: Lot): boolean {
    return need.isDoubtful && this.#doubtful !== undefined;
  }

  #grant(lot: Lot): void {
    this.#waiting = this.#waiting.filter((other) => other !== lot);
    if (lot.need.isDoubtful) this.#doubtful = lot;
    lot.grant();
    this.#bytes += lot.bytes;
  }
}
