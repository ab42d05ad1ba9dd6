import type { Body } from "./body.js";

/** Larger ones are not kept. An answer of GetRecords has 10 MiB of payload at most, and a third more as JSON. */
const keptBytes = 16 * 1_048_576;

/**
 * Memory that one body after the other is put together in, to be read there at once: new memory for each answer would have
 * the host collect garbage three times as often. Whatever is made of it must be done, and share none of it, before the next.
 */
export class Scratch {
  #memory = Buffer.alloc(0);

  put(body: Body): Buffer {
    if (body.length > keptBytes) return body.whole();
    if (body.length > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(body.length);
    return body.in(this.#memory);
  }
}
