import { allAreObserved, observedBy, observesAll } from "../model/observers.js";
import { formatNumber } from "../model/worker-row.js";
import type { FleetRead, Share } from "./fleet-read.js";
import type { Joining } from "./joining.js";
import type { Member } from "./member.js";
import type { Notes } from "./notes.js";
import type { PlannerRole } from "./planner-role.js";

export interface OutlookParts {
  readonly planner: PlannerRole;
  readonly joining: Joining;
  readonly notes: Notes;
}

/**
 * What a worker reads of the fleet each round (protocol, "Who observes whom"). In a small fleet, or near the planner lease,
 * all of it; otherwise its own row, the planner's, and those in whose observers' rows it was named: what a fleet reads then
 * grows with its workers, not with their square.
 */
export class Outlook {
  readonly #member: Member;
  readonly #parts: OutlookParts;
  readonly #isOpen: () => boolean;
  /** Whether every row had its observers when all were last read. Whoever dies or leaves has all read again. */
  #allAreObserved = false;
  /** Marks in the own row that a whole, consistent read found nobody for: their workers are gone. */
  #gone: ReadonlySet<string> = new Set();

  /** @param isOpen false once the worker leaves */
  constructor(member: Member, parts: OutlookParts, isOpen: () => boolean) {
    this.#member = member;
    this.#parts = parts;
    this.#isOpen = isOpen;
  }

  next(): Share {
    const { fleet, workerId } = this.#member;
    const own = fleet.row(workerId);
    const planner = fleet.planner?.owner;
    const { workers } = fleet;
    if (!this.#allAreObserved || own === undefined || planner === undefined) return "all";
    // A format that may be raised is in `meta`, which only a whole read shows.
    if ((fleet.meta?.format ?? formatNumber) < formatNumber) return "all";
    if (this.#needsAll() || observesAll(workerId, planner, workers)) return "all";
    const { known, strangers } = observedBy(own, workers);
    // Named an observer of a worker that came after the last whole read: only such a read says who that is.
    if (strangers.some((mark) => !this.#gone.has(mark))) return "all-consistent";
    return [...new Set([workerId, planner, ...known, ...this.#parts.notes.awaited()])];
  }

  /**
   * Whether what this worker does at present rests on rows that others observe: it plans, judges a silent planner, leaves,
   * or joins and measures itself by the loads of all.
   */
  #needsAll(): boolean {
    const { planner, joining } = this.#parts;
    return !this.#isOpen() || joining.joining || planner.isPlanner || !planner.planIsFresh;
  }

  /** After each good read, and after the view has taken it in. */
  sawFleet({ asked, consistent }: FleetRead): void {
    if (asked !== undefined) return;
    const { fleet, workerId } = this.#member;
    const { workers } = fleet;
    this.#allAreObserved = allAreObserved(workers);
    const own = fleet.row(workerId);
    const strangers = own === undefined ? [] : observedBy(own, workers).strangers;
    this.#gone = new Set(consistent ? strangers : strangers.filter((mark) => this.#gone.has(mark)));
  }
}
