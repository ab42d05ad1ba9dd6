import type { Lease } from "../model/lease.js";
import type { TenuresMode } from "../tenure/lane-deps.js";
import { Tenures } from "../tenure/tenures.js";
import type { Member } from "./member.js";

export interface TenuresHooks {
  readonly mode: () => TenuresMode;
  /** A write stayed without outcome: the row is to be looked at soon. */
  readonly inDoubt: (leaseKey: string) => void;
  /** This worker gave the lease up for others: with a fresh plan nobody scans, so everybody is told to look. */
  readonly givenUp: (leaseKey: string) => void;
}

/** The leases of one worker, joined to what it knows and to its tasks. */
export function tenuresOf(member: Omit<Member, "tenures">, hooks: TenuresHooks): Tenures {
  const { deps, workerId, belief, leases, tasks } = member;
  const { store, clock, random, config, host, emit } = deps;
  return new Tenures({
    workerId,
    belief,
    clock,
    random,
    config,
    host,
    emit,
    ownership: store.ownership,
    checkpoints: store.checkpoints,
    leases: store.leases,
    history: store.history,
    mode: hooks.mode,
    onRow: (row) => {
      leases.apply(row);
      if (isGivenUp(row, workerId)) hooks.givenUp(row.leaseKey);
    },
    onGone: (leaseKey) => {
      leases.remove(leaseKey);
    },
    onDoubt: hooks.inDoubt,
    onStoreError: (operation) => (error) => {
      tasks.failed(operation, error);
    },
  });
}

/** Whether the row says that this worker gave the lease up for others; who only reads of it tells nobody again. */
function isGivenUp({ owner, tenure, previousTenure }: Lease, workerId: string): boolean {
  if (owner !== undefined || tenure?.reason !== "released" || previousTenure?.worker !== workerId)
    return false;
  return tenure.cause === "stuck" || tenure.cause === "silent" || tenure.cause === "failed";
}
