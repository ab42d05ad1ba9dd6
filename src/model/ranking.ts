interface Entry<T> {
  readonly item: T;
  /** Its place in the list that was given: of equals the first stands first, so that ties fall alike everywhere. */
  readonly at: number;
  readonly value: number;
}

/** Items from the highest value down, kept so while values change: a plan asks for the first as often as it moves something. */
export class Ranking<T> {
  readonly #valueOf: (item: T) => number;
  readonly #entries = new Map<T, Entry<T>>();
  readonly #sorted: Entry<T>[] = [];

  constructor(items: readonly T[], valueOf: (item: T) => number) {
    this.#valueOf = valueOf;
    items.forEach((item, at) => {
      const entry = { item, at, value: valueOf(item) };
      this.#entries.set(item, entry);
      if (hasPlace(entry)) this.#sorted.push(entry);
    });
    this.#sorted.sort(compare);
  }

  /** The highest of those that are admitted. */
  first(admits: (item: T) => boolean): T | undefined {
    return this.#sorted.find(({ item }) => admits(item))?.item;
  }

  /** The item's value is another now. */
  moved(item: T): void {
    const before = this.#entries.get(item);
    // Dropped, it stays so.
    if (before === undefined) return;
    this.drop(item);
    const entry = { item, at: before.at, value: this.#valueOf(item) };
    this.#entries.set(item, entry);
    if (hasPlace(entry)) this.#sorted.splice(this.#placeOf(entry), 0, entry);
  }

  /** The item is first no more, whatever its value. */
  drop(item: T): void {
    const entry = this.#entries.get(item);
    if (entry === undefined) return;
    this.#entries.delete(item);
    if (hasPlace(entry)) this.#sorted.splice(this.#placeOf(entry), 1);
  }

  #placeOf(entry: Entry<T>): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#sorted[middle];
      if (other !== undefined && compare(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What is no number has no place among numbers, and what is less than all of them is never the highest. */
function hasPlace({ value }: Entry<unknown>): boolean {
  return value > -Infinity;
}

function compare(a: Entry<unknown>, b: Entry<unknown>): number {
  // Two infinities would make a difference that is no number.
  return a.value === b.value ? a.at - b.at : b.value - a.value;
}
