import { dynamodbAt } from "../../embedded/endpoints.js";
import { openInspector, type FleetStatus, type Inspector } from "../../inspect.js";
import { LeaseholdError } from "../../model/errors.js";
import { sleep, waitAtMost, type Clock } from "../../runtime/clock.js";
import { systemClock } from "../../runtime/system.js";
import type { Happening, Seen } from "./fleet-event.js";
import { fleetPlan, type FleetOptions, type FleetPlan, type StartOptions } from "./fleet-options.js";
import type { TestWorker } from "./fleet-worker.js";
import { Member } from "./member.js";

/** How long one wait may take, and what it is called when it took longer. */
export interface Wait {
  /** Default the fleet's `withinMs`. */
  readonly withinMs?: number;
  /** For the error's message: what is waited for. */
  readonly what?: string;
}

/** Between two looks at the tables: the one wait that no event ends. */
const statusIntervalMs = 250;
/** From the demand of a clean stop to the kill: `shutdownGraceMs`, and what the last writes may take. */
const stopWithinMs = 45_000;

/**
 * A fleet of workers under test, and what happens in it. Every wait is for something that happens, bounded by `withinMs`,
 * and ends early with an error when a worker ends that nobody had asked to.
 */
export class TestFleet {
  readonly application: string;
  readonly #plan: FleetPlan;
  readonly #clock: Clock;
  readonly #inspector: Inspector;
  readonly #members: Member[] = [];
  readonly #events: Seen[] = [];
  readonly #waiting = new Set<() => void>();

  /** @throws LeaseholdError `invalid-option`, `invalid-application` */
  constructor(options: FleetOptions) {
    this.#plan = fleetPlan(options);
    this.#clock = systemClock;
    this.application = options.application;
    this.#inspector = openInspector({
      application: options.application,
      dynamodb: dynamodbAt(options.endpoints),
    });
  }

  /** Every worker that was started, those that are over too. */
  get workers(): readonly TestWorker[] {
    return this.#members;
  }

  /** What happened so far, in the order in which it was heard; of one worker in the order in which it happened. */
  get events(): readonly Seen[] {
    return this.#events;
  }

  /** The events of one type. */
  of<Type extends Happening["type"]>(type: Type): Seen<Extract<Happening, { readonly type: Type }>>[] {
    return this.#events.filter(
      (event): event is Seen<Extract<Happening, { readonly type: Type }>> => event.type === type,
    );
  }

  /**
   * Starts one more worker, and resolves when it beats.
   * @throws LeaseholdError `child-failed` with what its process said when it ended instead
   */
  async start(options: StartOptions = {}): Promise<TestWorker> {
    const { label = `w${String(this.#members.length + 1)}`, endpoints = this.#plan.endpoints } = options;
    const member = new Member(label, this.#plan, endpoints, this.#clock, (event) => {
      this.#events.push(event);
      for (const look of this.#waiting) look();
    });
    this.#members.push(member);
    const hasStarted = (): boolean => member.state !== "starting" && !member.endedByItself;
    await this.until(hasStarted, { what: `worker ${label} to start` });
    return member;
  }

  /**
   * Resolves with what `condition` returns as soon as that is neither false nor undefined. It is looked at now and after
   * every event.
   * @throws LeaseholdError `child-failed` when a worker ended that nobody had asked to; Error after `withinMs`
   */
  async until<T>(condition: (fleet: this) => T | false | undefined, wait: Wait = {}): Promise<T> {
    const deadline = this.#deadline(wait);
    for (;;) {
      const found = condition(this);
      if (found !== false && found !== undefined) return found;
      this.#check(deadline, wait);
      await this.#nextEvent(deadline.leftMs());
    }
  }

  /**
   * The same for a state of the tables, which are read every quarter of a second.
   * @throws as `until` and `status`
   */
  async untilStatus<T>(
    condition: (status: FleetStatus) => T | false | undefined,
    wait: Wait = {},
  ): Promise<T> {
    const deadline = this.#deadline(wait);
    for (;;) {
      const found = condition(await this.status());
      if (found !== false && found !== undefined) return found;
      this.#check(deadline, wait);
      await sleep(this.#clock, statusIntervalMs);
    }
  }

  /**
   * Who holds what now, read from the tables.
   * @throws LeaseholdError `table-missing`, `table-mismatch`; StoreError
   */
  status(): Promise<FleetStatus> {
    return this.#inspector.status();
  }

  /** SIGKILL: no checkpoint, no word to anybody. Resolves when the process is gone. */
  async kill(worker: TestWorker): Promise<void> {
    const member = this.#own(worker);
    member.kill();
    await member.exited;
  }

  /** SIGSTOP: it stands still, as in a long pause of its machine, and knows nothing of it. */
  freeze(worker: TestWorker): void {
    this.#own(worker).freeze();
  }

  /** SIGCONT: it goes on where it stood. */
  thaw(worker: TestWorker): void {
    this.#own(worker).thaw();
  }

  /**
   * A clean stop of one worker, or of all: they hand over, checkpoint and leave. Resolves when they are over; those that
   * are not after 45 s are killed.
   * @throws LeaseholdError `child-failed` when one of them ended with an error, or had to be killed
   */
  async stop(worker?: TestWorker): Promise<void> {
    const members = worker === undefined ? this.#members : [this.#own(worker)];
    const asked = members.filter((member) => member.leave());
    await waitAtMost(this.#clock, Promise.all(asked.map(({ exited }) => exited)), stopWithinMs);
    const hanging = asked.filter(({ state }) => state !== "exited");
    for (const member of hanging) member.kill();
    await Promise.all(hanging.map(({ exited }) => exited));
    const failures = asked.flatMap(({ failure }) => failure ?? []);
    if (hanging.length > 0)
      failures.push(`${labels(hanging)} had to be killed after ${String(stopWithinMs)} ms`);
    if (failures.length > 0) throw new LeaseholdError("child-failed", failures.join("; "));
  }

  /** Ends it all, whatever state it is in: processes are killed. For an `afterEach`; harmless after `stop`. */
  async close(): Promise<void> {
    for (const member of this.#members) member.end();
    await Promise.all(this.#members.map(({ exited }) => exited));
    this.#inspector.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #own(worker: TestWorker): Member {
    const member = this.#members.find((one) => one === worker);
    if (member !== undefined) return member;
    throw new LeaseholdError("invalid-option", `worker ${worker.label} is none of this fleet's`);
  }

  #deadline({ withinMs = this.#plan.withinMs }: Wait): { readonly withinMs: number; leftMs(): number } {
    const startedAtMs = this.#clock.now().monoMs;
    return { withinMs, leftMs: () => startedAtMs + withinMs - this.#clock.now().monoMs };
  }

  #check(deadline: { readonly withinMs: number; leftMs(): number }, { what = "the condition" }: Wait): void {
    const ended = this.#members.filter(({ endedByItself }) => endedByItself);
    if (ended.length > 0) {
      const how = ended.map(
        ({ label, failure }) => `worker ${label} ended by itself: ${failure ?? "cleanly"}`,
      );
      throw new LeaseholdError("child-failed", `waited for ${what}: ${how.join("; ")}`);
    }
    if (deadline.leftMs() > 0) return;
    const last = this.#events.slice(-10).map(({ label, type }) => `${label} ${type}`);
    // What is waited for in vain often failed for a reason that a worker has told.
    const failed = this.#events.findLast((event) => "error" in event);
    const error =
      failed !== undefined && "error" in failed
        ? `; last error: ${failed.label} ${failed.type}: ${failed.error}`
        : "";
    throw new Error(
      `waited ${String(deadline.withinMs)} ms in vain for ${what}; workers: ${labels(this.#members)}; last events: ${last.join(", ")}${error}`,
    );
  }

  /** Resolves at the next event, or when the time is up. */
  async #nextEvent(withinMs: number): Promise<void> {
    let look = (): void => undefined;
    const next = new Promise<void>((resolve) => {
      look = resolve;
      this.#waiting.add(look);
    });
    await waitAtMost(this.#clock, next, withinMs);
    this.#waiting.delete(look);
  }
}

function labels(members: readonly TestWorker[]): string {
  return members.map(({ label, state }) => `${label} (${state})`).join(", ");
}

/**
 * Starts a fleet against endpoints, and resolves when every worker of it beats.
 * @throws LeaseholdError `invalid-option` when the options cannot be used, `child-failed` when a worker did not start
 */
export async function startFleet(options: FleetOptions): Promise<TestFleet> {
  const fleet = new TestFleet(options);
  try {
    const { workers = 1 } = options;
    await Promise.all(Array.from({ length: workers }, () => fleet.start()));
    return fleet;
  } catch (error) {
    await fleet.close();
    throw error;
  }
}
