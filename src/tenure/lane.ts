import { archivedEvent } from "../history/archive.js";
import { changeTenure, type ChangeOutcome, type ChangeRequest } from "../history/change.js";
import type { Lease } from "../model/lease.js";
import { formatPosition, isFinished, type Position } from "../model/position.js";
import type { EndReason, FenceKind, TenureReason } from "../model/reasons.js";
import { attempts } from "../runtime/attempts.js";
import { writeCheckpoint } from "./checkpoint.js";
import type { LaneDeps } from "./lane-deps.js";
import { Tenure, type CheckpointExtra, type TenureLane } from "./tenure.js";

export type TakeOutcome = "begun" | "refused" | "unknown" | "skipped";
export type GiveOutcome = "given" | "refused" | "unknown" | "not-held";

/** A consistent read before a decision gets the time of this many attempts; who needs it asks again next round. */
const readAttempts = 2;

/**
 * The one lane by which a worker writes a lease row: one write of owner, counter or checkpoint is under way at a time.
 *
 * It also keeps the rule that makes late answers harmless: a tenure is begun only with an epoch above every epoch of the
 * lease that this worker has begun or given up, each at most once, however many answers arrive.
 */
export class Lane implements TenureLane {
  readonly leaseKey: string;
  readonly #deps: LaneDeps;
  /** The highest epoch begun or given up. */
  #highest = -1;
  #tenure: Tenure | undefined;
  #lastRow: Lease | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(leaseKey: string, deps: LaneDeps) {
    this.leaseKey = leaseKey;
    this.#deps = deps;
  }

  get tenure(): Tenure | undefined {
    return this.#tenure;
  }

  /** Resolves when everything asked of the lane until now has been done. */
  get settled(): Promise<unknown> {
    return this.#tail;
  }

  /** A write or a consistent read for a write is under way or queued. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Takes a free lease: one without an owner, or with a fenced one. */
  take(lease: Lease, fence: FenceKind | undefined): Promise<TakeOutcome> {
    return this.#serially(async () => {
      if (this.#tenure !== undefined || !this.#mayTake()) return "skipped";
      // The write expects the mark as read, so a marked row must be kept out here.
      if (lease.marked) return "skipped";
      const cause = fence ?? (lease.tenure?.reason === "released" ? lease.tenure.cause : undefined);
      const result = await this.#change({
        lease,
        owner: this.#deps.workerId,
        reason: lease.owner === undefined ? "taken" : "taken-from-fenced",
        wornOut: cause === "observer" || cause === "parent" || cause === "stuck",
        mayTry: () => this.#mayTake(),
        ...(fence === undefined ? {} : { cause: fence }),
      });
      if (result.outcome === "applied") {
        if (this.#begin(result.row, result.row.tenure?.reason ?? "taken", lease.owner)) return "begun";
        this.#deps.onDoubt(this.leaseKey);
        return "unknown";
      }
      // An earlier take may have landed late, and this one may yet: a row that names this worker is not left to wait.
      const named = result.outcome === "refused" && result.current?.owner === this.#deps.workerId;
      if (result.outcome === "unknown" || named) this.#deps.onDoubt(this.leaseKey);
      return result.outcome === "not-sent" ? "skipped" : result.outcome;
    });
  }

  /**
   * Begins a tenure that was handed over, from a consistent read of the row: a stale one begins nothing, and a note is
   * only a hint.
   */
  receive(): Promise<void> {
    return this.#serially(async () => {
      if (this.#tenure !== undefined) return;
      const row = await this.#read();
      if (row === undefined || row.marked || row.owner !== this.#deps.workerId || row.epoch <= this.#highest)
        return;
      await this.#settleNamed(row);
    });
  }

  /** Begins anew, under a raised epoch, what lapsed with the worker's belief. */
  resume(): Promise<void> {
    return this.#serially(async () => {
      const row = this.#lastRow;
      if (this.#tenure !== undefined || row?.owner !== this.#deps.workerId) return;
      if (!this.#deps.belief.holds()) {
        // Lapsed again before its turn came, and nobody else remembers it.
        this.#deps.onDoubt(this.leaseKey);
        return;
      }
      await this.#settleNamed(row);
    });
  }

  /** Work that was drained for a handoff which did not come about: begun anew, under a raised epoch. */
  restart(): Promise<void> {
    return this.#serially(async () => {
      const tenure = this.#tenure;
      if (tenure === undefined) return;
      tenure.end("handoff");
      await this.#settleNamed(tenure.row);
    });
  }

  /**
   * Puts right a row that names this worker and that it runs no tenure of: begun if its epoch is new, otherwise raised
   * and begun, or released where it may not be worked here.
   */
  reconcile(): Promise<void> {
    return this.#serially(async () => {
      if (this.#tenure !== undefined || this.#deps.mode() === "closed") return;
      const row = await this.#read();
      if (row === undefined || row.marked || row.owner !== this.#deps.workerId) return;
      // A handoff whose note is late is nothing out of order.
      if (row.epoch <= this.#highest) {
        const { workerId, emit } = this.#deps;
        emit({ type: "reconciled", workerId, leaseKey: this.leaseKey, epoch: row.epoch });
      }
      await this.#settleNamed(row);
    });
  }

  /** Passes a drained lease on. Belief in it ends when the write is sent, whatever comes of it. */
  handOff(target: string, reason: Extract<EndReason, "handoff" | "stop">): Promise<GiveOutcome> {
    return this.#give(this.#tenure, target, "handoff", reason);
  }

  release(tenure: Tenure, reason: EndReason): Promise<void> {
    return this.#give(tenure, undefined, "released", reason).then(() => undefined);
  }

  checkpoint(tenure: Tenure, position: Position, extra: CheckpointExtra): Promise<void> {
    return this.#serially(() =>
      writeCheckpoint(this.#deps, tenure, position, extra, () => this.#raise(tenure)),
    );
  }

  /** Not while its own old, stuck processor of the very lease still runs: that one might still write. */
  #mayTake(): boolean {
    const { mode, belief, host } = this.#deps;
    return mode() === "open" && belief.holds() && !host.unfit().includes(this.leaseKey);
  }

  #give(
    tenure: Tenure | undefined,
    target: string | undefined,
    change: Extract<TenureReason, "handoff" | "released">,
    reason: EndReason,
  ): Promise<GiveOutcome> {
    return this.#serially(async () => {
      if (tenure === undefined || tenure !== this.#tenure) return "not-held";
      const epoch = tenure.fencingToken;
      const result = await this.#change({
        lease: tenure.row,
        owner: target,
        reason: change,
        cause: reason,
        // From here on the write may land at any time, so the belief must be over before it leaves.
        onSend: () => {
          tenure.end(reason);
        },
      });
      // Drained work is not taken up again: what was not sent is regained by a raise, like what was refused.
      tenure.end(reason);
      if (result.outcome !== "applied") {
        this.#deps.onDoubt(this.leaseKey);
        return result.outcome === "not-sent" ? "unknown" : result.outcome;
      }
      const event = { workerId: this.#deps.workerId, leaseKey: this.leaseKey, epoch, reason };
      this.#deps.emit(
        target === undefined ? { type: "released", ...event } : { type: "handed-off", target, ...event },
      );
      return "given";
    });
  }

  /** A row that names this worker, as read consistently or as last written, and no tenure of it: what to do. */
  async #settleNamed(row: Lease): Promise<void> {
    const { workerId, mode, host, belief, emit } = this.#deps;
    if (mode() === "closed") return;
    if (isFinished(row.checkpoint) || mode() !== "open" || host.unfit().includes(this.leaseKey)) {
      // Sending a release gives the epoch up: whatever comes of it, that epoch is not begun here any more.
      this.#highest = Math.max(this.#highest, row.epoch);
      const cause: EndReason = isFinished(row.checkpoint)
        ? "partition-ended"
        : mode() !== "open"
          ? "stop"
          : "stuck";
      const result = await this.#change({ lease: row, owner: undefined, reason: "released", cause });
      if (result.outcome === "applied") {
        emit({ type: "released", workerId, leaseKey: this.leaseKey, epoch: row.epoch, reason: cause });
      } else this.#deps.onDoubt(this.leaseKey);
      return;
    }
    if (row.epoch > this.#highest) {
      if (!this.#begin(row, row.tenure?.reason ?? "handoff", row.previousTenure?.worker)) {
        this.#deps.onDoubt(this.leaseKey);
      }
      return;
    }
    const result = await this.#change({
      lease: row,
      owner: workerId,
      reason: "resumed",
      mayTry: () => mode() === "open" && belief.holds(),
    });
    const begun = result.outcome === "applied" && this.#begin(result.row, "resumed", workerId);
    if (!begun) this.#deps.onDoubt(this.leaseKey);
  }

  /** Raises the epoch of a tenure that goes on, so that a checkpoint of unknown outcome has landed or never will. */
  async #raise(tenure: Tenure): Promise<boolean> {
    const settled = tenure.unsettle();
    try {
      const epoch = tenure.fencingToken;
      const result = await this.#change({
        lease: tenure.row,
        owner: this.#deps.workerId,
        reason: "raised",
        mayTry: () => tenure.remainingMs() > 0,
      });
      if (result.outcome !== "applied" || tenure.ended) {
        tenure.end("store-lost");
        this.#deps.onDoubt(this.leaseKey);
        return false;
      }
      this.#highest = result.row.epoch;
      tenure.settle(result.row);
      this.#deps.emit({
        type: "tenure-raised",
        workerId: this.#deps.workerId,
        leaseKey: this.leaseKey,
        epoch,
        to: result.row.epoch,
      });
      return true;
    } finally {
      settled();
    }
  }

  #begin(row: Lease, how: TenureReason, from: string | undefined): boolean {
    const { belief, clock, emit, workerId, mode } = this.#deps;
    // What is owned already is begun while draining too, but not in a worker that has read an operator's fence.
    if (row.epoch <= this.#highest || !belief.holds()) return false;
    if (mode() === "fenced" || mode() === "closed") return false;
    this.#highest = row.epoch;
    const tenure = new Tenure({ row, how, from }, { clock, belief, lane: this }, (ended, reason) => {
      if (this.#tenure === ended) this.#tenure = undefined;
      this.#lastRow = ended.row;
      emit({ type: "tenure-ended", workerId, leaseKey: this.leaseKey, epoch: ended.fencingToken, reason });
    });
    this.#tenure = tenure;
    emit({
      type: "tenure-began",
      workerId,
      leaseKey: this.leaseKey,
      epoch: row.epoch,
      how,
      from,
      checkpoint: formatPosition(row.checkpoint),
      ...(row.parents.length === 0 ? {} : { parents: row.parents }),
    });
    this.#deps.host.begin(tenure);
    return true;
  }

  async #change(request: ChangeRequest): Promise<ChangeOutcome> {
    const { emit, workerId, onRow, onGone } = this.#deps;
    const result = await changeTenure(this.#deps, {
      ...request,
      onArchived: (entry) => emit(archivedEvent(workerId, entry)),
      onError: this.#deps.onStoreError("change"),
    });
    if (result.outcome === "applied") {
      this.#lastRow = result.row;
      onRow(result.row);
      return result;
    }
    if (result.outcome === "refused") {
      if (result.current === undefined) onGone(this.leaseKey);
      else onRow(result.current);
    }
    emit({
      type: "change-failed",
      workerId,
      leaseKey: this.leaseKey,
      epoch: request.lease.epoch,
      change: request.reason,
      outcome: result.outcome === "refused" ? "refused" : "unknown",
      owner: result.outcome === "refused" ? result.current?.owner : undefined,
    });
    return result;
  }

  async #read(): Promise<Lease | undefined> {
    const { clock, random, config, leases, onStoreError } = this.#deps;
    const result = await attempts(
      clock,
      random,
      {
        attemptTimeoutMs: config.attemptTimeoutMs,
        withinMs: config.attemptTimeoutMs * readAttempts,
        onError: onStoreError("read-lease"),
      },
      ({ signal }) => leases.get(this.leaseKey, { consistent: true, signal }),
    );
    if (!result.ok) {
      this.#deps.onDoubt(this.leaseKey);
      return undefined;
    }
    if (result.value === undefined) this.#deps.onGone(this.leaseKey);
    else this.#deps.onRow(result.value);
    return result.value;
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const run = this.#tail.then(work).finally(() => {
      this.#waiting -= 1;
    });
    // The lane goes on after a failed piece of work; whoever asked for it has its error.
    this.#tail = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }
}
