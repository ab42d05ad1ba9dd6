/**
 * Rendezvous hashing: every worker orders the fleet for a lease in the same way without asking anybody, and a worker
 * that comes or goes changes nobody else's order. The hash is our own (two FNV-1a lanes, mixed by murmur's finaliser):
 * it must never change between versions that run side by side, or they would disagree about who is first.
 */

/** Two lanes of 32 bits: one would let some of ten thousand keys collide, and a tie is everybody's second choice. */
export interface KeyHash {
  readonly high: number;
  readonly low: number;
}

/** Hashes of workers' ids that were made before: every worker ranks all of a fleet in every round. */
const made = new Map<string, KeyHash>();
const mostMade = 10_000;

function hashOfWorker(workerId: string): KeyHash {
  let hash = made.get(workerId);
  if (hash === undefined) {
    // Ids are used once: those of long ago need no room.
    if (made.size >= mostMade) made.clear();
    made.set(workerId, (hash = hashKey(workerId)));
  }
  return hash;
}

export function hashKey(key: string): KeyHash {
  let high = 0x811c9dc5;
  let low = 0x9747b28c;
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x85ebca6b);
    low ^= low >>> 15;
  }
  return { high: finalise(high), low: finalise(low) };
}

function finalise(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The score of a pair whose keys are hashed already: for loops over many pairs. 53 bits, so an exact integer. */
export function scoreOf(worker: KeyHash, lease: KeyHash): number {
  const high = finalise(worker.high ^ Math.imul(lease.low, 0x9e3779b1));
  const low = finalise(worker.low ^ Math.imul(lease.high, 0xc2b2ae3d));
  return (high >>> 11) * 0x1_0000_0000 + low;
}

/** A worker's score for a lease: the highest is first. */
export function rendezvousScore(workerId: string, leaseKey: string): number {
  return scoreOf(hashKey(workerId), hashKey(leaseKey));
}

/** The workers in their order for a lease, first choice first. */
export function ranked(leaseKey: string, workerIds: readonly string[]): string[] {
  const lease = hashKey(leaseKey);
  return workerIds
    .map((workerId) => ({ workerId, score: scoreOf(hashOfWorker(workerId), lease) }))
    .sort((a, b) => b.score - a.score || compareKeys(a.workerId, b.workerId))
    .map(({ workerId }) => workerId);
}

/** How many of `workerIds` come before `workerId` for a lease: 0 for the first, whether or not it is among them. */
export function rankOf(workerId: string, leaseKey: string, workerIds: readonly string[]): number {
  const lease = hashKey(leaseKey);
  const own = scoreOf(hashOfWorker(workerId), lease);
  let rank = 0;
  for (const other of workerIds) {
    if (other === workerId) continue;
    const score = scoreOf(hashOfWorker(other), lease);
    if (score > own || (score === own && compareKeys(other, workerId) < 0)) rank++;
  }
  return rank;
}

/** The planner lease as a key of the same order; no lease of a source is called so. */
const plannerKey = "leasehold planner";

/** A worker's rank for standing as planner: 0 stands first, and the two next in rank observe every row. */
export function plannerRank(workerId: string, liveWorkerIds: readonly string[]): number {
  return rankOf(workerId, plannerKey, liveWorkerIds);
}

/** Order by code units, the same on every machine whatever its locale. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
