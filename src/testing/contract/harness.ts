import assert from "node:assert/strict";
import { StoreError } from "../../model/errors.js";
import type { Lease, NewLease, TenureRecord } from "../../model/lease.js";
import { position } from "../../model/position.js";
import type { WorkerIdentity, WorkerStatus } from "../../model/worker-row.js";
import type { PlainOutcome, WriteOutcome } from "../../store/call.js";
import type { CheckpointWrite } from "../../store/checkpoints.js";
import { leaseItem, type LeaseItem } from "../../store/lease-item.js";
import type { TenureChange } from "../../store/ownership.js";
import type { Store } from "../../store/store.js";

/** A store under the contract suite: fresh tables, and ways round the ports. */
export interface StoreHarness {
  /** The store, its tables made and empty. Pages of scans and queries should be small, two rows say. */
  readonly store: Store;
  /** The same tables; every write is applied, and then its answer is lost: an ambiguous StoreError. */
  readonly losing: Store;
  /** Rows of the lease table as they stand in DynamoDB, past the ports. */
  readonly raw: {
    put(item: LeaseItem): Promise<void>;
    get(leaseKey: string): Promise<LeaseItem | undefined>;
  };
  /** Deletes the tables. */
  dropTables(): Promise<void>;
  /** Called after every case. */
  close(): Promise<void>;
}

/** One sentence of the contract, and how to check it. */
export interface ContractCase {
  /** The port, or what the case is about. */
  readonly group: string;
  /** A sentence. */
  readonly title: string;
  /** Rejects when the store does not do what the title says. */
  run(): Promise<void>;
}

export type CaseBody = (harness: StoreHarness) => Promise<void>;
export type CaseMap = Readonly<Record<string, CaseBody>>;

export const since = "2026-11-23T12:00:00.000Z";
export const fresh = { consistent: true } as const;

/** What a literal map says of a lease row; what it leaves out is ordinary. */
export type LeaseSketch = Partial<Omit<Lease, "leaseKey" | "owner">> & { readonly owner?: string };

export function lease(leaseKey: string, sketch: LeaseSketch = {}): Lease {
  return {
    leaseKey,
    epoch: 5,
    checkpoint: position("100"),
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
    ...sketch,
  };
}

/** Puts the rows of a literal map past the ports: `rows(harness, { s1: { owner: "a", epoch: 5 } })`. */
export async function rows(
  harness: StoreHarness,
  sketches: Readonly<Record<string, LeaseSketch>>,
): Promise<void> {
  for (const [leaseKey, sketch] of Object.entries(sketches)) {
    await harness.raw.put(leaseItem(lease(leaseKey, sketch)));
  }
}

export function newLease(leaseKey: string, sketch: Partial<NewLease> = {}): NewLease {
  return { leaseKey, checkpoint: position("TRIM_HORIZON"), parents: [], ...sketch };
}

/** A change of tenure of an ordinary row (free, at epoch 5): a take by `w1` unless said otherwise. */
export function change(
  leaseKey: string,
  sketch: Partial<Omit<TenureChange, "expect" | "tenure">> & {
    readonly expect?: Partial<TenureChange["expect"]>;
    readonly tenure?: Partial<TenureRecord>;
    /** Nobody owns the lease afterwards. */
    readonly unowned?: boolean;
  } = {},
): TenureChange {
  const { expect, tenure, unowned, ...rest } = sketch;
  const expected = { epoch: 5, owner: undefined, marked: false, ...expect };
  return {
    leaseKey,
    expect: expected,
    tenure: {
      epoch: expected.epoch + 1,
      reason: "taken",
      since,
      ...(unowned === true ? {} : { worker: "w1" }),
      ...tenure,
    },
    previousTenure: undefined,
    writeId: "write-1",
    wornOut: false,
    switchesOwner: false,
    ...rest,
  };
}

/** A checkpoint of a row owned by `w1` at epoch 5 from 100 to 200 unless said otherwise. */
export function checkpoint(leaseKey: string, sketch: Partial<CheckpointWrite> = {}): CheckpointWrite {
  return {
    leaseKey,
    owner: "w1",
    epoch: 5,
    expect: { checkpoint: position("100"), pendingCheckpoint: undefined },
    checkpoint: position("200"),
    writeId: "write-1",
    ...sketch,
  };
}

export function identity(workerId: string, sketch: Partial<WorkerIdentity> = {}): WorkerIdentity {
  return {
    workerId,
    join: 1,
    maxConcurrentBatches: 64,
    readsFormat: 1,
    host: "host-1",
    pid: 42,
    startedAt: since,
    ...sketch,
  };
}

export function status(sketch: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    draining: false,
    joining: true,
    blind: false,
    leases: 0,
    weight: 0,
    utilisation: 0,
    unfit: [],
    failing: [],
    ...sketch,
  };
}

/** Makes a worker's row and beats it that often. */
export async function worker(harness: StoreHarness, workerId: string, beats = 1): Promise<void> {
  const { membership } = harness.store;
  applied(await membership.create(identity(workerId), status()));
  for (let beat = 0; beat < beats; beat++) {
    applied(await membership.beat({ workerId, beat, status: status(), removeMail: [] }));
  }
}

/** The row of a write that must have been applied. */
export function applied<Row>(outcome: WriteOutcome<Row>): Row {
  if (!outcome.ok) assert.fail(`the write was refused; the row is ${JSON.stringify(outcome.current)}`);
  return outcome.row;
}

/** The row on which a write must have been refused. */
export function refused<Row>(outcome: WriteOutcome<Row>): Row | undefined {
  if (outcome.ok) assert.fail(`the write was applied; the row is ${JSON.stringify(outcome.row)}`);
  return outcome.current;
}

export function present<T>(value: T | undefined): T {
  if (value === undefined) assert.fail("there is no such row");
  return value;
}

export function isApplied(outcome: PlainOutcome): void {
  assert.equal(outcome.ok, true, "the write was refused");
}

export function isRefused(outcome: PlainOutcome): void {
  assert.equal(outcome.ok, false, "the write was applied");
}

/** The lease row, read consistently. */
export async function read(harness: StoreHarness, leaseKey: string): Promise<Lease> {
  return present(await harness.store.leases.get(leaseKey, fresh));
}

/** The answer to the write was lost, and the error says that it may have been applied. */
export async function answerLost(write: Promise<unknown>): Promise<void> {
  await assert.rejects(write, (error: unknown) => {
    assert.ok(error instanceof StoreError, `not a StoreError: ${String(error)}`);
    assert.equal(error.ambiguous, true);
    assert.equal(error.retryable, true);
    return true;
  });
}

/** The write is refused, and the row stays as it was to the last attribute. */
export async function unchanged(
  harness: StoreHarness,
  leaseKey: string,
  write: () => Promise<WriteOutcome<Lease>>,
): Promise<Lease | undefined> {
  const before = await harness.raw.get(leaseKey);
  const current = refused(await write());
  assert.deepEqual(await harness.raw.get(leaseKey), before);
  return current;
}
