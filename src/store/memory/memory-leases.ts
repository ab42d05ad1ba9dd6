import type { Lease, NewLease, TenureRecord } from "../../model/lease.js";
import { samePosition, type Position } from "../../model/position.js";
import type { Call, PlainOutcome, WriteOutcome } from "../call.js";
import type { CheckpointWrite, Checkpoints } from "../checkpoints.js";
import type { LeaseReader, LeaseScan } from "../lease-reader.js";
import type { Ownership, TenureChange } from "../ownership.js";
import type { MemoryConnection } from "./memory-store.js";

export class MemoryLeaseReader implements LeaseReader {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async scan(call: Call & { readonly consistent: boolean }): Promise<LeaseScan> {
    return this.#connection.rows(call).scan();
  }

  async get(leaseKey: string, call: Call & { readonly consistent: boolean }): Promise<Lease | undefined> {
    return this.#connection.rows(call).lease(leaseKey);
  }

  async keysOf(owner: string, call?: Call): Promise<readonly string[]> {
    return this.#connection.rows({ ...call, consistent: false }).keysOf(owner);
  }
}

/** A new lease's own part of a row. */
function contentsOf(lease: NewLease): Pick<Lease, "leaseKey" | "checkpoint" | "parents" | "children"> {
  return {
    leaseKey: lease.leaseKey,
    checkpoint: lease.checkpoint,
    parents: lease.parents.toSorted(),
    children: [],
    ...(lease.startingHashKey === undefined ? {} : { startingHashKey: lease.startingHashKey }),
    ...(lease.endingHashKey === undefined ? {} : { endingHashKey: lease.endingHashKey }),
  };
}

export class MemoryOwnership implements Ownership {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async create(
    lease: NewLease,
    epoch: number,
    tenure: TenureRecord,
    writeId: string,
    call?: Call,
  ): Promise<WriteOutcome<Lease>> {
    const tables = this.#connection.tables(call);
    // A row that stands is never written over: it may be owned, or a deletion mark that guards its epochs.
    if (tables.view().hasLeaseKey(lease.leaseKey)) {
      return this.#connection.refused((rows) => rows.lease(lease.leaseKey));
    }
    const row = tables.setLease({
      ...contentsOf(lease),
      epoch,
      ownerSwitchesSinceCheckpoint: 0,
      ownersWornOut: 0,
      marked: false,
      tenure,
      writeId,
    });
    return { ok: true, row };
  }

  async change(change: TenureChange, call?: Call): Promise<WriteOutcome<Lease>> {
    const tables = this.#connection.tables(call);
    const { leaseKey, expect, tenure, previousTenure, recreate } = change;
    const current = tables.view().lease(leaseKey);
    // The epoch fences every write made on an older view; the owner keeps a take from a live one; the mark keeps takes
    // from deleted rows and re-creations from rows that live.
    if (
      current?.epoch !== expect.epoch ||
      current.owner !== expect.owner ||
      current.marked !== expect.marked
    ) {
      return this.#connection.refused((rows) => rows.lease(leaseKey));
    }
    const { owner: _owner, checkpointOwner: _handoff, previousTenure: _previous, ...kept } = current;
    const row = tables.setLease({
      ...(recreate === undefined ? kept : contentsOf(recreate)),
      ownerSwitchesSinceCheckpoint:
        recreate === undefined ? current.ownerSwitchesSinceCheckpoint + (change.switchesOwner ? 1 : 0) : 0,
      ownersWornOut: recreate === undefined ? current.ownersWornOut + (change.wornOut ? 1 : 0) : 0,
      epoch: expect.epoch + 1,
      marked: change.mark === true || (recreate === undefined && current.marked),
      tenure,
      writeId: change.writeId,
      ...(tenure.worker === undefined || change.mark === true ? {} : { owner: tenure.worker }),
      ...(previousTenure === undefined ? {} : { previousTenure }),
    });
    return { ok: true, row };
  }

  async remove(leaseKey: string, epoch: number, call?: Call): Promise<PlainOutcome> {
    const tables = this.#connection.tables(call);
    const current = tables.view().lease(leaseKey);
    // Only a mark may go, and only the one that was read: a lease made again meanwhile stays.
    if (current?.epoch !== epoch || !current.marked) return { ok: false };
    tables.deleteLease(leaseKey);
    return { ok: true };
  }
}

/** Few rows have one, and taking an attribute out of a copy costs more than the copy. */
function withoutPending(lease: Lease): Lease {
  if (lease.pendingCheckpoint === undefined && lease.pendingCheckpointState === undefined) return lease;
  const { pendingCheckpoint: _pending, pendingCheckpointState: _state, ...kept } = lease;
  return kept;
}

function sameOrNone(a: Position | undefined, b: Position | undefined): boolean {
  return a === undefined || b === undefined ? a === b : samePosition(a, b);
}

export class MemoryCheckpoints implements Checkpoints {
  readonly #connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
  }

  async write(write: CheckpointWrite, call?: Call): Promise<WriteOutcome<Lease>> {
    const tables = this.#connection.tables(call);
    const current = tables.view().lease(write.leaseKey);
    // Owner and epoch keep a deposed owner from writing; the positions make it a compare-and-set, so that a late
    // duplicate of an earlier checkpoint cannot take the partition back.
    if (
      current?.owner !== write.owner ||
      current.epoch !== write.epoch ||
      !samePosition(current.checkpoint, write.expect.checkpoint) ||
      !sameOrNone(current.pendingCheckpoint, write.expect.pendingCheckpoint)
    ) {
      return this.#connection.refused((rows) => rows.lease(write.leaseKey));
    }
    const row = tables.setLease({
      ...withoutPending(current),
      checkpoint: write.checkpoint,
      ownerSwitchesSinceCheckpoint: 0,
      ownersWornOut: 0,
      writeId: write.writeId,
      ...(write.children === undefined || write.children.length === 0
        ? {}
        : { children: write.children.toSorted() }),
      ...(write.throughputKBps === undefined ? {} : { throughputKBps: write.throughputKBps }),
    });
    return { ok: true, row };
  }
}
