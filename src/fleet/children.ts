import { parentsAreDone, type Lease } from "../model/lease.js";
import { attempts } from "../runtime/attempts.js";
import type { Member } from "./member.js";

/**
 * Takes the children of a partition that finished here, where no other parent is open, below the hard capacity: whoever
 * finishes a parent need not wait for a scan to find them. Balance moves them later.
 * @throws StoreError when a row could not be read; the children are orphans like any other then
 */
export async function takeChildren(
  member: Member,
  children: readonly string[],
  isOpen: () => boolean,
): Promise<void> {
  const { deps, tenures } = member;
  for (const leaseKey of children) {
    if (!isOpen() || tenures.count >= (deps.config.hardMaxLeases ?? Infinity)) return;
    const child = await readLease(member, leaseKey);
    if (child === undefined || child.marked || child.owner !== undefined || tenures.busy(leaseKey)) continue;
    const parents = await readAll(member, child.parents);
    if (!parentsAreDone(child, (key) => parents.get(key)) || deps.host.unfit().includes(leaseKey)) continue;
    await tenures.lane(leaseKey).take(child, undefined);
  }
}

/**
 * Whether the parents that the last scan lacked are gone indeed. A scan of many pages is no snapshot: it can show a child
 * and have passed the place of its parent just before that was made.
 * @throws StoreError when a row could not be read
 */
export async function missingParentsAreGone(member: Member, child: Lease): Promise<boolean> {
  const missing = child.parents.filter((key) => member.leases.get(key) === undefined);
  const parents = await readAll(member, missing);
  return parentsAreDone({ parents: missing }, (key) => parents.get(key));
}

async function readAll(member: Member, keys: readonly string[]): Promise<ReadonlyMap<string, Lease>> {
  const found = new Map<string, Lease>();
  for (const key of keys) {
    const lease = await readLease(member, key);
    if (lease !== undefined) found.set(key, lease);
  }
  return found;
}

/** Consistently: a parent that could not be read must not pass for gone. */
async function readLease({ deps, leases }: Member, leaseKey: string): Promise<Lease | undefined> {
  const { clock, random, config, store } = deps;
  const result = await attempts(
    clock,
    random,
    { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs },
    ({ signal }) => store.leases.get(leaseKey, { consistent: true, signal }),
  );
  if (!result.ok) throw result.error;
  if (result.value !== undefined) leases.apply(result.value);
  return result.value;
}
