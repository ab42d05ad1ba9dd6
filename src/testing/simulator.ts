import { messageOf } from "../model/errors.js";
import type { LeaseholdEvent } from "../model/events.js";
import type { ProtocolConfig } from "../model/config.js";
import { isFinished } from "../model/position.js";
import { scheduleFaults } from "./fault-runner.js";
import { checkHistory } from "./history-check.js";
import { Invariants } from "./invariants.js";
import { configOf, healedAtMs, ownedWithinMs, type Scenario } from "./scenario.js";
import { seededRandom, type SeededRandom } from "./seeded-random.js";
import { shippedWorker } from "./shipped-worker.js";
import { SimulatedProcess } from "./simulated-process.js";
import { SimulatedStore, type SimulatedStoreOptions } from "./simulated-store.js";
import { SimulatedStream } from "./simulated-stream.js";
import type { WorkerFactory } from "./simulated-worker.js";
import { Trace, type TraceOptions } from "./trace.js";
import { InvariantViolation, type InvariantName } from "./violation.js";
import { VirtualTime } from "./virtual-time.js";

export interface SimulationOptions {
  /** Default: the worker that ships. */
  readonly factory?: WorkerFactory;
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
  /** How often each type of event was emitted. */
  readonly emitted: ReadonlyMap<LeaseholdEvent["type"], number>;
}

/** What ended is looked for this often after healing, ms. */
const lookEveryMs = 100;
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
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #store: SimulatedStore;
  readonly #stream: SimulatedStream;
  readonly #trace: Trace;
  readonly #invariants: Invariants;
  /** The newest process of each slot. */
  readonly #processes: (SimulatedProcess | undefined)[];
  readonly #generations: number[];
  readonly #emitted = new Map<LeaseholdEvent["type"], number>();
  #violation: InvariantViolation | undefined;
  #ownedAfterMs: number | undefined;
  #sinceAsked = 0;
  #finishing = false;

  constructor(scenario: Scenario, options: SimulationOptions) {
    this.#scenario = scenario;
    this.#options = options;
    this.#config = configOf(scenario);
    this.#random = seededRandom(scenario.seed);
    this.#trace = new Trace(options.trace);
    this.#store = new SimulatedStore(this.#time, {
      conditions: scenario.conditions,
      onTraffic: (traffic) => {
        this.#invariants.traffic(traffic);
      },
      onSent: (call) => options.onSent?.(call, this.#time.nowMs),
      ...(options.wrapStore === undefined ? {} : { wrap: options.wrapStore }),
    });
    this.#stream = new SimulatedStream(this.#time, { shards: scenario.shards, idleMs: 1_000 });
    const beliefMs = this.#config.leaseDurationMs - this.#config.safetyMarginMs;
    this.#invariants = new Invariants(
      { beliefMs, expiryMs: this.#config.expiryMs, nowMs: () => this.#time.nowMs },
      this.#store,
      this.#stream,
      (invariant, what) => {
        this.#report(invariant, what);
      },
    );
    this.#processes = scenario.machines.map(() => undefined);
    this.#generations = scenario.machines.map(() => 0);
  }

  async run(): Promise<SimulationResult> {
    const { machines, faults, putEveryMs, produceUntilMs, runMs } = this.#scenario;
    const time = this.#time;
    for (const [slot, machine] of machines.entries()) {
      time.schedule(machine.startMs, () => {
        this.#start(slot);
      });
    }
    scheduleFaults(
      {
        time,
        store: this.#store,
        stream: this.#stream,
        process: (slot) => this.#processes[slot],
        start: (slot) => {
          this.#start(slot);
        },
        kill: (process) => {
          process.kill();
          this.#invariants.oracle.forget(process.workerIds);
        },
        forceFence: (process) => {
          this.#forceFence(process);
        },
        trim: () => {
          for (const { leaseKey, checkpoint } of this.#store.rows.view().scan().leases) {
            if (isFinished(checkpoint)) this.#stream.shards.trim(leaseKey);
          }
        },
        note: (fault, phase) => {
          this.#trace.add({ t: time.nowMs, who: "fault", phase, ...fault });
        },
      },
      faults,
    );
    const stopProducing = this.#stream.produce(putEveryMs, this.#random.fork("producer"));
    time.schedule(produceUntilMs, stopProducing);
    time.schedule(healedAtMs(this.#scenario), () => {
      this.#lookForHealing(time.nowMs);
    });
    await this.#until(() => false, runMs);
    await this.#finish();
    const { ledger, rows } = this.#invariants;
    return {
      scenario: this.#scenario,
      trace: this.#trace,
      events: time.firedTimers,
      ownedAfterMs: this.#ownedAfterMs ?? NaN,
      ownerChanges: rows.ownerChanges,
      records: this.#stream.putRecords,
      redone: ledger.redone,
      emitted: this.#emitted,
    };
  }

  /** What is left is worked, everybody stops, and nothing remains. */
  async #finish(): Promise<void> {
    const { ledger } = this.#invariants;
    const time = this.#time;
    await this.#until(() => ledger.missing().length === 0, time.nowMs + finishMs);
    const missing = ledger.missing();
    if (missing.length > 0) this.#fail("nothing-lost", `not worked at the end: ${missing.join(", ")}`);
    this.#finishing = true;
    const alive = this.#alive();
    for (const process of alive) void process.stop();
    await this.#until(() => alive.every((process) => !process.isAlive), time.nowMs + finishMs);
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
    checkHistory(this.#store.rows, (invariant, what) => {
      this.#fail(invariant, what);
    });
  }

  /** Goes on until it is so, at most until the time given. */
  async #until(isSo: () => boolean, untilMs: number): Promise<void> {
    while (!isSo() && this.#time.nowMs < untilMs) {
      const stepMs = Math.min(untilMs, this.#time.nowMs + (isSo() ? 0 : 1_000));
      await this.#time.runUntil(stepMs, () => {
        this.#check();
      });
      this.#check();
    }
  }

  #start(slot: number): void {
    const machine = this.#scenario.machines[slot];
    if (machine === undefined || this.#processes[slot]?.isAlive === true || this.#finishing) return;
    const generation = (this.#generations[slot] ?? 0) + 1;
    this.#generations[slot] = generation;
    const clock = this.#time.clock({ rate: machine.rate, wallOffsetMs: machine.wallOffsetMs });
    const { wallMs } = clock.now();
    const process = new SimulatedProcess(
      slot,
      generation,
      clock,
      this.#random.fork(`process ${String(slot)}.${String(generation)}`),
      {
        scenario: this.#scenario,
        factory: this.#options.factory ?? shippedWorker,
        store: this.#store,
        stream: this.#stream,
        hooks: {
          delivered: (...args) => {
            this.#invariants.delivered(...args);
          },
          worked: (...args) => {
            this.#invariants.worked(...args);
          },
          lost: (...args) => {
            this.#invariants.lost(...args);
          },
        },
        onEvent: (from, event) => {
          this.#onEvent(from, event);
        },
        onEnd: (from, error) => {
          this.#onEnd(from, error);
        },
      },
    );
    this.#processes[slot] = process;
    this.#trace.add({ t: this.#time.nowMs, who: process.name, type: "process-started", wallMs });
    process.start();
  }

  #onEvent(process: SimulatedProcess, event: LeaseholdEvent): void {
    this.#trace.add({ t: this.#time.nowMs, who: process.name, ...event });
    this.#emitted.set(event.type, (this.#emitted.get(event.type) ?? 0) + 1);
    this.#invariants.event(process, event);
    this.#options.onEvent?.(event, this.#time.nowMs);
  }

  #onEnd(process: SimulatedProcess, error: unknown): void {
    const why = error === undefined ? {} : { error: messageOf(error) };
    this.#trace.add({ t: this.#time.nowMs, who: process.name, type: `process-${process.state}`, ...why });
    this.#invariants.oracle.forget(process.workerIds);
    // Who stopped was meant to; who failed is started again, as a process manager would.
    if (process.state === "failed") {
      this.#time.schedule(restartMs, () => {
        this.#start(process.slot);
      });
    }
  }

  /** What an operator's command does, at one instant: it has a way of its own to the store. */
  #forceFence(process: SimulatedProcess): void {
    const { rows } = this.#store;
    const workerId = process.workerIds.at(-1);
    const row = workerId === undefined || !rows.exist ? undefined : rows.view().worker(workerId);
    if (row === undefined || row.fencedBy !== undefined) return;
    rows.setWorker({ ...row, fencedBy: "operator", fenceKind: "forced" });
    const { planner } = rows.view();
    rows.setPlanner({ epoch: 0, ...planner, deaths: (planner?.deaths ?? 0) + 1 });
  }

  #alive(): readonly SimulatedProcess[] {
    return this.#processes.filter((process) => process?.isAlive === true) as readonly SimulatedProcess[];
  }

  #check(): void {
    this.#sinceAsked = (this.#sinceAsked + 1) % askEvery;
    this.#invariants.check(this.#sinceAsked === 0 ? this.#alive() : []);
    if (this.#violation !== undefined) throw this.#violation;
  }

  #lookForHealing(healedAt: number): void {
    if (this.#finishing) return;
    const unhealed = this.#alive().length === 0 ? [] : this.#invariants.unhealed(this.#alive());
    const afterMs = this.#time.nowMs - healedAt;
    if (unhealed.length === 0) {
      this.#ownedAfterMs = afterMs;
      return;
    }
    if (afterMs > ownedWithinMs(this.#config)) {
      for (const { invariant, what } of unhealed) {
        this.#report(invariant, `${afterMs.toFixed(0)} ms after healing ${what}`);
      }
      return;
    }
    this.#time.schedule(lookEveryMs, () => {
      this.#lookForHealing(healedAt);
    });
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
