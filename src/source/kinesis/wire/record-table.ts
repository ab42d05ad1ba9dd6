import type { BodyMemory } from "./body-memory.js";

/** What of a record lies as bytes in its answer. */
export const payload = 0;
export const partitionKey = 1;
export const sequenceNumber = 2;
export type Part = typeof payload | typeof partitionKey | typeof sequenceNumber;
const parts = 3;

/** Where each part begins and ends, and the time of arrival. */
const placesEach = 2 * parts;
const bytesEach = placesEach * Uint32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT;

/** Where the records of an answer lie in its body: 32 bytes for each, and no object that the collector has work with. */
export class RecordTable {
  readonly #memories: BodyMemory;
  #memory: Buffer = Buffer.alloc(0);
  #arrivals: Float64Array = new Float64Array();
  #places: Uint32Array = new Uint32Array();
  #count = 0;

  constructor(memories: BodyMemory) {
    this.#memories = memories;
  }

  get count(): number {
    return this.#count;
  }

  get heldBytes(): number {
    return this.#memory.length;
  }

  /** So many are to come; more may. */
  expect(records: number): void {
    const memory = this.#memories.take(records * bytesEach);
    const capacity = Math.floor(memory.length / bytesEach);
    const arrivals = new Float64Array(memory.buffer, memory.byteOffset, capacity);
    const places = new Uint32Array(
      memory.buffer,
      memory.byteOffset + arrivals.byteLength,
      capacity * placesEach,
    );
    arrivals.set(this.#arrivals.subarray(0, this.#count));
    places.set(this.#places.subarray(0, this.#count * placesEach));
    this.letGo();
    this.#memory = memory;
    this.#arrivals = arrivals;
    this.#places = places;
  }

  /** @param arrivalMs NaN where the answer does not say */
  add(
    payloadStart: number,
    payloadEnd: number,
    keyStart: number,
    keyEnd: number,
    numberStart: number,
    numberEnd: number,
    arrivalMs: number,
  ): void {
    if (this.#count === this.#arrivals.length) this.expect(Math.max(16, 2 * this.#count));
    const at = this.#count * placesEach;
    const places = this.#places;
    places[at] = payloadStart;
    places[at + 1] = payloadEnd;
    places[at + 2] = keyStart;
    places[at + 3] = keyEnd;
    places[at + 4] = numberStart;
    places[at + 5] = numberEnd;
    this.#arrivals[this.#count] = arrivalMs;
    this.#count++;
  }

  start(record: number, part: Part): number {
    return this.#places[record * placesEach + 2 * part] ?? 0;
  }

  end(record: number, part: Part): number {
    return this.#places[record * placesEach + 2 * part + 1] ?? 0;
  }

  /** NaN where the answer did not say. */
  arrivalMs(record: number): number {
    return this.#arrivals[record] ?? NaN;
  }

  /** Nobody asks it anything any more: its memory is another's. */
  letGo(): void {
    this.#memories.giveBack(this.#memory);
    this.#memory = Buffer.alloc(0);
    this.#arrivals = new Float64Array();
    this.#places = new Uint32Array();
  }
}
