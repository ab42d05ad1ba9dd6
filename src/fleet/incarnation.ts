import { LeaseholdError, StoreError } from "../model/errors.js";
import type { Lease } from "../model/lease.js";
import { holderElapsedMs, type Reading } from "../model/reading.js";
import type { IncarnationEnd } from "../model/reasons.js";
import { tombstoneBeat, type FleetRows, type WorkerRow, type WorkerStatus } from "../model/worker-row.js";
import { attempts } from "../runtime/attempts.js";
import { Belief } from "../tenure/belief.js";
import { Tenures } from "../tenure/tenures.js";
import type { TenuresMode } from "../tenure/lane-deps.js";
import { Adoption } from "./adoption.js";
import { takeChildren } from "./children.js";
import { Collection } from "./collection.js";
import { ControlLoop } from "./control-loop.js";
import type { FleetDeps } from "./fleet-deps.js";
import { FleetView } from "./fleet-view.js";
import { Giving } from "./giving.js";
import { Heartbeat } from "./heartbeat.js";
import { Housekeeping } from "./housekeeping.js";
import { Inbox } from "./inbox.js";
import { Joining } from "./joining.js";
import { LeaseView } from "./lease-view.js";
import { countDeath, Leaving } from "./leaving.js";
import type { Member } from "./member.js";
import { Notes } from "./notes.js";
import { Observer } from "./observer.js";
import { PlannerRole } from "./planner-role.js";
import { Reconcile } from "./reconcile.js";
import { Scanning } from "./scanning.js";
import { Tasks } from "./tasks.js";

export interface IncarnationOutcome {
  readonly reason: IncarnationEnd;
  readonly error?: unknown;
}

/** The row stays below 1,000 bytes: above, every beat costs double. */
const failingShown = 3;

/**
 * One worker: one workerId from the creation of its row to its fence. Wires the parts of the fleet room together and
 * passes what one learns to the others; the rules themselves are in the parts.
 */
export class Incarnation implements Member {
  readonly deps: FleetDeps;
  readonly workerId: string;
  readonly belief: Belief;
  readonly tenures: Tenures;
  readonly fleet = new FleetView();
  readonly leases = new LeaseView();
  readonly tasks: Tasks;
  /** Resolves when this worker has ended and nothing of it runs any more. */
  readonly ended: Promise<IncarnationOutcome>;
  readonly #createdAt: Reading;
  readonly #heartbeat: Heartbeat;
  readonly #observer: Observer;
  readonly #loop: ControlLoop;
  readonly #inbox: Inbox;
  readonly #notes: Notes;
  readonly #adoption: Adoption;
  readonly #reconcile: Reconcile;
  readonly #scanning: Scanning;
  readonly #planner: PlannerRole;
  readonly #collection: Collection;
  readonly #joining: Joining;
  readonly #leaving: Leaving;
  #mode: TenuresMode = "open";
  #warm = false;
  #lookAtAll = false;
  #finish: (outcome: IncarnationOutcome) => void = () => undefined;
  #loops: Promise<unknown> = Promise.resolve();

  /** @param workerId its row has just been created */
  constructor(deps: FleetDeps, workerId: string) {
    this.deps = deps;
    this.workerId = workerId;
    this.#createdAt = deps.clock.now();
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.tasks = new Tasks(workerId, deps.emit, (error) => {
      this.#fail(error);
    });
    this.belief = new Belief(deps.clock, deps.config, () => {
      deps.emit({ type: "belief-lapsed", workerId, leases: this.tenures.count });
      this.tenures.lapse();
    });
    this.#reconcile = new Reconcile(this);
    this.tenures = this.#makeTenures();
    this.#scanning = new Scanning(this);
    this.#adoption = new Adoption(this);
    this.#collection = new Collection(this);
    this.#joining = new Joining(this);
    this.#notes = new Notes(deps, workerId, this.tasks, {
      seen: (row) => {
        this.fleet.applyWorker(row);
      },
      targetLost: () => {
        this.#stir();
      },
    });
    this.#inbox = new Inbox(this, new Giving(this, this.#notes), () => {
      this.#heartbeat.hurry();
    });
    const housekeeping = new Housekeeping(this, this.#scanning, this.#collection, () => {
      this.tasks.start("tell-created", () => this.stirAll());
    });
    this.#planner = new PlannerRole(this, {
      scanIsFresh: () => this.#scanning.isFresh,
      housekeeping: () => {
        housekeeping.round();
      },
    });
    this.#observer = this.#makeObserver();
    this.#heartbeat = this.#makeHeartbeat();
    this.#loop = new ControlLoop(this, {
      wantsConsistent: () => this.#lookAtAll,
      read: (rows, sentAt, receivedAt) => {
        this.#read(rows, sentAt, receivedAt);
      },
      act: () => {
        this.#act(housekeeping);
      },
    });
    this.#leaving = new Leaving(this, {
      notes: this.#notes,
      heartbeat: this.#heartbeat,
      planner: this.#planner,
      scanning: this.#scanning,
    });
  }

  get mode(): TenuresMode {
    return this.#mode;
  }

  get isPlanner(): boolean {
    return this.#planner.isPlanner;
  }

  /** Begins to beat and to read the fleet. */
  start(): void {
    this.#loops = Promise.all([this.#guarded(this.#heartbeat.run()), this.#guarded(this.#loop.run())]);
  }

  /** A clean stop: drains, hands over, leaves. Resolves through `ended`. */
  leave(): void {
    if (this.#mode !== "open") return;
    this.#mode = "draining";
    this.deps.emit({ type: "draining", workerId: this.workerId });
    void this.#guarded(this.#leaveCleanly());
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

  #makeTenures(): Tenures {
    const { deps, workerId, belief } = this;
    return new Tenures({
      workerId,
      belief,
      clock: deps.clock,
      random: deps.random,
      config: deps.config,
      host: deps.host,
      emit: deps.emit,
      ownership: deps.store.ownership,
      checkpoints: deps.store.checkpoints,
      leases: deps.store.leases,
      history: deps.store.history,
      mode: () => this.#mode,
      onRow: (row) => {
        this.leases.apply(row);
        // Given up for others to take: with a fresh plan nobody scans, so everybody is told to look.
        if (isGivenUp(row)) this.tasks.start(`tell-released ${row.leaseKey}`, () => this.stirAll());
      },
      onGone: (leaseKey) => {
        this.leases.remove(leaseKey);
      },
      onDoubt: (leaseKey) => {
        this.#reconcile.doubt(leaseKey);
      },
      onStoreError: (operation) => (error) => {
        this.tasks.failed(operation, error);
      },
    });
  }

  #makeObserver(): Observer {
    return new Observer(this.deps, this.workerId, this.tasks, {
      seen: (row) => {
        if (row.fencedBy !== undefined && !this.fleet.isFenced(row.workerId)) this.#stir();
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
      status: () => this.#status(),
      answeredMail: () => this.#inbox.answeredKeys(),
      rounds: () => this.#loop.rounds,
      believes: () => this.belief.holds(),
      acknowledged: (row, sentAt) => {
        this.#acknowledged(row, sentAt);
      },
      ended: (row) => {
        this.#rowEnded(row);
      },
      failed: (error) => {
        this.tasks.failed("beat", error);
      },
    });
  }

  #status(): WorkerStatus {
    const held = this.tenures.held();
    const { host } = this.deps;
    const { utilisation, failing } = host.load();
    return {
      draining: this.#mode !== "open",
      joining: this.#joining.joining,
      blind: this.#loop.blind,
      leases: held.length,
      weight: held.reduce((sum, { row }) => sum + (row.throughputKBps ?? 0), 0),
      utilisation,
      unfit: host.unfit(),
      failing: failing.slice(0, failingShown),
      ...(this.#planner.status === undefined ? {} : { planner: this.#planner.status }),
    };
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
  }

  #read(rows: FleetRows, sentAt: Reading, receivedAt: Reading): void {
    if (this.#mode === "closed") return;
    this.#lookAtAll = false;
    const own = rows.workers.find(({ workerId }) => workerId === this.workerId);
    if (own?.fencedBy !== undefined) {
      this.#rowEnded(own);
      return;
    }
    if (own === undefined) this.tasks.start("own-row", () => this.#lookForOwnRow());
    const { newlyFenced, newlyDraining, deathsRose } = this.fleet.apply(rows);
    for (const { workerId: victim } of newlyFenced) {
      this.deps.emit({ type: "fence-seen", workerId: this.workerId, victim });
    }
    this.#observer.read(rows.workers, receivedAt);
    this.#notes.read(rows.workers);
    this.#collection.watch();
    if (rows.planner !== undefined) this.#inbox.sawPlannerEpoch(rows.planner.epoch);
    if (newlyFenced.length > 0 || deathsRose) this.#scanning.want();
    // Whoever leaves or died may have handed something over without its note.
    if (newlyFenced.length > 0 || newlyDraining.length > 0) this.#reconcile.want();
    if (!this.#warm) {
      this.#warm = holderElapsedMs(this.#createdAt, sentAt) >= this.deps.config.pollIntervalMs;
    }
    if (own !== undefined) this.#inbox.deliver(own, this.#mode !== "open");
  }

  #act(housekeeping: Housekeeping): void {
    if (this.#mode === "closed") return;
    this.#joining.round();
    this.#planner.round(this.#mode === "open" && !this.#loop.blind && this.belief.holds());
    if (this.fleet.reads > 0 && this.#scanning.isDue(this.#planner.isPlanner, this.#planner.planIsFresh)) {
      this.tasks.start("scan", async () => {
        if (!(await this.#scanning.scan(false))) return;
        if (this.#scanning.foundNothing) housekeeping.discoverNow();
        this.#adopt();
      });
    }
    this.#reconcile.round();
    this.#adopt();
  }

  #adopt(): void {
    if (this.#mode === "open" && this.belief.holds()) this.#adoption.look(this.#warm);
  }

  /** Looks at the whole fleet, consistently, and at the lease rows, in a round that begins at once. */
  #stir(): void {
    this.#lookAtAll = true;
    this.#scanning.want();
    this.#loop.hurry();
  }

  async #lookForOwnRow(): Promise<void> {
    const { clock, random, config, store } = this.deps;
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.attemptTimeoutMs },
      ({ signal }) => store.membership.readWorker(this.workerId, { consistent: true, signal }),
    );
    if (!result.ok) return;
    const row = result.value;
    if (row === undefined || row.fencedBy !== undefined || row.beat === tombstoneBeat) this.#rowEnded(row);
  }

  async #leaveCleanly(): Promise<void> {
    await this.#leaving.run();
    if (this.#mode === "closed") return;
    // From the sending of `left` on this worker believes, beats, takes and accepts nothing.
    this.#close("stop");
    const { clock, random, config, store, emit } = this.deps;
    emit({ type: "leave-sent", workerId: this.workerId });
    const result = await attempts(
      clock,
      random,
      { attemptTimeoutMs: config.attemptTimeoutMs, withinMs: config.leaseDurationMs },
      ({ signal }) => store.membership.leave(this.workerId, { signal }),
    );
    // Not left by its own word, it is fenced by the others' in time: nothing is lost but that time.
    if (result.ok) await countDeath(this);
    else this.tasks.failed("leave", result.error);
    await this.#over({ reason: "left" });
  }

  #rowEnded(row: WorkerRow | undefined): void {
    if (this.#mode === "closed") return;
    const reason: IncarnationEnd =
      row === undefined ? "row-missing" : row.fencedBy !== undefined ? "fenced" : "tombstone";
    this.#close("fenced");
    void this.#over({ reason }, row?.fencedBy);
  }

  #fail(error: unknown): void {
    if (this.#mode === "closed") return;
    this.#close("store-lost");
    const missing = error instanceof StoreError && error.code === "table-missing";
    void this.#over({ reason: missing ? "table-missing" : "failed", error });
  }

  #close(reason: "stop" | "fenced" | "store-lost"): void {
    this.#mode = "closed";
    this.belief.end();
    this.tenures.endAll(reason);
    this.#heartbeat.stop();
    this.#observer.stop();
    this.#loop.stop();
    this.#leaving.hurry();
  }

  async #over(outcome: IncarnationOutcome, by?: string): Promise<void> {
    await Promise.all([this.#loops, this.tasks.settle()]);
    const { reason } = outcome;
    this.deps.emit({
      type: "worker-ended",
      workerId: this.workerId,
      reason,
      ...(by === undefined ? {} : { by }),
    });
    this.#finish(outcome);
  }

  /** The loops handle their own errors; one that escapes is a mistake in the code and ends the worker loudly. */
  async #guarded(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (error) {
      this.#fail(
        error instanceof LeaseholdError ? error : new Error("the worker's own loop failed", { cause: error }),
      );
    }
  }
}

function isGivenUp({ owner, tenure }: Lease): boolean {
  const cause = tenure?.reason === "released" ? tenure.cause : undefined;
  return owner === undefined && (cause === "stuck" || cause === "silent" || cause === "failed");
}
