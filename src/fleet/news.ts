import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { FleetChanges } from "./fleet-view.js";
import type { FleetRead } from "./fleet-read.js";
import type { Collection } from "./collection.js";
import type { Inbox } from "./inbox.js";
import type { Member } from "./member.js";
import type { Notes } from "./notes.js";
import type { Observer } from "./observer.js";
import type { Outlook } from "./outlook.js";
import type { OwnRow } from "./own-row.js";
import type { PlannerRole } from "./planner-role.js";
import { nameObservers } from "./rota.js";
import type { Reconcile } from "./reconcile.js";
import type { Scanning } from "./scanning.js";

export interface NewsParts {
  readonly ownRow: OwnRow;
  readonly observer: Observer;
  readonly notes: Notes;
  readonly collection: Collection;
  readonly inbox: Inbox;
  readonly outlook: Outlook;
  readonly scanning: Scanning;
  readonly reconcile: Reconcile;
  readonly planner: PlannerRole;
}

export interface NewsHooks {
  mode(): "open" | "draining" | "closed";
  /** The whole fleet is to be read, consistently, at once. */
  lookAtAll(): void;
  /** The same, and the lease rows. */
  stir(): void;
  /** The same for everybody. */
  stirAll(): Promise<void>;
}

/** What follows from a good read of the fleet: every part is shown what it may conclude from, and nothing more. */
export class News {
  readonly #member: Member;
  readonly #parts: NewsParts;
  readonly #hooks: NewsHooks;
  readonly #createdAt: Reading;
  #warm = false;

  constructor(member: Member, parts: NewsParts, hooks: NewsHooks) {
    this.#member = member;
    this.#createdAt = member.deps.clock.now();
    this.#parts = parts;
    this.#hooks = hooks;
  }

  /** Whether this worker has waited its p after its creation and read the fleet again. */
  get isWarm(): boolean {
    return this.#warm;
  }

  take(read: FleetRead): void {
    const { rows, asked, sentAt, receivedAt } = read;
    const { fleet, deps } = this.#member;
    const { ownRow, observer, notes, collection, inbox, outlook } = this.#parts;
    if (this.#hooks.mode() === "closed") return;
    const own = ownRow.find(rows);
    if (this.#hooks.mode() === "closed") return;
    this.#follow(
      asked === undefined ? fleet.apply(rows, receivedAt) : fleet.applyPart(rows),
      asked !== undefined,
    );
    // At its creation, as soon as it knows anybody.
    if (asked === undefined && fleet.reads === 1) {
      this.#member.tasks.start("name-observers", () => nameObservers(this.#member));
    }
    observer.read(rows.workers, receivedAt, asked);
    notes.read(rows.workers, asked);
    outlook.sawFleet(read);
    // Fifteen minutes of reading other rows say nothing of a fenced one.
    if (asked === undefined) collection.watch();
    // Not gone, only not seen: whether there is such a row, a whole and consistent read says.
    else if (rows.workers.length < asked.size) this.#hooks.lookAtAll();
    if (rows.planner !== undefined) inbox.sawPlannerEpoch(rows.planner.epoch);
    this.#warm ||= holderElapsedMs(this.#createdAt, sentAt) >= deps.config.pollIntervalMs;
    if (own !== undefined) inbox.deliver(own, this.#hooks.mode() !== "open");
  }

  #follow({ newlyFenced, newlyDraining, newlyFree, deathsRose }: FleetChanges, inPart: boolean): void {
    const { workerId } = this.#member;
    const { scanning, reconcile, planner } = this.#parts;
    if (newlyFenced.length > 0 || newlyFree) scanning.want();
    // This read may show the count and not yet the row that it was raised for; or the row, read for itself alone.
    if (deathsRose || (inPart && newlyFenced.length > 0)) this.#hooks.stir();
    // A parent counts no death. Where nobody reads every row but those near the planner lease, the planner tells.
    if (planner.isPlanner && newlyFenced.some(({ fenceKind }) => fenceKind === "parent"))
      this.#member.tasks.start("tell-fence", () => this.#hooks.stirAll());
    // Whoever leaves or died may have handed something over without its note. Of one whose row is not read here it is
    // known when it has left or was fenced, and counted.
    const leaves = newlyDraining.some((row) => row.workerId !== workerId);
    if (newlyFenced.length > 0 || leaves) reconcile.want();
  }
}
