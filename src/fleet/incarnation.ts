import { hasCode } from "../model/errors.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { IncarnationEnd } from "../model/reasons.js";
import type { WorkerRow } from "../model/worker-row.js";
import { Belief } from "../tenure/belief.js";
import type { Tenures } from "../tenure/tenures.js";
import type { WorkerMode } from "../tenure/lane-deps.js";
import { Adoption } from "./adoption.js";
import { takeChildren } from "./children.js";
import { Collection } from "./collection.js";
import { ControlLoop } from "./control-loop.js";
import type { FleetDeps } from "./fleet-deps.js";
import { FleetView } from "./fleet-view.js";
import { ForcedFences } from "./forced-fences.js";
import { Giving } from "./giving.js";
import { Heartbeat } from "./heartbeat.js";
import { Housekeeping } from "./housekeeping.js";
import { Inbox } from "./inbox.js";
import { Joining } from "./joining.js";
import type { FirstLook } from "./kcl-watch.js";
import { LeaseView } from "./lease-view.js";
import { countDeath, Leaving, sendLeft } from "./leaving.js";
import type { Member } from "./member.js";
import { tenuresOf } from "./member-tenures.js";
import { News } from "./news.js";
import { Notes } from "./notes.js";
import { Observer } from "./observer.js";
import { Outlook } from "./outlook.js";
import { endOf, mayGoOn, OwnRow } from "./own-row.js";
import { PlannerRole } from "./planner-role.js";
import { Reconcile } from "./reconcile.js";
import { Scanning } from "./scanning.js";
import { Tasks } from "./tasks.js";
import { guarded, WorkerEnd, type IncarnationOutcome } from "./worker-end.js";
import { workerStatus } from "./worker-status.js";

/**
 * One worker: one workerId from the creation of its row to its fence. Wires the parts of the fleet room together and
 * passes what one learns to the others; the rules themselves are in the parts.
 */
export class Incarnation implements Member {
  readonly deps: FleetDeps;
  readonly workerId: string;
  readonly belief: Belief;
  readonly tenures: Tenures;
  readonly fleet: FleetView;
  readonly leases = new LeaseView();
  readonly tasks: Tasks;
  readonly #heartbeat: Heartbeat;
  readonly #observer: Observer;
  readonly #loop: ControlLoop;
  readonly #inbox: Inbox;
  readonly #adoption: Adoption;
  readonly #reconcile: Reconcile;
  readonly #scanning: Scanning;
  readonly #planner: PlannerRole;
  readonly #joining: Joining;
  readonly #leaving: Leaving;
  readonly #news: News;
  readonly #housekeeping: Housekeeping;
  readonly #end = new WorkerEnd(this);
  #mode: WorkerMode = "open";
  /** The operator whose fence this worker has read: it goes on until it has drained or its belief ends. */
  #forcedBy: string | undefined;
  #loops: Promise<unknown> = Promise.resolve();

  /** @param workerId its row has just been created @param look at the lease rows, before that */
  constructor(deps: FleetDeps, workerId: string, look: FirstLook) {
    this.deps = deps;
    this.workerId = workerId;
    const forced = new ForcedFences(deps.clock, deps.config.expiryMs);
    this.fleet = new FleetView(forced, ({ workerId: victim, fenceKind }, by) => {
      const kind = fenceKind === undefined ? {} : { kind: fenceKind };
      deps.emit({ type: "fence-seen", workerId, victim, by, ...kind });
    });
    this.tasks = new Tasks(workerId, deps.emit, this.#fail);
    this.belief = new Belief(deps.clock, deps.config, () => {
      deps.emit({ type: "belief-lapsed", workerId, leases: this.tenures.count });
      // No beat will ever pass again after an operator's fence: what lapsed with it has nothing to come back to.
      if (this.#forcedBy === undefined) this.tenures.lapse();
      else this.#endFenced("fenced", this.#forcedBy);
    });
    this.#reconcile = new Reconcile(this);
    this.tenures = tenuresOf(this, {
      mode: () => (this.#forcedBy !== undefined && this.#mode !== "closed" ? "fenced" : this.#mode),
      inDoubt: (leaseKey) => {
        this.#reconcile.doubt(leaseKey);
      },
      givenUp: (leaseKey) => {
        this.tasks.start(`tell-released ${leaseKey}`, () => this.stirAll());
      },
    });
    this.#scanning = new Scanning(this, look);
    this.#adoption = new Adoption(this, {
      scanIsRecent: () => this.#scanning.isOfThisRound,
      scanFirst: () => {
        this.tasks.start("scan", () => this.#scan());
      },
      readFirst: this.#lookAtAll,
      leftOver: () => {
        if (this.#planner.isPlanner) this.tasks.start("tell-orphans", () => this.stirAll());
      },
    });
    const collection = new Collection(this);
    this.#joining = new Joining(this);
    const notes = new Notes(deps, workerId, this.tasks, {
      seen: (row) => {
        this.fleet.applyWorker(row);
      },
      targetLost: this.#stir,
    });
    this.#inbox = new Inbox(this, new Giving(this, notes, () => this.#mode === "open"), () => {
      this.#heartbeat.hurry();
    });
    this.#housekeeping = new Housekeeping(this, this.#scanning, collection, () => {
      this.tasks.start("tell-news", () => this.stirAll());
    });
    this.#planner = new PlannerRole(this, {
      scanIsFresh: () => this.#scanning.isFresh,
      scanIsOfThisRound: () => this.#scanning.isOfThisRound,
      rescan: () => this.#scanning.scan(false),
      housekeeping: () => {
        this.#housekeeping.round();
      },
    });
    this.#observer = this.#makeObserver();
    this.#heartbeat = this.#makeHeartbeat();
    const parts = {
      ownRow: new OwnRow(this, this.#rowEnded),
      heartbeat: this.#heartbeat,
      observer: this.#observer,
      planner: this.#planner,
      joining: this.#joining,
      notes,
      inbox: this.#inbox,
      collection,
      scanning: this.#scanning,
      reconcile: this.#reconcile,
      readAll: () => this.#loop.wholeRead(),
    };
    const outlook = new Outlook(this, parts, () => this.#mode === "open");
    const hooks = {
      mode: () => this.#mode,
      lookAtAll: this.#lookAtAll,
      stir: this.#stir,
      stirAll: () => this.stirAll(),
    };
    this.#news = new News(this, { ...parts, outlook }, hooks);
    this.#loop = new ControlLoop(this, {
      share: () => outlook.next(),
      read: (read) => {
        this.#news.take(read);
      },
      act: (readWasGood) => {
        this.#act(readWasGood);
      },
    });
    this.#leaving = new Leaving(this, parts);
  }

  /** Resolves when this worker has ended and nothing of it runs any more. */
  get ended(): Promise<IncarnationOutcome> {
    return this.#end.reached;
  }

  get mode(): WorkerMode {
    return this.#mode;
  }

  get isPlanner(): boolean {
    return this.#planner.isPlanner;
  }

  /** Begins to beat and to read the fleet. */
  start(): void {
    this.#loops = Promise.all([
      guarded(this.#heartbeat.run(), this.#fail),
      guarded(this.#loop.run(), this.#fail),
    ]);
  }

  /** A clean stop: drains, hands over, leaves. Resolves through `ended`. */
  leave(): void {
    if (this.#mode !== "open") return;
    this.#mode = "draining";
    this.deps.emit({ type: "draining", workerId: this.workerId });
    void guarded(this.#leaveCleanly(), this.#fail);
  }

  /** Ends the wait of a clean stop: what is not drained is released without its last checkpoint. */
  hurry(): void {
    this.#leaving.hurry();
  }

  /** A partition finished here: its children are taken at once where nothing forbids it. */
  takeChildren(children: readonly string[]): Promise<void> {
    return takeChildren(this, children, () => this.#mode === "open");
  }

  /** Something is there for everybody to look at: counted where all see it, and looked at here at once. */
  async stirAll(): Promise<void> {
    this.#stir();
    await countDeath(this);
  }

  #makeObserver(): Observer {
    return new Observer(this.deps, this.workerId, this.tasks, {
      seen: (row) => {
        if (endOf(row) === "fenced" && !this.fleet.isFenced(row.workerId)) this.#stir();
        this.fleet.applyWorker(row);
      },
      fenced: (row) => {
        this.fleet.applyWorker(row);
        this.tasks.start(`count-death ${row.workerId}`, () => this.stirAll());
      },
    });
  }

  #makeHeartbeat(): Heartbeat {
    return new Heartbeat(this.deps, this.workerId, {
      status: () =>
        workerStatus(this, {
          draining: this.#mode !== "open",
          joining: this.#joining.joining,
          blind: this.#loop.blind,
          ...(this.#planner.status === undefined ? {} : { planner: this.#planner.status }),
        }),
      answeredMail: () => this.#inbox.answeredKeys(),
      rounds: () => this.#loop.rounds,
      acknowledged: (row, sentAt) => {
        this.#acknowledged(row, sentAt);
      },
      ended: this.#rowEnded,
      failed: (error) => {
        this.tasks.failed("beat", error);
      },
    });
  }

  #acknowledged(row: WorkerRow, sentAt: Reading): void {
    if (this.#mode === "closed") return;
    const { clock, emit } = this.deps;
    this.belief.extend(sentAt);
    const ageMs = holderElapsedMs(sentAt, clock.now());
    emit({ type: "beat-acknowledged", workerId: this.workerId, beat: row.beat, ageMs });
    this.#observer.beatAcknowledged();
    this.fleet.applyWorker(row);
    this.#inbox.acknowledged(row);
    if (this.tenures.hasLapsed && this.belief.holds())
      this.tasks.start("resume", () => this.tenures.resume());
    this.#inbox.deliver(row, this.#mode !== "open");
    if (row.beat === 1) this.#adopt(); // The rows were scanned before: only the belief was missing.
  }

  #act(readWasGood: boolean): void {
    if (this.#mode === "closed") return;
    this.#joining.round();
    if (readWasGood) this.#planner.round(this.#mode === "open" && this.belief.holds());
    if (this.fleet.reads > 0 && this.#scanning.isDue(this.#planner.isPlanner, this.#planner.planIsFresh)) {
      this.tasks.start("scan", () => this.#scan());
    }
    this.#reconcile.round();
    this.#adopt();
  }

  async #scan(): Promise<void> {
    if (!(await this.#scanning.scan(false))) return;
    if (this.#scanning.foundNothing) this.#housekeeping.discoverNow();
    this.#adopt();
  }

  #adopt(): void {
    if (this.#mode === "open" && this.belief.holds()) this.#adoption.look(this.#news.isWarm);
  }

  readonly #lookAtAll = (): void => {
    this.#loop.lookAtAll();
  };

  /** Looks at the whole fleet, consistently, and at the lease rows, in a round that begins at once. */
  readonly #stir = (): void => {
    this.#scanning.want();
    this.#lookAtAll();
  };

  async #leaveCleanly(): Promise<void> {
    await this.#leaving.run();
    if (this.#isClosed()) return;
    // An operator's fence stands in the row: there is nothing left to say in it.
    if (this.#forcedBy !== undefined) {
      this.#endFenced("fenced", this.#forcedBy);
      return;
    }
    this.#close("stop");
    try {
      await sendLeft(this);
    } finally {
      await this.#over({ reason: "left" });
    }
  }

  // A method, so that the compiler does not take the mode for what it was before a call.
  #isClosed(): boolean {
    return this.#mode === "closed";
  }

  readonly #rowEnded = (row: WorkerRow | undefined): void => {
    const reason = endOf(row);
    if (this.#isClosed() || reason === undefined) return;
    if (!mayGoOn(row) || !this.belief.holds()) this.#endFenced(reason, row?.fencedBy);
    else if (this.#forcedBy === undefined) this.#drainForced(row.fencedBy);
  };

  /** An operator's fence proves no silence: what is believed is drained and handed over, until the belief ends. */
  #drainForced(by: string): void {
    const { deps, workerId, belief } = this;
    this.#forcedBy = by;
    deps.emit({ type: "force-fenced", workerId, by, remainingMs: belief.remainingMs() });
    // Its beats are refused from now on, so the belief grows no more, whatever answer is still under way.
    this.#heartbeat.stop();
    this.leave();
  }

  #endFenced(reason: IncarnationEnd, by: string | undefined): void {
    if (this.#isClosed()) return;
    this.#close("fenced");
    void this.#over({ reason }, by);
  }

  readonly #fail = (error: unknown): void => {
    if (this.#mode === "closed") return;
    this.#close("store-lost");
    void this.#over({ reason: hasCode(error, "table-missing") ? "table-missing" : "failed", error });
  };

  #close(reason: "stop" | "fenced" | "store-lost"): void {
    this.#mode = "closed";
    this.belief.end();
    this.tenures.endAll(reason);
    this.#heartbeat.stop();
    this.#observer.stop();
    this.#loop.stop();
    this.#leaving.hurry();
    this.tasks.close();
  }

  #over(outcome: IncarnationOutcome, by?: string): Promise<void> {
    return this.#end.reach(outcome, this.#loops, by);
  }
}
