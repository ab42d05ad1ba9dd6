/** Where bodies are put together as they come in. */
export interface BodyMemory {
  /** At least so much, which nobody else writes into before it is given back. */
  take(bytes: number): Buffer;
  /** Nothing is read of it any more. Memory that never comes back is the collector's. */
  giveBack(memory: Buffer): void;
}

/** For payloads that are views: each body has memory of its own, and keeps it. */
export const ownMemory: BodyMemory = {
  take: (bytes) => Buffer.allocUnsafeSlow(bytes),
  giveBack: () => undefined,
};

/** Smaller ones cost nothing to make. */
const keptAtLeast = 65_536;
/** Larger ones are not kept. An answer of GetRecords has 10 MiB of payload at most, and a third more as JSON. */
const keptAtMost = 16 * 1_048_576;
/** An answer waits in the memory that it came in: a few bytes must not keep megabytes there, nor count for so much. */
const timesAskedAtMost = 2;

/**
 * Memory that one body after the other is put together in. New memory for each would start the collector of itself, for it
 * counts what lies outside its heap; and a body's memory is old by the time the body is there, where only a great
 * collection finds it. What is free is held weakly: it is used again until there is such a collection, which takes it.
 */
export class UsedAgain implements BodyMemory {
  #free: readonly WeakRef<Buffer>[] = [];

  take(bytes: number): Buffer {
    const free = this.#free.map((memory) => memory.deref()).filter((memory) => memory !== undefined);
    // The smallest that is large enough: a small body leaves the large ones to others.
    const found = free
      .filter(({ length }) => length >= bytes && length <= timesAskedAtMost * bytes)
      .sort((a, b) => a.length - b.length)[0];
    this.#free = free.filter((memory) => memory !== found).map((memory) => new WeakRef(memory));
    if (found !== undefined) return found;
    const isKept = bytes >= keptAtLeast && bytes <= keptAtMost;
    return Buffer.allocUnsafeSlow(isKept ? roundedUp(bytes) : bytes);
  }

  giveBack(memory: Buffer): void {
    if (memory.length < keptAtLeast || memory.length > keptAtMost) return;
    this.#free = [...this.#free, new WeakRef(memory)];
  }
}

/** By an eighth at most, so that what is a little longer finds it long enough, too. */
function roundedUp(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
