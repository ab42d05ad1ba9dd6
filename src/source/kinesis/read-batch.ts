import type { Position } from "../../model/position.js";
import type { SourceRecord } from "../partition-source.js";
import type { SealedRecords } from "./wire/sealed-records.js";

/** What one read brought. Its records are made when they are first looked at: when the processor gets them. */
export class ReadBatch {
  readonly kind = "records";
  readonly count: number;
  readonly bytes: number;
  readonly firstPosition: Position | undefined;
  readonly lastPosition: Position | undefined;
  readonly millisBehindLatest?: number;
  readonly #sealed: SealedRecords;
  #records: readonly SourceRecord[] | undefined;

  constructor(sealed: SealedRecords, millisBehindLatest: number | undefined) {
    this.#sealed = sealed;
    this.count = sealed.count;
    this.bytes = sealed.bytes;
    this.firstPosition = sealed.position(0);
    this.lastPosition = sealed.position(-1);
    if (millisBehindLatest !== undefined) this.millisBehindLatest = millisBehindLatest;
  }

  get records(): readonly SourceRecord[] {
    return (this.#records ??= this.#sealed.open());
  }

  /** It is worked through. Promises that waited for it are old by then, and would keep its records. */
  done(): void {
    this.#records = [];
  }
}
