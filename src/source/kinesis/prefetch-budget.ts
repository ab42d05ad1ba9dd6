/** One answer's part of the worker's memory: from before it is asked for until its batch is handed over. */
export class Lot {
  readonly #budget: PrefetchBudget;
  /** Whether a processor waits for it. */
  readonly isAwaited: () => boolean;
  #state: "waiting" | "granted" | "over" = "waiting";
  #bytes: number;
  #wake: AbortController | undefined;

  /** Made by the budget alone. */
  constructor(budget: PrefetchBudget, bytes: number, isAwaited: () => boolean) {
    this.#budget = budget;
    this.#bytes = bytes;
    this.isAwaited = isAwaited;
  }

  /** Whether the read may begin. */
  isGranted(): boolean {
    return this.#state === "granted";
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
    this.#state = "granted";
    this.#wake?.abort();
  }

  /** The answer is there and takes so much. */
  resize(bytes: number): void {
    const change = bytes - this.#bytes;
    this.#bytes = bytes;
    if (this.isGranted()) this.#budget.changed(change);
  }

  /** Its batch is handed over, or nobody wants it any more. Harmless the second time. */
  release(): void {
    const wasGranted = this.isGranted();
    if (this.#state === "over") return;
    this.#state = "over";
    this.#wake?.abort();
    this.#budget.left(this, wasGranted);
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
 */
export class PrefetchBudget {
  readonly #limitBytes: number;
  #bytes = 0;
  /** Granted while a processor waited for them. */
  readonly #awaited = new Set<Lot>();
  #waiting: readonly Lot[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Held now, what reads under way are expected to bring included. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Asks for a read.
   * @param bytes what it is expected to bring
   * @param isAwaited whether a processor waits for it; asked at every look
   */
  ask(bytes: number, isAwaited: () => boolean): Lot {
    const lot = new Lot(this, bytes, isAwaited);
    this.#waiting = [...this.#waiting, lot];
    this.look();
    return lot;
  }

  /** Grants what may be granted now: called when something was let go, and when a processor begins to wait. */
  look(): void {
    if (this.#waiting.length === 0) return;
    const awaited = this.#waiting.filter((lot) => lot.isAwaited());
    for (const lot of awaited) {
      if (this.#bytes >= this.#limitBytes && this.#awaited.size > 0) return;
      this.#awaited.add(lot);
      this.#grant(lot);
    }
    for (const lot of this.#waiting) {
      if (this.#bytes >= this.#limitBytes / 2) return;
      this.#grant(lot);
    }
  }

  /** For a lot: it takes so much more, or less. */
  changed(bytes: number): void {
    this.#bytes += bytes;
    if (bytes < 0) this.look();
  }

  /** For a lot: it is over. */
  left(lot: Lot, wasGranted: boolean): void {
    this.#awaited.delete(lot);
    if (wasGranted) this.#bytes -= lot.bytes;
    else this.#waiting = this.#waiting.filter((other) => other !== lot);
    this.look();
  }

  #grant(lot: Lot): void {
    this.#waiting = this.#waiting.filter((other) => other !== lot);
    this.#bytes += lot.bytes;
    lot.grant();
  }
}
