import type { LeaseholdEvent } from "../model/events.js";
import type { Lease } from "../model/lease.js";
import { isLive, tombstoneBeat, type PlannerRow, type WorkerRow } from "../model/worker-row.js";
import type { MemorySnapshot } from "../store/memory/index.js";
import type { Transition } from "./coverage.js";
import type { StoreTraffic } from "./simulated-store.js";

/** A child that is begun so soon after its parent's end, by whoever ended that, was taken because of it, ms. */
const atOnceMs = 2_000;

/** What the counting needs to know of the simulation. */
export interface TransitionWitness {
  readonly nowMs: () => number;
  readonly blindGapMs: number;
}

/** Counts what a fleet goes through: by its events, by the rows, and by the calls that reach the store. */
export class Transitions {
  readonly counts = new Map<string, number>();
  readonly #witness: TransitionWitness;
  /** By worker, and by lease where it is one lease's: what the next event of the two is compared with. */
  readonly #last = new Map<string, { readonly what: string; readonly atMs: number }>();
  readonly #arrived = new Map<string, number>();
  #planner: PlannerRow | undefined;

  constructor(witness: TransitionWitness) {
    this.#witness = witness;
  }

  /** An event of a worker; `rows` as they stand at its instant. */
  event(event: LeaseholdEvent, rows: MemorySnapshot): void {
    const { workerId } = event;
    switch (event.type) {
      case "beat-acknowledged":
        this.#acknowledged(workerId, event.beat);
        break;
      case "worker-created":
        this.#count("worker-created");
        break;
      case "worker-ended":
        this.#count(`worker-ended:${event.reason}`);
        break;
      case "change-failed":
        this.#count(`${event.outcome}:${event.change}`);
        break;
      case "reconciled":
        this.#note(`${workerId} ${event.leaseKey}`, "reconciled");
        break;
      case "tenure-began":
        this.#began(event);
        break;
      case "note-answered":
        if (this.#takeLast(`${workerId} ${event.leaseKey} ${String(event.epoch)}`, "handed"))
          this.#count("handoff-begun-from-note");
        break;
      case "released":
        if (this.#takeLast(`${workerId} ${event.leaseKey}`, "reconciled"))
          this.#count("reconciled-by-release");
        break;
      case "partition-ended":
        this.#count("partition-ended");
        for (const child of event.children) this.#note(`${workerId} ${child}`, "parent ended");
        break;
      case "directive-posted":
        this.#count("directive-posted");
        if (rows.planner !== undefined && rows.planner.owner !== workerId) {
          this.#count("directive-of-deposed");
        }
        break;
      case "directive-answered":
        this.#count(`directive:${event.answer}`);
        break;
      case "checkpoint-refused":
        this.#count(`checkpoint-refused:${event.reason}`);
        break;
      case "lease-lost-told":
        this.#count(`lost:${event.reason}`);
        break;
      default:
        this.#count(event.type);
    }
  }

  /** A call as it reaches the store. */
  traffic({ operation, args }: StoreTraffic): void {
    if (operation === "membership.beat") {
      const { workerId, beat } = args[0] as { readonly workerId: string; readonly beat: number };
      this.#arrive(`beat ${workerId} ${String(beat + 1)}`);
    }
  }

  /** A process comes back as a new worker. */
  rejoined(): void {
    this.#count("rejoined");
  }

  /** A tenure of a leaver ended before its work was drained. */
  stoppedUndrained(): void {
    this.#count("stop-undrained");
  }

  lease(before: Lease | undefined, after: Lease, rows: MemorySnapshot): void {
    if (after.epoch === before?.epoch || after.tenure === undefined) return;
    const { reason, cause } = after.tenure;
    switch (reason) {
      case "taken-from-fenced": {
        const owner = before?.owner === undefined ? undefined : rows.worker(before.owner);
        const how = owner?.beat === tombstoneBeat ? "tombstone" : owner?.fenceKind;
        this.#count(`taken-from-fenced:${how ?? "gone"}`);
        break;
      }
      case "handoff":
        this.#count(cause === "stop" ? "handoff:stop" : "handoff");
        break;
      case "released":
        this.#count(`released:${cause ?? "nobody says why"}`);
        break;
      default:
        this.#count(reason);
    }
  }

  worker(before: WorkerRow | undefined, after: WorkerRow): void {
    if (after.fencedBy !== undefined && before?.fencedBy === undefined) {
      const isTombstone = after.beat === tombstoneBeat && after.fenceKind === "observer";
      this.#count(isTombstone ? "tombstone-fenced" : `fenced:${after.fenceKind ?? "forced"}`);
    }
    if (before === undefined) return;
    if (after.blind && !before.blind) this.#count("blind");
    if (!after.blind && before.blind) this.#count("blind-ended");
  }

  planner(after: PlannerRow | undefined, rows: MemorySnapshot): void {
    const before = this.#planner;
    this.#planner = after;
    if (after?.owner === before?.owner || after?.owner === undefined || before?.owner === undefined) return;
    const old = rows.worker(before.owner);
    if (old === undefined || !isLive(old)) return;
    this.#count(old.draining ? "planner-passed-on" : "planner-taken-from-live");
  }

  /** What was handed over and begun without anybody answering its note was found in the rows. */
  end(): void {
    for (const { what } of this.#last.values()) {
      if (what === "handed") this.#count("handoff-begun-from-reconcile");
    }
  }

  #acknowledged(workerId: string, beat: number): void {
    this.#count("beat-acknowledged");
    if ((this.#arrived.get(`beat ${workerId} ${String(beat)}`) ?? 0) > 1) this.#count("beat-repeated");
    this.#arrived.delete(`beat ${workerId} ${String(beat)}`);
    const before = this.#last.get(workerId);
    const gapMs = this.#witness.nowMs() - (before?.atMs ?? Infinity);
    if (gapMs > this.#witness.blindGapMs) this.#count("observation-restarted");
    this.#note(workerId, "beat");
  }

  #began(event: Extract<LeaseholdEvent, { type: "tenure-began" }>): void {
    this.#count("tenure-began");
    const { workerId, leaseKey, epoch, how } = event;
    const key = `${workerId} ${leaseKey}`;
    if (how === "resumed" && this.#takeLast(key, "reconciled")) this.#count("reconciled-by-raise");
    else if (this.#takeLast(key, "parent ended")) this.#count("children-taken-by-finisher");
    if (how === "handoff") this.#note(`${key} ${String(epoch)}`, "handed");
  }

  #note(key: string, what: string): void {
    this.#last.set(key, { what, atMs: this.#witness.nowMs() });
  }

  /** Whether this came just before, for the same worker and lease; it is forgotten then. */
  #takeLast(key: string, what: string): boolean {
    const last = this.#last.get(key);
    if (last?.what !== what) return false;
    this.#last.delete(key);
    return what !== "parent ended" || this.#witness.nowMs() - last.atMs <= atOnceMs;
  }

  #arrive(key: string): void {
    this.#arrived.set(key, (this.#arrived.get(key) ?? 0) + 1);
  }

  // Names beyond the list are counted too: they show in a report and are demanded of nobody.
  #count(name: Transition | (string & {})): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
