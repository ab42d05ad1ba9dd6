import type { LeaseholdEvent } from "../../model/events.js";
import { FenceLife } from "./fence-life.js";
import { LeaseLife, type FleetWitness } from "./lease-life.js";
import { PlannerLife } from "./planner-life.js";
import { ProcessLife } from "./process-life.js";
import { Bounds, type MonitorRule, type MonitorTimes } from "./rules.js";
import { WorkerLife } from "./worker-life.js";

export interface MonitorOptions extends MonitorTimes {
  /** Whether the trace shows every worker of the fleet, from its creation. */
  readonly isWhole: boolean;
  /** Whether processors leave checkpoints to the worker: then a drain ends with one. */
  readonly automaticCheckpoints: boolean;
  /** Whether clocks may be set or stand still: who waits by all its clocks then waits shorter than anybody can tell. */
  readonly clocksJump: boolean;
}

/** A transition that the protocol does not allow. */
export interface Violation {
  readonly rule: MonitorRule;
  /** Of the event in the trace, from 0. */
  readonly index: number;
  readonly at: number;
  readonly source: string;
  readonly event: LeaseholdEvent;
  readonly expected: string;
}

type EventType = LeaseholdEvent["type"];

/** Told of things as they are, or of the end of what was begun before: by nobody's belief, and after anybody's end. */
const reports: ReadonlySet<EventType> = new Set<EventType>([
  "capability-missing",
  "source-fallback",
  "table-differs",
  "store-failed",
  "store-call-failed",
  "store-call-answered",
  "kcl-watched",
  "kcl-stood-still",
  "kcl-seen",
  "lease-invalid",
  "lease-created",
  "lease-marked",
  "lease-removed",
  "discovery-failed",
  "partition-vanished",
]);

/** What only a worker begins that has neither sent that it left nor ended. The rest is the end of something begun before. */
const acts: ReadonlySet<EventType> = new Set<EventType>([
  "worker-created",
  "beat-sent",
  "beat-acknowledged",
  "belief-lapsed",
  "draining",
  "force-fenced",
  "leave-sent",
  "tenure-began",
  "tenure-raised",
  "fence-sent",
  "planner-elected",
  "planned",
  "batch-started",
  "drained",
]);

/**
 * Checks the events of a fleet, or of one worker, step by step against what the protocol allows. It knows nothing of the
 * code: no class of it, no row, no store; only what was told, by whom and when. Constant work an event.
 */
export class Monitor implements FleetWitness {
  readonly isWhole: boolean;
  readonly expiryMs: number;
  readonly #options: MonitorOptions;
  readonly #bounds: Bounds;
  readonly #onViolation: (violation: Violation) => void;
  readonly #processes = new Map<string, ProcessLife>();
  readonly #workers = new Map<string, WorkerLife>();
  readonly #leases = new Map<string, LeaseLife>();
  /** Leases whose rows were deleted by hand: the epochs that they stood at. */
  readonly #deleted = new Map<string, number>();
  readonly #fences: FenceLife;
  readonly #planner: PlannerLife;
  #index = -1;
  #at = 0;
  #source = "";
  #event: LeaseholdEvent | undefined;

  /** @param onViolation must not throw: the event is looked at to its end */
  constructor(options: MonitorOptions, onViolation: (violation: Violation) => void) {
    this.#options = options;
    this.isWhole = options.isWhole;
    this.#bounds = new Bounds(options);
    this.expiryMs = this.#bounds.expiryMs;
    this.#onViolation = onViolation;
    this.#fences = new FenceLife(this.#bounds, options.isWhole, this.#refuse);
    this.#planner = new PlannerLife(this.#bounds, options.clocksJump, this.#refuse);
  }

  /** How many events were looked at. */
  get events(): number {
    return this.#index + 1;
  }

  worker(workerId: string): WorkerLife | undefined {
    return this.#workers.get(workerId);
  }

  lease(leaseKey: string): LeaseLife | undefined {
    return this.#leases.get(leaseKey);
  }

  isFenced(workerId: string): boolean {
    return this.#fences.isFenced(workerId);
  }

  /** A process is dead at this instant, whatever killed it: nobody believes there any more. */
  died(source: string): void {
    const process = this.#processes.get(source);
    if (process !== undefined) process.gone = true;
  }

  /**
   * Somebody deleted the lease's row by hand: what comes is another lease of that name. Answers of the store are still under
   * way: what is told of epochs up to the deleted row's says nothing of the new one.
   */
  leaseRowDeleted(leaseKey: string, epoch: number): void {
    this.#leases.delete(leaseKey);
    this.#deleted.set(leaseKey, epoch);
  }

  /** Somebody deleted the tables: what stands in new ones begins anew. */
  tablesDeleted(): void {
    this.#leases.clear();
    this.#deleted.clear();
    this.#planner.forget();
  }

  /** Somebody who is no worker gave the planner lease to this one. */
  plannerNamed(workerId: string): void {
    this.#planner.named(workerId);
  }

  /**
   * The next event.
   * @param at its instant, ms, on one clock for all sources; never before the last one's
   * @param source the process in which it happened
   */
  take(at: number, source: string, event: LeaseholdEvent): void {
    this.#index += 1;
    this.#at = at;
    this.#source = source;
    this.#event = event;
    if (event.type === "worker-created") {
      this.#created(event.workerId);
      return;
    }
    const worker = this.#workers.get(event.workerId);
    if (worker === undefined) {
      if (!reports.has(event.type)) this.#refuse("created-first", "worker-created first");
      else this.#aboutLeases(event);
      return;
    }
    worker.process.tells(at, this.#bounds.blindGapMs);
    if (worker.isOver && acts.has(event.type))
      this.#refuse("nothing-after-the-end", "nothing more of this worker");
    this.#aboutLeases(event);
    this.#aboutTenures(event, worker);
    this.#aboutOthers(event, worker);
    this.#aboutItself(event, worker);
  }

  readonly #refuse = (rule: MonitorRule, expected: string): void => {
    if (this.#event === undefined) return;
    const { type, workerId } = this.#event;
    this.#onViolation({
      rule,
      index: this.#index,
      at: this.#at,
      source: this.#source,
      event: this.#event,
      expected: `${type} of ${workerId}: expected ${expected}`,
    });
  };

  #created(workerId: string): void {
    if (this.#workers.has(workerId)) this.#refuse("id-used-once", "a new id");
    let process = this.#processes.get(this.#source);
    if (process === undefined) {
      process = new ProcessLife(this.#source);
      this.#processes.set(this.#source, process);
    }
    this.#workers.set(workerId, new WorkerLife(workerId, process, this.#bounds, this.#refuse));
  }

  /** Undefined: what is told is about a row that was deleted. */
  #lease({ leaseKey, epoch }: { leaseKey: string; epoch: number }): LeaseLife | undefined {
    if (epoch <= (this.#deleted.get(leaseKey) ?? -1)) return undefined;
    let lease = this.#leases.get(leaseKey);
    if (lease === undefined) {
      lease = new LeaseLife(leaseKey, this, this.#refuse);
      this.#leases.set(leaseKey, lease);
    }
    return lease;
  }

  #aboutItself(event: LeaseholdEvent, worker: WorkerLife): void {
    switch (event.type) {
      case "beat-sent":
        worker.beatSent(event, this.#at);
        if (event.planner !== undefined) this.#planner.beatSays(event.workerId, event.planner);
        break;
      case "beat-acknowledged":
        worker.beatAcknowledged(event, this.#at, this.#fences.lastBeatOf(event.workerId));
        break;
      case "belief-lapsed":
        worker.beliefLapsed();
        break;
      case "draining":
        worker.draining();
        break;
      case "force-fenced":
        worker.forced = true;
        break;
      case "leave-sent":
        worker.leaveSent();
        this.#fences.left(event.workerId);
        break;
      case "worker-ended":
        worker.workerEnded(event);
        break;
      default:
        break;
    }
  }

  #aboutTenures(event: LeaseholdEvent, worker: WorkerLife): void {
    switch (event.type) {
      case "tenure-began": {
        const tenure = worker.tenure(event.leaseKey);
        this.#lease(event)?.began(event, tenure, this.#at);
        tenure.began(event, this.#at);
        break;
      }
      case "tenure-ended":
        worker.tenure(event.leaseKey).ended(event);
        break;
      case "tenure-raised": {
        const tenure = worker.tenure(event.leaseKey);
        this.#lease(event)?.raised(event, tenure);
        tenure.raised(event);
        break;
      }
      case "handed-off":
        worker.tenure(event.leaseKey).handedOff(event);
        this.#lease(event)?.given(event.epoch, event.target);
        break;
      case "released":
        worker.tenure(event.leaseKey).released(event);
        this.#lease(event)?.given(event.epoch, undefined);
        break;
      case "checkpointed":
        worker.tenure(event.leaseKey).checkpointed(event);
        this.#lease(event)?.checkpointed(event);
        break;
      case "batch-started":
        worker.tenure(event.leaseKey).batchStarted(event, this.#at);
        this.#lease(event)?.worked();
        break;
      case "batch-finished":
        worker.tenure(event.leaseKey).isBack(true);
        break;
      case "batch-returned":
        worker.tenure(event.leaseKey).isBack(false);
        break;
      case "processor-failed":
        // Told of its loss it may be called beside a call that still runs.
        if (event.callback !== "leaseLost") worker.tenure(event.leaseKey).isBack(false);
        break;
      case "drained":
        worker.tenure(event.leaseKey).drainedAt(event, this.#options.automaticCheckpoints);
        break;
      case "lease-lost-told":
        worker.tenure(event.leaseKey).lossTold(event);
        break;
      case "processor-stuck":
        worker.process.told.add(event.leaseKey);
        break;
      case "stuck-processor-returned":
        worker.process.isBack(event.leaseKey);
        break;
      case "directive-answered":
        worker.tenure(event.leaseKey).directiveAnswered(event);
        break;
      default:
        break;
    }
  }

  #aboutLeases(event: LeaseholdEvent): void {
    if (event.type === "lease-created") this.#lease(event)?.created(event);
    else if (event.type === "lease-marked") this.#lease(event)?.marked(event, this.#at);
    else if (event.type === "history-archived") this.#lease(event)?.archived(event);
  }

  #aboutOthers(event: LeaseholdEvent, worker: WorkerLife): void {
    switch (event.type) {
      case "fence-sent":
        this.#fences.sent(event, worker, this.#workers.get(event.victim), this.#at);
        break;
      case "fenced":
        this.#fences.fenced(event, worker, this.#workers.get(event.victim), this.#at);
        break;
      case "fence-seen":
        this.#fences.seen(event, worker, this.#workers.get(event.victim), this.#at);
        break;
      case "worker-collected":
        this.#fences.collected(event, worker);
        break;
      case "planner-claimed":
        if (worker.isOver && event.owner === event.workerId) {
          this.#refuse("nothing-after-the-end", "a claim for another at most");
        }
        this.#planner.claimed(event, this.#at);
        break;
      case "planner-elected":
        this.#planner.elected(event, worker.process, this.isWhole);
        break;
      case "planner-deposed":
        this.#planner.deposed(event, worker.process, this.#at);
        break;
      case "planned":
        this.#planner.planned(event);
        break;
      case "directive-posted":
      case "observer-assigned":
        this.#planner.directs(event, worker.process);
        break;
      default:
        break;
    }
  }
}
