/** Why a request in CBOR brought nothing. `stumbled`: with a 500, which may have nothing to do with CBOR. */
export interface CborFailure {
  readonly kind: "refused" | "stumbled" | "broken";
  /** In words. */
  readonly why: string;
}

/** What fails at one time has one cause, however many shards meet it. */
const momentMs = 5_000;
/** In so many moments in a row a service that has answered CBOR must fail it before JSON is kept. */
const momentsAtLeast = 3;
/** Places of readers that never came back. */
const unreadAtMost = 1_000;

/**
 * In which format the next answer is asked for. JSON is kept for good, so it takes much: it must have worked where CBOR did
 * not, and where CBOR has worked before, in several moments without a single answer in CBOR between them.
 */
export class FormatChoice {
  #keepsJson: boolean;
  /** Whether an answer was ever read as CBOR: one in JSON shows nothing. */
  #isProven = false;
  #moments = 0;
  #lastMs = -Infinity;
  /** Why the answer at a place could not be read, until that place is asked as JSON. */
  readonly #unread = new Map<string, CborFailure>();

  constructor(keepsJson: boolean) {
    this.#keepsJson = keepsJson;
  }

  get keepsJson(): boolean {
    return this.#keepsJson;
  }

  /** Why this place is to be asked as JSON this once; undefined where it is to be asked as CBOR. */
  takeUnread(place: string): CborFailure | undefined {
    const failure = this.#unread.get(place);
    this.#unread.delete(place);
    return failure;
  }

  cborWorked(): void {
    this.#isProven = true;
    this.#moments = 0;
    this.#lastMs = -Infinity;
  }

  /** @returns whether to ask at once as JSON */
  cborFailed(failure: CborFailure, place: string, sentMs: number, nowMs: number): boolean {
    if (sentMs - this.#lastMs >= momentMs) {
      this.#moments++;
      this.#lastMs = nowMs;
    }
    switch (failure.kind) {
      case "refused":
        return true;
      case "stumbled":
        // A service in trouble is not asked twice as often, but for once in a while: it may be another one by now.
        return !this.#isProven || this.#moments >= momentsAtLeast;
      case "broken":
        // Its bytes count against the shard's limit, so that the same at once might be throttled.
        if (this.#unread.size >= unreadAtMost) this.#unread.clear();
        this.#unread.set(place, failure);
        return false;
    }
  }

  /** @returns whether JSON is kept from now on, told once */
  jsonWorked({ kind }: CborFailure): boolean {
    if (this.#keepsJson) return false;
    const isDoubtful = this.#isProven || kind === "broken";
    this.#keepsJson = !isDoubtful || this.#moments >= momentsAtLeast;
    return this.#keepsJson;
  }

  /** What fails as JSON too had nothing to do with CBOR. */
  jsonFailed(): void {
    this.#moments = 0;
  }
}
