import { messageOf } from "../model/errors.js";
import type { LeaseholdEvent } from "../model/events.js";
import { clockRateBound, type ProtocolConfig } from "../model/config.js";
import { scheduleFaults } from "./fault-runner.js";
import type { FaultKind } from "./faults.js";
import { checkHistory } from "./history-check.js";
import { Healing } from "./healing.js";
import { Invariants } from "./invariants.js";
import { Monitor } from "./monitor/monitor.js";
import { Operator } from "./operator.js";
import { Processes } from "./processes.js";
import { configOf, healedAtMs, oldestReadMs, ownedWithinMs, type Scenario } from "./scenario.js";
import { seededRandom, type SeededRandom } from "./seeded-random.js";
import { shippedWorker } from "./shipped-worker.js";
import type { SimulatedProcess } from "./simulated-process.js";
import { SimulatedStore, type SimulatedStoreOptions } from "./simulated-store.js";
import { SimulatedStream } from "./simulated-stream.js";
import type { WorkerFactory } from "./simulated-worker.js";
import { Trace, type TraceOptions } from "./trace.js";
import { InvariantViolation, type InvariantName, type Report } from "./violation.js";
import { VirtualTime } from "./virtual-time.js";
import { Weather } from "./weather.js";

export interface SimulationOptions {
  /** Default: the worker that ships. */
  readonly factory?: WorkerFactory;
  /** Whether the monitor watches; default true. Without it shows what the other checks see of a mistake that it sees first. */
  readonly monitored?: boolean;
  /** A store made wrong on purpose, to see that a check finds it. */
  readonly wrapStore?: NonNullable<SimulatedStoreOptions["wrap"]>;
  readonly trace?: TraceOptions;
  /** Told of every call to the store as it leaves its worker. */
  readonly onSent?: (call: Parameters<NonNullable<SimulatedStoreOptions["onSent"]>>[0], atMs: number) => void;
  /** Told of every event. */
  readonly onEvent?: (event: LeaseholdEvent, atMs: number) => void;
}

/** What a simulation that held all invariants was like. */
export interface SimulationResult {
  readonly scenario: Scenario;
  readonly trace: Trace;
  /** Timers fired, messages and faults included. */
  readonly events: number;
  /** How long after healing every lease was owned, ms. */
  readonly ownedAfterMs: number;
  readonly ownerChanges: number;
  readonly records: number;
  /** Times that a record was worked once more. */
  readonly redone: number;
  /** How often each kind of fault had something to act on. */
  readonly faults: ReadonlyMap<FaultKind, number>;
  /** How often each transition of the protocol was gone through. */
  readonly transitions: ReadonlyMap<string, number>;
  /** How often each type of event was emitted. */
  readonly emitted: ReadonlyMap<LeaseholdEvent["type"], number>;
}

/** Until all is right after healing, that is looked for this often, ms. */
const lookEveryMs = 100;
/** Whether leases are worked that should be is looked at this often, ms. */
const lifeEveryMs = 500;
/** A process manager starts what failed again, after this, ms. */
const restartMs = 2_000;
/** Asking a worker what it believes is itself something that happens to it: not after every event. */
const askEvery = 97;
/** After the run the fleet gets this long for what is left to work, and then to stop, ms. */
const finishMs = 60_000;

/**
 * Runs a scenario with the classes that ship.
 * @throws InvariantViolation as soon as something does not hold
 */
export function simulate(scenario: Scenario, options: SimulationOptions = {}): Promise<SimulationResult> {
  return new Simulation(scenario, options).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #options: SimulationOptions;
  readonly #config: ProtocolConfig;
  // The network, the store and the stream are simulated: nothing waits for the host.
  readonly #time = new VirtualTime({ hostTurns: false });
  readonly #random: SeededRandom;
  readonly #store: SimulatedStore;
  readonly #stream: SimulatedStream;
  readonly #trace: Trace;
  readonly #invariants: Invariants;
  readonly #monitor: Monitor;
  readonly #processes: Processes;
  readonly #weather: Weather;
  readonly #faults = new Map<FaultKind, number>();
  readonly #emitted = new Map<LeaseholdEvent["type"], number>();
  readonly #healing: Healing;
  #violation: InvariantViolation | undefined;
  #sinceAsked = 0;
  #finishing = false;

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#config = configOf(scenario);
    this.#random = seededRandom(scenario.seed);
    this.#trace = new Trace(options.trace);
    this.#weather = new Weather(() => this.#time.nowMs);
    this.#store = new SimulatedStore(this.#time, {
      conditions: scenario.conditions,
      oldestReadMs: oldestReadMs(scenario),
      onTraffic: (traffic) => {
        this.#invariants.traffic(traffic);
      },
      onSent: (call) => options.onSent?.(call, this.#time.nowMs),
      ...(options.wrapStore === undefined ? {} : { wrap: options.wrapStore }),
    });
    this.#stream = new SimulatedStream(this.#time, { shards: scenario.shards, idleMs: 1_500 });
    const report: Report = (invariant, what) => {
      this.#report(invariant, what);
    };
    this.#invariants = new Invariants(
      {
        config: this.#config,
        scenario,
        nowMs: () => this.#time.nowMs,
        store: this.#store,
        stream: this.#stream,
        weather: this.#weather,
        processes: () => this.#processes,
      },
      report,
    );
    const clocksJump = scenario.faults.some(({ kind }) => kind === "wall-jump" || kind === "suspend");
    const automaticCheckpoints = scenario.checkpointing !== "explicit";
    const watched = { isWhole: true, automaticCheckpoints, clocksJump, clockRateBound };
    this.#monitor = new Monitor({ ...this.#config, ...watched }, ({ rule, expected }) => {
      if (options.monitored ?? true) this.#report("monitor", `${rule}: ${expected}`);
    });
    this.#processes = this.#makeProcesses();
    const times = { healedAtMs: healedAtMs(scenario), withinMs: ownedWithinMs(scenario) };
    this.#healing = new Healing(times, report);
  }

  async run(): Promise<SimulationResult> {
    const { machines, faults, putEveryMs, produceUntilMs, runMs } = this.#scenario;
    const time = this.#time;
    for (const [slot, machine] of machines.entries()) {
      time.schedule(machine.startMs, () => {
        this.#processes.start(slot);
      });
    }
    scheduleFaults(
      {
        time,
        store: this.#store,
        stream: this.#stream,
        processes: this.#processes,
        operator: new Operator(this.#store.rows, [this.#invariants, this.#monitor]),
        kill: (process) => {
          process.kill();
          this.#trace.add({ t: time.nowMs, who: process.name, type: "process-killed" });
          this.#monitor.died(process.name);
          this.#invariants.oracle.forget(process.workerIds);
        },
        note: (fault, phase, hit) => {
          this.#trace.add({ t: time.nowMs, who: "fault", phase, ...(hit ? {} : { hit }), ...fault });
          this.#weather[phase](fault);
          this.#invariants.oracle.look();
          if (hit && phase === "begins") {
            this.#faults.set(fault.kind, (this.#faults.get(fault.kind) ?? 0) + 1);
          }
        },
      },
      faults,
    );
    const stopProducing = this.#stream.produce(putEveryMs, this.#random.fork("producer"));
    time.schedule(produceUntilMs, stopProducing);
    time.schedule(healedAtMs(this.#scenario), () => {
      this.#lookForHealing();
    });
    this.#lookForLife();
    await this.#until(() => false, runMs);
    await this.#finish();
    const { ledger, rows, transitions } = this.#invariants;
    transitions.end();
    return {
      scenario: this.#scenario,
      trace: this.#trace,
      events: time.firedTimers,
      ownedAfterMs: this.#healing.ownedAfterMs ?? NaN,
      ownerChanges: rows.ownerChanges,
      records: this.#stream.putRecords,
      redone: ledger.redone,
      faults: this.#faults,
      transitions: transitions.counts,
      emitted: this.#emitted,
    };
  }

  /** What is left is worked, everybody stops, and nothing remains. */
  async #finish(): Promise<void> {
    const { ledger } = this.#invariants;
    await this.#until(() => ledger.missing().length === 0, this.#time.nowMs + finishMs);
    const missing = ledger.missing();
    if (missing.length > 0) this.#fail("nothing-lost", `not worked at the end: ${missing.join(", ")}`);
    await this.#finishHealing();
    this.#invariants.floor.end(this.#store.rows.view());
    this.#finishing = true;
    const alive = this.#processes.alive();
    for (const process of alive) void process.stop();
    await this.#until(() => alive.every((process) => !process.isAlive), this.#time.nowMs + finishMs);
    for (const process of alive) {
      if (process.state !== "stopped") {
        this.#fail("stops-clean", `${process.name} is ${process.state} after its clean stop`);
      }
      if (process.clock.pendingTimers > 0) {
        this.#fail(
          "no-leaks",
          `${process.name} has ${String(process.clock.pendingTimers)} timers after its stop`,
        );
      }
    }
    checkHistory(
      this.#store.rows,
      (invariant, what) => {
        this.#fail(invariant, what);
      },
      { except: this.#invariants.deletedByHand, madeAgain: this.#faults.has("tables-deleted") },
    );
  }

  /** Goes on until it is so, at most until the time given. */
  async #until(isSo: () => boolean, untilMs: number): Promise<void> {
    while (!isSo() && this.#time.nowMs < untilMs) {
      const stepMs = Math.min(untilMs, this.#time.nowMs + (isSo() ? 0 : 1_000));
      await this.#time.runUntil(stepMs, this.#check);
      this.#check();
    }
  }

  #makeProcesses(): Processes {
    const invariants = this.#invariants;
    const time = this.#time;
    return new Processes({
      scenario: this.#scenario,
      factory: this.#options.factory ?? shippedWorker,
      store: this.#store,
      stream: this.#stream,
      time,
      random: this.#random,
      hooks: {
        delivered: (...args) => {
          invariants.delivered(...args);
        },
        worked: (...args) => {
          invariants.worked(...args);
        },
        returned: (...args) => {
          invariants.returned(...args);
        },
        lost: (...args) => {
          invariants.lost(...args);
        },
      },
      onStart: ({ name, clock }) => {
        const { wallMs } = clock.now();
        this.#trace.add({ t: time.nowMs, who: name, type: "process-started", wallMs });
      },
      onEvent: (from, event) => {
        this.#onEvent(from, event);
      },
      onEnd: (from, error) => {
        this.#onEnd(from, error);
      },
    });
  }

  #onEvent(process: SimulatedProcess, event: LeaseholdEvent): void {
    this.#trace.event(this.#time.nowMs, process.name, event);
    this.#emitted.set(event.type, (this.#emitted.get(event.type) ?? 0) + 1);
    this.#invariants.event(process, event);
    this.#monitor.take(this.#time.nowMs, process.name, event);
    this.#options.onEvent?.(event, this.#time.nowMs);
  }

  #onEnd(process: SimulatedProcess, error: unknown): void {
    const why = error === undefined ? {} : { error: messageOf(error) };
    this.#trace.add({ t: this.#time.nowMs, who: process.name, type: `process-${process.state}`, ...why });
    this.#invariants.oracle.forget(process.workerIds);
    if (process.state === "stopped") {
      const { liveness } = this.#invariants;
      const look = liveness.left(process);
      if (look !== undefined) this.#time.schedule(liveness.orphanedForMs, look);
    }
    // Who stopped was meant to; who failed is started again, as a process manager would. Where the tables are gone, that
    // is for people to decide.
    if (process.state !== "failed") return;
    this.#time.schedule(restartMs, () => {
      if (this.#store.rows.exist && !this.#finishing) this.#processes.start(process.slot);
    });
  }

  readonly #check = (): void => {
    this.#sinceAsked = (this.#sinceAsked + 1) % askEvery;
    if (!this.#store.rows.exist) this.#monitor.tablesDeleted();
    this.#invariants.check(this.#sinceAsked === 0 ? this.#processes.alive() : []);
    if (this.#violation !== undefined) throw this.#violation;
  };

  #lookForLife(): void {
    if (this.#finishing) return;
    this.#invariants.look();
    this.#time.schedule(lifeEveryMs, () => {
      this.#lookForLife();
    });
  }

  #lookForHealing(): void {
    if (this.#finishing) return;
    this.#lookAtHealing();
    this.#time.schedule(this.#healing.ownedAfterMs === undefined ? lookEveryMs : lifeEveryMs, () => {
      this.#lookForHealing();
    });
  }

  /** Where nobody lives nothing can heal. */
  #lookAtHealing(): void {
    const alive = this.#processes.alive();
    this.#healing.look(this.#time.nowMs, alive.length === 0 ? [] : this.#invariants.unhealed(alive));
  }

  /** What is under way at the end has the time that it has anywhere else, and is judged then. */
  async #finishHealing(): Promise<void> {
    this.#lookAtHealing();
    const untilMs = this.#time.nowMs + ownedWithinMs(this.#scenario) + lifeEveryMs;
    await this.#until(() => this.#healing.isWhole, untilMs);
    if (this.#processes.alive().length > 0) this.#healing.end(this.#time.nowMs);
  }

  /** Keeps the first violation; it is thrown when the event is over, not into the code that caused it. */
  #report(invariant: InvariantName, what: string): void {
    this.#violation ??= new InvariantViolation(invariant, what, {
      seed: this.#scenario.seed,
      atMs: this.#time.nowMs,
      trace: this.#trace.last(40),
    });
  }

  #fail(invariant: InvariantName, what: string): never {
    this.#report(invariant, what);
    throw this.#violation ?? new Error(what);
  }
}
