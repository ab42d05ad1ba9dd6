/** Where a key stands, or would, in a list that is in the order of its keys (`compareKeys`). */
export function placeOf<T>(list: readonly T[], key: string, keyOf: (item: T) => string): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && keyOf(item) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The places of two lists in one, ascending. Filled, and not called for with each as an argument: a call takes about a
 * hundred thousand of those, and one worker may have more leases.
 */
export function placesOfBoth(a: Int32Array, b: readonly number[]): Int32Array {
  const both = new Int32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both.sort();
}
