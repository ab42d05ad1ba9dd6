import { LeaseholdError } from "./errors.js";
import type { Lease } from "./lease.js";
import { formatPosition, isFinished } from "./position.js";
import { hashKey } from "./rendezvous.js";
import { tombstoneBeat, type WorkerRow } from "./worker-row.js";

/** Rows that a Java KCL fleet keeps moving while it lives: its leader's lock, its workers' metrics. */
export const kclEntities = ["LEADER", "WORKER_METRIC_STATS"] as const;
export type KclEntity = (typeof kclEntities)[number];

export interface KclRow {
  readonly leaseKey: string;
  readonly entityType: KclEntity;
  /** Differs when anything in the row does. */
  readonly state: string;
}

/** What one look at the lease table shows of it. */
export interface LeaseTableRows {
  readonly leases: readonly Lease[];
  readonly kclRows: readonly KclRow[];
}

/** A row that somebody keeps who is no worker of this fleet. */
export interface StrangersRow {
  readonly leaseKey: string;
  /** Whether it is still as it was: the same text, and nobody has written it. */
  readonly state: string;
  /** For people: what it is, or who owns it. */
  readonly about: string;
}

export type StrangersRows = ReadonlyMap<string, StrangersRow>;

/** `meta` is read with every read of the fleet: the note has 9 bytes a row, and no more than this. */
const notedRows = 100;
/** So many rows an error or a log line names; the rest it counts. */
const namedRows = 5;

/**
 * Whether a fleet's worker wrote the row's owner and counter last: each of its writes says so in `tenure`, and a Java
 * worker, which knows no such attribute, moves the counter away from it.
 */
function isOfAFleet({ tenure, owner, epoch }: Lease): boolean {
  return tenure?.epoch === epoch && tenure.worker === owner;
}

/** Whether the row of a lease that one of our workers held was changed by somebody who is none. */
export function isTakenByStranger(row: Lease): boolean {
  return row.tenure !== undefined && !isOfAFleet(row);
}

/** Whether a lease names an owner that may be a stranger: only then is it worth to read who the workers are. */
export function mayBeStrangers(lease: Lease): boolean {
  // A finished one stands still whoever lives.
  return lease.owner !== undefined && !lease.marked && !isFinished(lease.checkpoint) && !isOfAFleet(lease);
}

/**
 * The rows by which a Java KCL fleet would show: its own, and leases whose owners are no workers of ours. A tombstone
 * stands for an owner that has no row.
 */
export function strangersRows(
  { leases, kclRows }: LeaseTableRows,
  worker: (workerId: string) => WorkerRow | undefined,
): StrangersRows {
  const rows = new Map<string, StrangersRow>();
  for (const { leaseKey, entityType, state } of kclRows.toSorted((a, b) => byKey(a.leaseKey, b.leaseKey))) {
    rows.set(leaseKey, { leaseKey, state, about: entityType });
  }
  // Hardly any: they are put in order, not all.
  for (const lease of leases.filter(mayBeStrangers).sort((a, b) => byKey(a.leaseKey, b.leaseKey))) {
    const { leaseKey, owner, epoch, checkpoint, checkpointOwner } = lease;
    if (owner === undefined) continue;
    const row = worker(owner);
    if (row !== undefined && row.beat !== tombstoneBeat) continue;
    const state = [owner, String(epoch), formatPosition(checkpoint), checkpointOwner ?? ""].join("\n");
    rows.set(leaseKey, { leaseKey, state, about: `owned by ${owner}, leaseCounter ${String(epoch)}` });
  }
  return rows;
}

function byKey(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The rows that the note does not know to have stood still as they are. */
export function unnoted(rows: StrangersRows, note: string): StrangersRows {
  const known = new Set(note.split(" "));
  return new Map([...rows].filter(([, row]) => !known.has(digestOf(row))));
}

/**
 * What `meta` is to remember of rows that stood still: a digest each, the KCL's own rows first, since leases are taken
 * and are then strangers' no more. Rows beyond the bound are watched again, which costs time and nothing else.
 */
export function noteOf(rows: StrangersRows): string {
  return [...rows.values()].slice(0, notedRows).map(digestOf).join(" ");
}

function digestOf({ leaseKey, state }: StrangersRow): string {
  return hashKey(`${leaseKey}\n${state}`).high.toString(16).padStart(8, "0");
}

/**
 * The rows of `now` that somebody has written since `before`, or made. One that is gone, or that a worker of ours has
 * taken, is no sign of a stranger's life.
 */
export function movedRows(before: StrangersRows, now: StrangersRows): readonly StrangersRow[] {
  return [...now.values()].filter(({ leaseKey, state }) => before.get(leaseKey)?.state !== state);
}

/** Rows as people are told of them: `Leader (LEADER), shard-1 (owned by w1, leaseCounter 12) and 7 more`. */
export function describeRows(rows: readonly StrangersRow[]): string {
  const named = rows.slice(0, namedRows).map(({ leaseKey, about }) => `${leaseKey} (${about})`);
  const more = rows.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${String(more)} more` : "");
}

/** Why a worker does not start beside a Java KCL fleet that lives. */
export function kclAlive(moved: readonly StrangersRow[]): LeaseholdError {
  return new LeaseholdError(
    "kcl-alive",
    `a Java KCL fleet works on this lease table: while it was watched, somebody who is no worker of this fleet wrote ${describeRows(moved)}. ` +
      "Both at once would work every partition twice: stop the Java workers first, all of them, and start again; or use another application name",
  );
}
