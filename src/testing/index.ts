/**
 * `leasehold/testing`: time, chance, the store and the stream in a test's hands. The worker that runs on them is the one
 * that ships.
 */
export { VirtualTime } from "./virtual-time.js";
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";
export { seededRandom, type SeededRandom } from "./seeded-random.js";
