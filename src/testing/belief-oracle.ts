import type { LeaseholdEvent } from "../model/events.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { Clock } from "../runtime/clock.js";
import type { Report } from "./violation.js";

/** Who believes in a lease. */
export interface Believer {
  readonly workerId: string;
  readonly epoch: number;
}

interface Incarnation {
  readonly workerId: string;
  readonly clock: Clock;
  /** When the first attempt of each beat was sent that is not acknowledged yet. */
  readonly sentAt: Map<number, Reading>;
  /** What the belief rests on. */
  restsOn: Reading | undefined;
  /** Tenures begun and not ended, by what the worker said: lease to epoch. */
  readonly open: Map<string, number>;
  /** Open tenures whose belief was over when a beat came back: they must have ended by the end of the event. */
  mustEnd: Map<string, number>;
  left: boolean;
  /** It has read that an operator fenced it. */
  forced: boolean;
}

/** What makes a belief, lengthens one, or must have ended one by the end of the event: all else says nothing of beliefs. */
const changesBelief: ReadonlySet<LeaseholdEvent["type"]> = new Set([
  "worker-created",
  "beat-acknowledged",
  "leave-sent",
  "worker-ended",
  "tenure-began",
  "tenure-raised",
]);

/**
 * The protocol's own account of who may believe what, made from the events and the workers' clocks alone: belief runs
 * from the send time of the first attempt of the last acknowledged beat, for D less the safety margin. It is computed at
 * the true instant, also of a worker that stands still and whose code could not say so itself.
 */
export class BeliefOracle {
  readonly #lengthMs: number;
  readonly #report: Report;
  readonly #incarnations = new Map<string, Incarnation>();
  readonly #highestEpochs = new Map<string, number>();
  /** Leases whose rows people deleted: the epochs that they stood at. */
  readonly #severed = new Map<string, number>();
  /** Something was said since the last check. */
  #isNews = false;

  /** @param lengthMs D less the safety margin */
  constructor(lengthMs: number, report: Report) {
    this.#lengthMs = lengthMs;
    this.#report = report;
  }

  /** Takes an event of the worker whose clock it is, at its instant. */
  take(event: LeaseholdEvent, clock: Clock): void {
    this.#isNews ||= changesBelief.has(event.type);
    if (event.type === "worker-created") {
      this.#incarnations.set(event.workerId, {
        workerId: event.workerId,
        clock,
        sentAt: new Map(),
        restsOn: undefined,
        open: new Map(),
        mustEnd: new Map(),
        left: false,
        forced: false,
      });
      return;
    }
    const worker = this.#incarnations.get(event.workerId);
    if (worker === undefined) return;
    switch (event.type) {
      case "beat-sent":
        if (worker.left)
          this.#report("fenced-is-silent", `${worker.workerId} beats after it sent that it left`);
        if (worker.forced)
          this.#report("fenced-is-silent", `${worker.workerId} beats after it read an operator's fence`);
        if (!worker.sentAt.has(event.beat)) worker.sentAt.set(event.beat, clock.now());
        break;
      case "beat-acknowledged":
        this.#acknowledged(worker, event.beat);
        break;
      case "force-fenced":
        worker.forced = true;
        break;
      case "leave-sent":
        worker.left = true;
        worker.mustEnd = new Map(worker.open);
        break;
      case "worker-ended":
        worker.left = true;
        worker.mustEnd = new Map(worker.open);
        break;
      case "tenure-began":
        this.#raised(event.leaseKey, event.epoch, worker.workerId);
        if (!this.#isHolding(worker)) {
          this.#report(
            "work-within-belief",
            `${worker.workerId} begins a tenure of ${event.leaseKey} without belief`,
          );
        }
        if (worker.forced) {
          const what = `${worker.workerId} begins a tenure of ${event.leaseKey} after it read an operator's fence`;
          this.#report("fenced-is-silent", what);
        }
        worker.open.set(event.leaseKey, event.epoch);
        break;
      case "tenure-raised":
        this.#raised(event.leaseKey, event.to, worker.workerId);
        if (worker.open.has(event.leaseKey)) worker.open.set(event.leaseKey, event.to);
        break;
      case "tenure-ended":
        worker.open.delete(event.leaseKey);
        break;
      default:
        break;
    }
  }

  /**
   * The lease's row was deleted by hand: what is believed of it says nothing against who takes the new row, be it that the
   * store's answer comes, and its tenure begins, only after that.
   * @param epoch of the deleted row
   */
  sever(leaseKey: string, epoch: number): void {
    this.#severed.set(leaseKey, epoch);
  }

  /** Something befell a worker's clocks: a wall clock set back gives back what its jump forward took. */
  look(): void {
    this.#isNews = true;
  }

  /** The tables were deleted: epochs begin anew with the tables that are made next. */
  forgetEpochs(): void {
    this.#highestEpochs.clear();
    this.#severed.clear();
  }

  /** The process is dead: nobody is there to believe. */
  forget(workerIds: Iterable<string>): void {
    for (const workerId of workerIds) this.#incarnations.delete(workerId);
  }

  /** Belief left to a worker, ms; 0 when there is none. */
  remainingMs(workerId: string): number {
    const worker = this.#incarnations.get(workerId);
    return worker === undefined ? 0 : this.#remainingMs(worker);
  }

  /** The leases that a worker believes in, by its own account of its tenures and the oracle's of its time. */
  believedBy(workerId: string): ReadonlyMap<string, number> {
    const worker = this.#incarnations.get(workerId);
    return worker !== undefined && this.#isHolding(worker) ? worker.open : new Map<string, number>();
  }

  /** Everybody who believes in the lease at this instant. */
  believersOf(leaseKey: string): readonly Believer[] {
    const believers: Believer[] = [];
    for (const worker of this.#incarnations.values()) {
      const epoch = worker.open.get(leaseKey);
      if (epoch !== undefined && this.#isHolding(worker))
        believers.push({ workerId: worker.workerId, epoch });
    }
    return believers;
  }

  /**
   * After every event: one believer a lease, and no belief that came back. Time alone only ends beliefs (a wall clock
   * set back gives back no more than its jump forward took), so where nobody said anything there is nothing to look at.
   */
  check(): void {
    if (!this.#isNews) return;
    this.#isNews = false;
    const believers = new Map<string, Incarnation>();
    for (const worker of this.#incarnations.values()) {
      for (const [leaseKey, epoch] of worker.mustEnd) {
        if (worker.open.get(leaseKey) !== epoch) continue;
        const why = worker.left ? "it had ended" : "its belief had run out";
        this.#report("work-within-belief", `${worker.workerId} holds on to ${leaseKey} although ${why}`);
      }
      worker.mustEnd.clear();
      if (worker.open.size === 0 || !this.#isHolding(worker)) continue;
      for (const [leaseKey, epoch] of worker.open) {
        if (epoch <= (this.#severed.get(leaseKey) ?? -1)) continue;
        const other = believers.get(leaseKey);
        if (other === undefined) {
          believers.set(leaseKey, worker);
          continue;
        }
        const says = [other, worker].map(
          (one) =>
            `${one.workerId} (epoch ${String(one.open.get(leaseKey))}, ${this.#remainingMs(one).toFixed(1)} ms left)`,
        );
        this.#report("one-believer", `two believe in ${leaseKey}: ${says.join(" and ")}`);
      }
    }
  }

  #acknowledged(worker: Incarnation, beat: number): void {
    const sentAt = worker.sentAt.get(beat);
    if (sentAt === undefined) {
      this.#report(
        "belief-rests-on-beats",
        `${worker.workerId} counts beat ${String(beat)}, which it never sent`,
      );
      return;
    }
    if (!this.#isHolding(worker)) worker.mustEnd = new Map(worker.open);
    worker.restsOn = sentAt;
    for (const sent of worker.sentAt.keys()) if (sent <= beat) worker.sentAt.delete(sent);
  }

  #raised(leaseKey: string, epoch: number, workerId: string): void {
    const highest = this.#highestEpochs.get(leaseKey);
    if (highest !== undefined && epoch <= highest) {
      this.#report(
        "epochs-increase",
        `${workerId} holds ${leaseKey} at epoch ${String(epoch)} after epoch ${String(highest)} was held`,
      );
    }
    this.#highestEpochs.set(leaseKey, Math.max(highest ?? epoch, epoch));
  }

  #isHolding(worker: Incarnation): boolean {
    return this.#remainingMs(worker) > 0;
  }

  #remainingMs(worker: Incarnation): number {
    if (worker.left || worker.restsOn === undefined) return 0;
    return Math.max(0, this.#lengthMs - holderElapsedMs(worker.restsOn, worker.clock.now()));
  }
}
