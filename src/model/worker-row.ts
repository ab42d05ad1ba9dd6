import type { FenceKind } from "./reasons.js";

/** A planned move, posted by the planner in the giver's row. */
export interface Directive {
  readonly kind: "directive";
  readonly leaseKey: string;
  /** The lease's epoch as the planner saw it: at any other the directive is void. */
  readonly epoch: number;
  readonly target: string;
  readonly plannerEpoch: number;
}

/** A giver's word to the target that a lease was handed to it. A hint only: the lease row decides. */
export interface Note {
  readonly kind: "note";
  readonly leaseKey: string;
  readonly epoch: number;
  readonly from: string;
}

export type MailEntry = Directive | Note;

/** A worker's mailbox: every entry under a key of its own (kind, lease, epoch, random), removed by that key only. */
export type Mailbox = ReadonlyMap<string, MailEntry>;

/** What a worker says of itself with each beat. */
export interface WorkerStatus {
  /** Takes and is given nothing any more: it is leaving. */
  readonly draining: boolean;
  /** New, and to be filled to the mean. */
  readonly joining: boolean;
  /** Has had no good read of the fleet for one lease duration: no target. */
  readonly blind: boolean;
  /** Leases held, and the sum of their weights. */
  readonly leases: number;
  readonly weight: number;
  /** Share of the worker's processing slots in use over the last while, 0 to 1. */
  readonly utilisation: number;
  /** Leases that this worker may not process: their old, stuck processor still runs in it. */
  readonly unfit: readonly string[];
  /** Partitions whose work fails at present, the first three: so that `status` shows them to whoever asks. */
  readonly failing: readonly string[];
  /** Present while it is the planner: the planner lease's epoch and how many whole rounds it has made. */
  readonly planner?: { readonly epoch: number; readonly tick: number };
}

/** What a worker says once, at its creation. */
export interface WorkerIdentity {
  readonly workerId: string;
  /** The label of what was deployed; a row without one has the label that all such rows share. */
  readonly deployment?: string;
  /** The number that `meta.joins` had when its process joined; 0 in a row that no worker wrote. */
  readonly join: number;
  readonly maxLeases?: number;
  readonly maxConcurrentBatches: number;
  /** The newest format number it reads. */
  readonly readsFormat: number;
  /** For people: host and process. */
  readonly host: string;
  readonly pid: number;
  /** Wall time of creation, ISO 8601, for people. */
  readonly startedAt: string;
}

/** Whom a worker is to observe: named by newcomers, replaced by the planner (`model/observers.ts`). */
export interface Observes {
  /** The epoch of the planner that last wrote the list; 0 where none has. */
  readonly plannerEpoch: number;
  /** Marks of the workers' ids, sorted. */
  readonly marks: readonly string[];
}

/** A worker's row in the fleet table. */
export interface WorkerRow extends WorkerIdentity, WorkerStatus {
  /** 0 at creation, −1 for a tombstone, otherwise the number of the last acknowledged beat. */
  readonly beat: number;
  readonly fencedBy?: string;
  readonly fenceKind?: FenceKind;
  /** Wall time of an operator's fence, ISO 8601, for people. */
  readonly fencedAt?: string;
  readonly mailbox: Mailbox;
  /** Left out where nobody has named anybody yet. */
  readonly observes?: Observes;
}

/** The planner lease: the only one that may be taken from a live worker. */
export interface PlannerRow {
  readonly owner?: string;
  readonly epoch: number;
  /** How often somebody was fenced or left; whoever sees it change reads the whole fleet. */
  readonly deaths: number;
}

export const livenessModes = ["worker"] as const;

/** What the table says of itself. */
export interface MetaRow {
  /** The liveness mode; a string as read, since a newer version may write others. */
  readonly liveness: string;
  readonly format: number;
  /** How many workers were ever created. */
  readonly joins: number;
  /** Digests of rows that a Java KCL fleet left and that stood still when they were watched. */
  readonly kclNote?: string;
}

/** The format of rows that this version writes, and the oldest that it reads. */
export const formatNumber = 1;
export const oldestFormatRead = 1;

/** One read of the fleet. */
export interface FleetRows {
  readonly workers: readonly WorkerRow[];
  readonly planner: PlannerRow | undefined;
  readonly meta: MetaRow | undefined;
}

/** Some rows of the fleet: what it lacks of those asked for was not there, of all others it says nothing. */
export type FleetPart = Pick<FleetRows, "workers" | "planner">;

/** Live: unfenced, has beaten, no tombstone (protocol, "Words"). */
export function isLive(row: WorkerRow): boolean {
  return row.fencedBy === undefined && row.beat >= 1;
}

/**
 * Whether the row is fenced in a way that proves no silence: by an operator, or by whoever wrote a fence of no kind that
 * this version knows. Its belief may last for T.
 */
export function isForced({ fencedBy, fenceKind }: WorkerRow): boolean {
  return fencedBy !== undefined && (fenceKind === undefined || fenceKind === "forced");
}

/** May be given leases by a plan or a rank. */
export function isTarget(row: WorkerRow): boolean {
  return isLive(row) && !row.draining && !row.blind;
}

export const tombstoneBeat = -1;
