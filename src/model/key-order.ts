import { compareKeys } from "./rendezvous.js";

/** So few keys are compared sooner than they are looked at. */
const few = 32;
/** A double tells so many bits apart. */
const exactBits = 53;
/** Of a code unit: whatever lies beyond ASCII counts as one. */
const unitBits = 7;
const greatestUnit = 2 ** unitBits - 1;

/**
 * The places of the items in the order of their keys (`compareKeys`); of equal ones the first stands first. A comparison
 * of two keys costs more than one of two numbers: each key becomes one, of the few units after those that all have in
 * common, and of its place. Ids of shards, alike but for their last digits, are told apart by that alone.
 */
export function orderOf<T>(items: readonly T[], keyOf: (item: T) => string): Uint32Array {
  const order = new Uint32Array(items.length);
  for (let i = 0; i < items.length; i++) order[i] = i;
  if (!isInOrder(items, keyOf)) sort(items.map(keyOf), order, -1);
  return order;
}

function isInOrder<T>(items: readonly T[], keyOf: (item: T) => string): boolean {
  let before = "";
  // By index: a list is looked through once, by code that is new, and what an iterator hands over is an object then.
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (item === undefined) continue;
    const key = keyOf(item);
    if (key < before) return false;
    before = key;
  }
  return true;
}

/**
 * Puts places, given ascending, in the order of their keys.
 * @param before how many units the keys were known to have in common: where they have no more, numbers tell no more
 */
function sort(keys: readonly string[], places: Uint32Array, before: number): void {
  const common = places.length < few ? before : commonLength(keys, places);
  if (common <= before) {
    places.sort((a, b) => compareKeys(keys[a] ?? "", keys[b] ?? "") || a - b);
    return;
  }
  const perPlace = 2 ** Math.ceil(Math.log2(places.length));
  const units = Math.floor((exactBits - Math.log2(perPlace)) / unitBits);
  const numbers = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) {
    numbers[i] = numberOf(keys[places[i] ?? 0] ?? "", common, units) * perPlace + i;
  }
  numbers.sort();
  const given = places.slice();
  let from = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] ?? 0;
    places[i] = given[number % perPlace] ?? 0;
    if (Math.floor((numbers[i + 1] ?? Infinity) / perPlace) === Math.floor(number / perPlace)) continue;
    if (i > from) sort(keys, places.subarray(from, i + 1), common);
    from = i + 1;
  }
}

/** How many of their first units the keys have in common. */
function commonLength(keys: readonly string[], places: Uint32Array): number {
  const first = keys[places[0] ?? 0] ?? "";
  let common = first.length;
  for (let i = 1; i < places.length; i++) {
    const key = keys[places[i] ?? 0] ?? "";
    let alike = 0;
    while (alike < common && key.charCodeAt(alike) === first.charCodeAt(alike)) alike++;
    common = alike;
  }
  return common;
}

/** The units from `from` on as one number, in their order: where a key ends, the least. */
function numberOf(key: string, from: number, units: number): number {
  let number = 0;
  let isTold = true;
  for (let i = from; i < from + units; i++) {
    const unit: number = isTold && i < key.length ? Math.min(key.charCodeAt(i) + 1, greatestUnit) : 0;
    // What follows a unit that is not told from others says nothing of the order.
    isTold &&= unit < greatestUnit;
    number = number * (greatestUnit + 1) + unit;
  }
  return number;
}
