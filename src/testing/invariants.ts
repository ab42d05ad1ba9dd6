import { clockRateBound, type ProtocolConfig } from "../model/config.js";
import type { LeaseholdEvent } from "../model/events.js";
import { parentsAreDone, type Lease } from "../model/lease.js";
import { isFinished } from "../model/position.js";
import { isLive } from "../model/worker-row.js";
import type { CheckpointWrite } from "../store/checkpoints.js";
import type { HeldLease } from "../tenure/tenure.js";
import { BeliefOracle } from "./belief-oracle.js";
import { Collected } from "./collected.js";
import { Deletion } from "./deletion.js";
import { DrainChecks } from "./drain-checks.js";
import { Liveness } from "./liveness.js";
import { MoveFloor } from "./move-floor.js";
import type { ByHand } from "./operator.js";
import type { Processes } from "./processes.js";
import { Rest } from "./rest.js";
import { healedAtMs, type Scenario } from "./scenario.js";
import { Transitions } from "./transitions.js";
import type { Weather } from "./weather.js";
import { Ledger } from "./ledger.js";
import { RowChecks } from "./row-checks.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { SimulatedStream } from "./simulated-stream.js";
import type { SimulatedStore, StoreTraffic } from "./simulated-store.js";
import type { InvariantName, Report } from "./violation.js";

/** Something that is not well again. */
export interface Unhealed {
  readonly invariant: InvariantName;
  /** The lease's key, or the worker's id. */
  readonly about: string;
  readonly what: string;
}

export interface InvariantDeps {
  readonly config: ProtocolConfig;
  readonly scenario: Scenario;
  /** True time since the start, ms. */
  readonly nowMs: () => number;
  readonly store: SimulatedStore;
  readonly stream: SimulatedStream;
  readonly weather: Weather;
  readonly processes: () => Processes;
}

/** How long a processor that failed waits at most, by default, ms. */
const longestRetryMs = 60_000;

/** Everything that is checked while a simulation runs. */
export class Invariants implements ByHand {
  readonly oracle: BeliefOracle;
  readonly ledger: Ledger;
  readonly rows: RowChecks;
  readonly drains: DrainChecks;
  readonly liveness: Liveness;
  readonly rest: Rest;
  readonly floor: MoveFloor;
  readonly collected: Collected;
  readonly deletion: Deletion;
  readonly transitions: Transitions;
  /** Leases whose rows people deleted: with them went tenures that no history has. */
  readonly deletedByHand = new Set<string>();
  readonly #store: SimulatedStore;
  readonly #stream: SimulatedStream;
  readonly #report: Report;
  readonly #processes: () => Processes;
  /** Tenures that were told of their loss. */
  readonly #told = new Set<string>();
  /** Checkpoints that reached the store, by their write ids. */
  readonly #checkpoints = new Map<string, CheckpointWrite>();

  constructor(deps: InvariantDeps, report: Report) {
    const { config, scenario, store, stream, weather, nowMs } = deps;
    this.#store = store;
    this.#stream = stream;
    this.#report = report;
    this.#processes = deps.processes;
    this.oracle = new BeliefOracle(config.leaseDurationMs - config.safetyMarginMs, report);
    this.ledger = new Ledger(stream.shards, report);
    this.transitions = new Transitions({ nowMs, blindGapMs: config.blindGapMs });
    const { oracle, ledger, transitions } = this;
    const believedBy = (workerId: string): ReadonlyMap<string, number> => oracle.believedBy(workerId);
    this.drains = new DrainChecks(
      {
        nowMs,
        row: (leaseKey) => store.rows.view().lease(leaseKey),
        indexOf: (lease) => ledger.indexOfCheckpoint(lease),
        clearSinceMs: ({ slot }) =>
          weather.clearSinceMs("outage", "store", "rows", `store ${slot}`, `process ${slot}`, `work ${slot}`),
        graceMs: config.shutdownGraceMs,
        isExplicit: scenario.checkpointing === "explicit",
        onUndrained: () => {
          transitions.stoppedUndrained();
        },
      },
      report,
    );
    this.liveness = new Liveness(
      {
        config,
        retryMs: scenario.retry?.longestMs ?? longestRetryMs,
        nowMs,
        rows: () => store.rows.view(),
        processes: deps.processes,
        weather,
        ledger,
        believedBy,
      },
      report,
    );
    this.collected = new Collected({ config, healedAtMs: healedAtMs(scenario), nowMs }, report);
    this.deletion = new Deletion({ config, weather, nowMs }, report);
    this.rest = new Rest(
      {
        config,
        healedAtMs: healedAtMs(scenario),
        produceUntilMs: scenario.produceUntilMs,
        nowMs,
        leases: () => store.rows.view().scan().leases.length,
      },
      report,
    );
    this.floor = new MoveFloor({ config, nowMs }, report);
    this.rows = new RowChecks(
      store.rows,
      {
        remainingMs: (workerId) => (believedBy(workerId).size === 0 ? 0 : oracle.remainingMs(workerId)),
        undone: (lease) => ledger.undone(lease),
        checkpointBy: (writeId) => this.#checkpoints.get(writeId),
        nowMs,
        // On the fastest clock within the bound T is over so soon.
        forcedFreeMs: config.expiryMs / (1 + clockRateBound),
      },
      report,
      {
        leaseChanged: (before, after, rows) => {
          transitions.lease(before, after, rows);
          this.floor.leaseChanged(before, after, rows);
        },
        workerChanged: (before, after) => {
          transitions.worker(before, after);
          this.floor.workerChanged(before, after);
          if (after.fencedBy === undefined || before?.fencedBy !== undefined) return;
          this.liveness.fenced(after);
          this.collected.fenced(after);
        },
        plannerChanged: (after, rows) => {
          transitions.planner(after, rows);
        },
      },
    );
  }

  /** A call as it is applied. */
  traffic(traffic: StoreTraffic): void {
    this.transitions.traffic(traffic);
    const { operation, args } = traffic;
    if (operation === "tables.prepare") this.deletion.traffic(traffic, this.#ofSlot(traffic.worker));
    if (operation !== "checkpoints.write") return;
    const write = args[0] as CheckpointWrite;
    this.#checkpoints.set(write.writeId, write);
  }

  /** An event, at its instant, before anything follows from it. */
  event(process: SimulatedProcess, event: LeaseholdEvent): void {
    this.drains.event(process, event);
    this.rest.event(event);
    this.deletion.event(process, event);
    this.collected.event(event);
    if (event.type === "draining" && process.state === "stopping") this.liveness.leaves(event.workerId);
    if (event.type === "worker-created" && process.workerIds.length > 1) this.transitions.rejoined();
    this.transitions.event(event, this.#store.rows.view());
    this.oracle.take(event, process.clock);
    if (event.type !== "tenure-began") return;
    this.ledger.begin(event.workerId, event.leaseKey, event.checkpoint);
    this.liveness.began(event.workerId, event.leaseKey);
    this.#checkParents(event.leaseKey);
  }

  delivered(process: SimulatedProcess, lease: HeldLease, sequenceNumbers: readonly string[]): void {
    const workerId = this.#holder(process, lease, "is given records of");
    if (workerId !== undefined) this.ledger.deliver(workerId, lease.leaseKey, sequenceNumbers);
    this.drains.called(process, lease);
  }

  returned(
    process: SimulatedProcess,
    lease: HeldLease,
    sequenceNumbers: readonly string[],
    isDone: boolean,
  ): void {
    const last = isDone ? sequenceNumbers.at(-1) : undefined;
    const at = last === undefined ? undefined : this.ledger.indexOf(lease.leaseKey, last);
    this.drains.returned(process, lease, at);
  }

  worked(process: SimulatedProcess, lease: HeldLease, sequenceNumbers: readonly string[]): void {
    this.#holder(process, lease, "passes the guard of");
    this.ledger.work(lease.leaseKey, sequenceNumbers);
  }

  lost(process: SimulatedProcess, lease: HeldLease): void {
    const tenure = `${process.name} ${lease.leaseKey} ${String(lease.fencingToken)}`;
    if (this.#told.has(tenure)) this.#report("once-told", `leaseLost twice for ${tenure}`);
    this.#told.add(tenure);
    if (lease.remainingMs() > 0) this.#report("once-told", `leaseLost for ${tenure}, which is held`);
  }

  workerRowDeleted(workerId: string): void {
    this.rows.deletedByHand(workerId);
  }

  /** Nobody can promise one believer of a lease whose row people delete: the owner hears of it when it writes next. */
  leaseRowDeleted(leaseKey: string, epoch: number): void {
    this.deletedByHand.add(leaseKey);
    this.rows.deletedByHand(leaseKey);
    this.oracle.sever(leaseKey, epoch);
  }

  /** Now and then: what no single event shows. */
  look(): void {
    this.liveness.look();
    this.deletion.look();
    this.collected.look(this.#store.rows.view());
  }

  /** After every event. */
  check(processes: Iterable<SimulatedProcess>): void {
    const { exist } = this.#store.rows;
    this.deletion.check(exist, () => this.#processes().alive());
    if (!exist) this.oracle.forgetEpochs();
    this.oracle.check();
    this.rows.check();
    for (const process of processes) this.#checkBelief(process);
  }

  /** A worker may believe in less than the protocol lets it, never in more. Who stands still cannot be asked. */
  #checkBelief(process: SimulatedProcess): void {
    if (!process.isAlive || process.clock.isStopped) return;
    for (const { leaseKey, epoch } of process.believes()) {
      const isSo = process.workerIds.some((id) => this.oracle.believedBy(id).get(leaseKey) === epoch);
      if (isSo) continue;
      const what = `${process.name} believes in ${leaseKey} at epoch ${String(epoch)} and may not`;
      this.#report("belief-rests-on-beats", what);
    }
  }

  #ofSlot(slot: number): readonly SimulatedProcess[] {
    return this.#processes()
      .alive()
      .filter((process) => process.slot === slot);
  }

  #holder(process: SimulatedProcess, lease: HeldLease, what: string): string | undefined {
    const { leaseKey, fencingToken } = lease;
    for (const workerId of process.workerIds) {
      if (this.oracle.believedBy(workerId).get(leaseKey) === fencingToken) return workerId;
    }
    this.#report(
      "work-within-belief",
      `${process.name} ${what} ${leaseKey} at epoch ${String(fencingToken)} without belief`,
    );
    return undefined;
  }

  #checkParents(leaseKey: string): void {
    const rows = this.#store.rows.view();
    const lease = rows.lease(leaseKey);
    // A mark stays for as long as the stream has the shard: one without a row has never been worked.
    const hasRowOrIsGone = (key: string): boolean =>
      rows.lease(key) !== undefined || this.#stream.shards.get(key) === undefined;
    if (lease === undefined) return;
    if (parentsAreDone(lease, (key) => rows.lease(key)) && lease.parents.every(hasRowOrIsGone)) return;
    this.#report(
      "parents-first",
      `${leaseKey} is begun and its parents ${lease.parents.join(", ")} are not all done`,
    );
  }

  /** What is not as it must be once everything is well again: leases that nobody works, and the dead not fenced. */
  unhealed(processes: readonly SimulatedProcess[]): readonly Unhealed[] {
    const rows = this.#store.rows.view();
    const alive = new Set(
      processes.filter((one) => one.isAlive).flatMap((one) => one.workerIds.at(-1) ?? []),
    );
    const find = (key: string): Lease | undefined => rows.lease(key);
    const problems: Unhealed[] = [];
    for (const lease of rows.scan().leases) {
      if (lease.marked || isFinished(lease.checkpoint) || !parentsAreDone(lease, find)) continue;
      const { leaseKey, owner, epoch } = lease;
      const notOwned = (what: string): void => {
        problems.push({ invariant: "owned-after-healing", about: leaseKey, what });
      };
      if (owner === undefined) notOwned(`${leaseKey} has no owner`);
      else if (!alive.has(owner)) notOwned(`${leaseKey} is owned by ${owner}, which is dead`);
      else if (this.oracle.believedBy(owner).get(leaseKey) !== epoch) {
        notOwned(`${leaseKey} is owned by ${owner} at epoch ${String(epoch)}, which does not work it`);
      }
    }
    for (const row of rows.fleet().workers) {
      if (!isLive(row) || alive.has(row.workerId)) continue;
      const what = `${row.workerId} is dead and not fenced`;
      problems.push({ invariant: "deaths-are-fenced", about: row.workerId, what });
    }
    return problems;
  }
}
