import type { LeaseholdEvent } from "../model/events.js";
import type { Lease } from "../model/lease.js";
import type { HeldLease } from "../tenure/tenure.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { Report } from "./violation.js";

export interface DrainWitness {
  readonly nowMs: () => number;
  readonly row: (leaseKey: string) => Lease | undefined;
  /** Of the position, among the lease's records; −1 before the first. */
  readonly indexOf: (lease: Lease) => number;
  /** Since when nothing troubles this process's stop: its store, its machine, its work. */
  readonly clearSinceMs: (process: SimulatedProcess) => number;
  readonly graceMs: number;
  /** Processors checkpoint by themselves: what they leave out is their own business. */
  readonly isExplicit: boolean;
  readonly onUndrained: () => void;
}

interface Work {
  /** Calls into the processor that have not returned. */
  outstanding: number;
  /** Index of the last record that a call has returned from; −1 before. */
  returned: number;
}

/** A lease is given away when its work has come to rest and is checkpointed, and not before. */
export class DrainChecks {
  readonly #witness: DrainWitness;
  readonly #report: Report;
  readonly #work = new Map<SimulatedProcess, Map<HeldLease, Work>>();
  /** Since when each worker leaves by a stop that nobody hurries. */
  readonly #leavingSinceMs = new Map<string, number>();
  /** Tenures that ended undrained, by worker, lease and epoch. */
  readonly #undrained = new Map<string, string>();

  constructor(witness: DrainWitness, report: Report) {
    this.#witness = witness;
    this.#report = report;
  }

  called(process: SimulatedProcess, lease: HeldLease): void {
    let leases = this.#work.get(process);
    if (leases === undefined) this.#work.set(process, (leases = new Map<HeldLease, Work>()));
    const work = leases.get(lease);
    if (work === undefined) leases.set(lease, { outstanding: 1, returned: -1 });
    else work.outstanding++;
  }

  /** @param lastIndex of the last record of a batch that was worked; undefined where the call failed */
  returned(process: SimulatedProcess, lease: HeldLease, lastIndex: number | undefined): void {
    const leases = this.#work.get(process);
    const work = leases?.get(lease);
    if (work === undefined) return;
    work.outstanding--;
    work.returned = Math.max(work.returned, lastIndex ?? -1);
    if (work.outstanding === 0 && lease.signal.aborted) leases?.delete(lease);
  }

  event(process: SimulatedProcess, event: LeaseholdEvent): void {
    switch (event.type) {
      case "draining":
        this.#leavingSinceMs.set(event.workerId, this.#witness.nowMs());
        break;
      case "force-fenced":
        this.#leavingSinceMs.delete(event.workerId);
        break;
      case "tenure-ended":
        this.#ended(process, event);
        break;
      case "handed-off": {
        const undrained = this.#undrained.get(`${event.workerId} ${event.leaseKey} ${String(event.epoch)}`);
        if (undrained === undefined) break;
        this.#report(
          "drained-before-handoff",
          `${event.workerId} hands ${event.leaseKey} over though ${undrained}`,
        );
        break;
      }
      case "worker-ended":
        this.#leavingSinceMs.delete(event.workerId);
        break;
      default:
        break;
    }
  }

  #ended(process: SimulatedProcess, event: Extract<LeaseholdEvent, { type: "tenure-ended" }>): void {
    const { workerId, leaseKey, epoch, reason } = event;
    const undrained = this.#isUndrained(process, leaseKey, epoch);
    if (reason !== "handoff" && reason !== "stop") return;
    if (undrained === undefined) return;
    this.#undrained.set(`${workerId} ${leaseKey} ${String(epoch)}`, undrained);
    if (reason !== "stop") return;
    this.#witness.onUndrained();
    const sinceMs = this.#leavingSinceMs.get(workerId);
    if (sinceMs === undefined || process.isHurried) return;
    const isInTime = this.#witness.nowMs() - sinceMs < this.#witness.graceMs * 0.95;
    // Clear since before the stop began: work that was slow then may still be under way.
    if (!isInTime || this.#witness.clearSinceMs(process) > sinceMs - 1_000) return;
    this.#report(
      "stops-drain",
      `${workerId} gives ${leaseKey} up in its stop though ${undrained}, and nothing kept it from draining`,
    );
  }

  /** Why the tenure's work is not at rest, or undefined; it is forgotten here. */
  #isUndrained(process: SimulatedProcess, leaseKey: string, epoch: number): string | undefined {
    const leases = this.#work.get(process);
    if (leases === undefined) return undefined;
    for (const [lease, work] of leases) {
      if (lease.leaseKey !== leaseKey) continue;
      if (work.outstanding > 0) return `a batch of epoch ${String(lease.fencingToken)} is being worked`;
      if (lease.fencingToken !== epoch) continue;
      leases.delete(lease);
      if (this.#witness.isExplicit) return undefined;
      const row = this.#witness.row(leaseKey);
      const at = row === undefined ? Infinity : this.#witness.indexOf(row);
      if (at < work.returned)
        return `its checkpoint is ${String(work.returned - at)} records behind its work`;
    }
    return undefined;
  }
}
