import type { ProtocolConfig } from "../model/config.js";
import type { Lease } from "../model/lease.js";
import { isFinished } from "../model/position.js";
import { isLive, isTarget, type WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot } from "../store/memory/index.js";
import type { Report } from "./violation.js";

/** A planner sees the fleet as it was a round ago: of ten moves one may have been needed then and not be any more. */
const factor = 1.1;
/** A change of members in eight may find a directive under way that it makes needless, and that takes its time. */
const slackAChange = 1 / 8;
/** Who comes while another is filled finds as much on its way there as a round gives. */
const slackALease = 1 / 8;
/** And in a small fleet a move or two. */
const slack = 2;

export interface MoveFloorDeps {
  readonly config: Pick<ProtocolConfig, "settleMs">;
  readonly nowMs: () => number;
}

/**
 * Planned moves against the fewest that what happened made necessary (protocol, "Assignment").
 *
 * A spread lacks so many moves of being even. Whatever befalls a fleet changes that number: who joins, leaves or dies, and
 * every lease that is taken, released, made or finished. A move lowers it by one at best. So what all moves together have
 * lowered it by is the least that any planner could have done with, given what happened; a lease that goes to and fro, or
 * from one to another who is no emptier, has lowered it by nothing. While a deploy rolls no evenness is promised, and no
 * move needed. What lands within the settling time after members changed, or after its receiver took a lease, was planned before
 * that, and does not count where it is needless by then.
 */
export class MoveFloor {
  readonly #deps: MoveFloorDeps;
  readonly #report: Report;
  #moves = 0;
  #floor = 0;
  /** Of who is there to stay. That a worker is blind for a while makes no move necessary. */
  #changes = 0;
  #changedAtMs = -Infinity;
  /** When each worker was last given a lease that nobody had planned to be its. */
  readonly #tookAtMs = new Map<string, number>();
  readonly #needless: string[] = [];

  constructor(deps: MoveFloorDeps, report: Report) {
    this.#deps = deps;
    this.#report = report;
  }

  workerChanged(before: WorkerRow | undefined, after: WorkerRow): void {
    if ((before !== undefined && isStaying(before)) === isStaying(after)) return;
    this.#changes++;
    this.#changedAtMs = this.#deps.nowMs();
  }

  leaseChanged(before: Lease | undefined, after: Lease, rows: MemorySnapshot): void {
    const { leaseKey, owner, tenure } = after;
    if (owner === undefined || owner === before?.owner) return;
    const nowMs = this.#deps.nowMs();
    if (before?.owner === undefined || tenure?.reason !== "handoff" || tenure.cause !== "handoff") {
      this.#tookAtMs.set(owner, nowMs);
      return;
    }
    const gain = deployRolls(rows) ? 0 : gainOf(before.owner, owner, rows);
    const knownAtMs = Math.max(this.#changedAtMs, this.#tookAtMs.get(owner) ?? -Infinity);
    if (gain <= 0 && nowMs - knownAtMs < this.#deps.config.settleMs) return;
    this.#moves++;
    this.#floor += gain;
    if (gain > 0) return;
    this.#needless.push(`${leaseKey} from ${before.owner} to ${owner} at ${nowMs.toFixed(0)} ms`);
  }

  /** The run is over; `rows` as they stand. */
  end(rows: MemorySnapshot): void {
    const leases = rows.scan().leases.filter(isOpen).length;
    const allowed =
      factor * Math.max(0, this.#floor) + slackAChange * this.#changes + slackALease * leases + slack;
    if (this.#moves <= allowed) return;
    this.#report(
      "moves-near-floor",
      `${String(this.#moves)} planned moves where ${String(this.#floor)} had been enough and ${allowed.toFixed(1)} would do after ${String(this.#changes)} changes of members; needless: ${this.#needless.join(", ")}`,
    );
  }
}

/** By how much a move that has just been made brought the fleet nearer to an even spread: 1, 0 or −1. */
function gainOf(giver: string, receiver: string, rows: MemorySnapshot): number {
  const counts = countsOf(rows);
  const after = fewestMoves(counts);
  const given = counts.get(giver);
  const received = counts.get(receiver);
  if (given !== undefined) counts.set(giver, given + 1);
  if (received !== undefined) counts.set(receiver, received - 1);
  return fewestMoves(counts) - after;
}

/** The unfinished leases of everybody who may be given any. Simulated loads are even: every lease weighs the same. */
function countsOf(rows: MemorySnapshot): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows.fleet().workers) if (isTarget(row)) counts.set(row.workerId, 0);
  for (const lease of rows.scan().leases) {
    const count = lease.owner !== undefined && isOpen(lease) ? counts.get(lease.owner) : undefined;
    if (lease.owner !== undefined && count !== undefined) counts.set(lease.owner, count + 1);
  }
  return counts;
}

/** The least number of leases that must change owner so that everybody holds the mean, rounded either way. */
function fewestMoves(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  const low = Math.floor(total / counts.size);
  const high = Math.ceil(total / counts.size);
  let missing = 0;
  let spare = 0;
  for (const count of counts.values()) {
    missing += Math.max(0, low - count);
    spare += Math.max(0, count - high);
  }
  return Math.max(missing, spare);
}

function isStaying(row: WorkerRow): boolean {
  return isLive(row) && !row.draining;
}

function isOpen({ marked, checkpoint }: Lease): boolean {
  return !marked && !isFinished(checkpoint);
}

function deployRolls(rows: MemorySnapshot): boolean {
  const staying = rows.fleet().workers.filter(isStaying);
  return staying.some(({ deployment }) => deployment !== staying[0]?.deployment);
}
