import type { Position } from "../../../model/position.js";
import type { SourceRecord } from "../../partition-source.js";

/**
 * The records of an answer before somebody works them. It is opened as late as can be: objects that wait for their turn get
 * old, and only a great collection finds what is old.
 */
export interface SealedRecords {
  readonly count: number;
  /** Of all payloads together. */
  readonly bytes: number;
  /** What they take of the worker's memory until they are opened. */
  readonly heldBytes: number;
  /** Where one of them lies in its shard, counted from 0, below zero from the end; undefined where there is none. */
  position(at: number): Position | undefined;
  /** The place among them of the first whose payload, from `start` to `end` of a memory, is so; -1 for none. */
  findPayload(is: (memory: Uint8Array, start: number, end: number) => boolean): number;
  /** Makes them. @throws the second time: what is gone may not pass for empty */
  open(): readonly SourceRecord[];
}

/** What a record takes beside its payload: its object, its key, its number. */
export const recordBytes = 300;

/** Thrown by `open` the second time. */
export function opened(): Error {
  return new Error("the records of this answer have been taken by another");
}

/** Records that are there already, as those are that another deserialiser made. */
export class MadeRecords implements SealedRecords {
  readonly count: number;
  readonly bytes: number;
  #records: readonly SourceRecord[] | undefined;

  constructor(records: readonly SourceRecord[]) {
    this.#records = records;
    this.count = records.length;
    this.bytes = records.reduce((sum, { data }) => sum + data.length, 0);
  }

  get heldBytes(): number {
    return this.bytes + this.count * recordBytes;
  }

  position(at: number): Position | undefined {
    const record = this.#present().at(at);
    return record && { sequenceNumber: record.sequenceNumber, subSequenceNumber: record.subSequenceNumber };
  }

  findPayload(is: (memory: Uint8Array, start: number, end: number) => boolean): number {
    return this.#present().findIndex(({ data }) => is(data, 0, data.length));
  }

  open(): readonly SourceRecord[] {
    const records = this.#present();
    // Whatever waited for the answer is old, and may still have this.
    this.#records = undefined;
    return records;
  }

  #present(): readonly SourceRecord[] {
    if (this.#records === undefined) throw opened();
    return this.#records;
  }
}
