import { AssertionError } from "node:assert";
import { Fleet } from "../../src/fleet/fleet.js";
import type { Incarnation } from "../../src/fleet/incarnation.js";
import { resolveProtocol, type ProtocolConfig, type ProtocolOptions } from "../../src/model/config.js";
import { StoreError } from "../../src/model/errors.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { Lease } from "../../src/model/lease.js";
import { position, trimHorizon } from "../../src/model/position.js";
import type { MailEntry, WorkerRow } from "../../src/model/worker-row.js";
import type { Random } from "../../src/runtime/random.js";
import type { Store } from "../../src/store/store.js";
import { createMemoryStore, MemoryTables } from "../../src/store/memory/index.js";
import type { NetworkFault, OutageOf } from "../../src/testing/faults.js";
import { seededRandom } from "../../src/testing/seeded-random.js";
import type { Access, Conditions } from "../../src/testing/simulated-network.js";
import { SimulatedStore, throughNetwork } from "../../src/testing/simulated-store.js";
import type { VirtualClock, VirtualClockOptions } from "../../src/testing/virtual-clock.js";
import { VirtualTime } from "../../src/testing/virtual-time.js";
import { FakeHost } from "./fake-host.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

/** One call as it arrived at the store. */
export interface Arrival {
  readonly atMs: number;
  /** The label of the process that sent it. */
  readonly by: string;
  readonly operation: string;
  readonly access: Access;
  readonly args: readonly unknown[];
  readonly consistent: boolean;
}

/** What befalls a call: lost on its way, applied without an answer, refused at the door, applied so much later. */
export type Effect = "lost" | "unanswered" | "down" | "denied" | { readonly laterMs: number };
export type Rule = (call: Arrival) => Effect | undefined;

export interface Happened {
  readonly atMs: number;
  readonly by: string;
  readonly event: LeaseholdEvent;
}

type EventOf<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { readonly type: Type }>;

export interface FleetOptions {
  readonly protocol?: ProtocolOptions;
  readonly conditions?: Partial<Conditions>;
  /** Keys that discovery finds in the source. */
  readonly source?: readonly string[];
  /** The label of what each process is a deployment of; none where it is not named. */
  readonly deployments?: Readonly<Record<string, string>>;
  readonly clocks?: Readonly<Record<string, VirtualClockOptions>>;
}

/** Ids that a test can foresee: the n-th of a process. The first is its first worker's. */
function countedIds(slot: number): Random {
  const random = seededRandom(slot);
  let ids = 0;
  return {
    next: () => random.next(),
    id: () => `${String(++ids).padStart(8, "0")}0000s${String(slot)}`,
  };
}

/** One process of the fleet, with a host that does no work. */
export class Process {
  readonly label: string;
  readonly clock: VirtualClock;
  readonly host: FakeHost;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly announced: string[] = [];
  /** Called by discovery instead of looking at the source. */
  discover: (() => Promise<number>) | undefined;
  announce: (workerId: string) => Promise<void> = () => Promise.resolve();

  constructor(label: string, slot: number, world: World) {
    this.label = label;
    this.clock = world.time.clock(world.options.clocks?.[label]);
    this.host = new FakeHost(this.clock);
    const random = seededRandom(`store-${label}`);
    this.store = world.store.connect({ worker: slot, clock: this.clock, random });
    this.fleet = new Fleet({
      store: this.store,
      clock: this.clock,
      random: countedIds(slot),
      config: world.config,
      host: this.host,
      keeper: {
        discover: () => this.discover?.() ?? world.discover(this.store),
        cleanUp: () => Promise.resolve(),
      },
      emit: (event) => {
        if (!this.clock.isKilled) world.log.push({ atMs: world.time.nowMs, by: label, event });
      },
      machine: { host: label, pid: slot },
      label,
      deployment: world.options.deployments?.[label],
      announce: async (workerId) => {
        this.announced.push(workerId);
        await this.announce(workerId);
      },
    });
  }

  /** Its present worker. */
  get worker(): Incarnation {
    const { current } = this.fleet;
    if (current === undefined) throw new Error(`${this.label} has no worker yet`);
    return current;
  }

  get id(): string {
    return this.worker.workerId;
  }

  /** Keys of the leases in which it believes now. */
  get believes(): readonly string[] {
    if (this.clock.isKilled || this.fleet.current === undefined) return [];
    const held = this.fleet.current.tenures.held();
    return held.filter((tenure) => tenure.remainingMs() > 0).map(({ leaseKey }) => leaseKey);
  }
}

/** A fleet on one virtual time and one store. */
export class World {
  readonly time = new VirtualTime();
  readonly options: FleetOptions;
  readonly config: ProtocolConfig;
  readonly rows = new MemoryTables();
  readonly store: SimulatedStore;
  /** The same rows without a network: what somebody else does to them. */
  readonly direct: Store = createMemoryStore({ application: "fleet", tables: this.rows });
  readonly log: Happened[] = [];
  readonly arrivals: Arrival[] = [];
  readonly rules = new Set<Rule>();
  readonly processes = new Map<string, Process>();
  readonly #slots: string[] = [];

  constructor(options: FleetOptions = {}) {
    this.options = options;
    this.config = resolveProtocol(options.protocol);
    let by = "";
    this.store = new SimulatedStore(this.time, {
      conditions: { latencyMs: [3, 7], ...options.conditions },
      tables: this.rows,
      onTraffic: ({ worker }) => {
        by = this.#slots[worker] ?? "?";
      },
      wrap: (store) =>
        throughNetwork(store, (operation, access, call, args, apply) => {
          const consistent = call !== undefined && "consistent" in call && call.consistent === true;
          const arrival: Arrival = { atMs: this.time.nowMs, by, operation, access, args, consistent };
          this.arrivals.push(arrival);
          return this.#under(arrival, apply);
        }),
    });
  }

  /** The process of this label. */
  at(label: string): Process {
    const process = this.processes.get(label);
    if (process === undefined) throw new Error(`no process ${label}`);
    return process;
  }

  /** Makes processes without starting them. */
  make(...labels: string[]): readonly Process[] {
    return labels.map((label) => {
      const process = new Process(label, this.#slots.length, this);
      this.#slots.push(label);
      this.processes.set(label, process);
      return process;
    });
  }

  /** Starts processes together; resolves when each has beaten once. */
  async start(...labels: string[]): Promise<void> {
    const started = this.make(...labels).map((process) => process.fleet.start());
    await this.time.runUntilSettled(Promise.all(started), 60_000, this.#check);
    await this.until(() => labels.every((label) => (this.workerRow(label)?.beat ?? 0) > 0));
    await this.run(20);
  }

  async run(ms: number): Promise<void> {
    await this.time.advance(ms, this.#check);
  }

  /** Goes on until it is so. @returns how long it took; fails after `withinMs` */
  async until(isSo: () => boolean, withinMs = 120_000): Promise<number> {
    const from = this.time.nowMs;
    while (!isSo()) {
      if (this.time.nowMs - from >= withinMs) {
        // What a test waits for is what it claims: that it does not come is a failed assertion, no breakdown.
        throw new AssertionError({ message: `not so within ${String(withinMs)} ms: ${isSo.toString()}` });
      }
      await this.run(10);
    }
    return this.time.nowMs - from;
  }

  /** A clean stop, waited for. @returns how long it took */
  async stop(label: string, withinMs = 120_000): Promise<number> {
    const from = this.time.nowMs;
    await this.time.runUntilSettled(this.at(label).fleet.stop(), withinMs, this.#check);
    return this.time.nowMs - from;
  }

  /** SIGKILL. */
  kill(label: string): void {
    this.at(label).clock.kill();
  }

  /** Applies a rule to every call, until the function returned is called. */
  rule(rule: Rule): () => void {
    this.rules.add(rule);
    return () => {
      this.rules.delete(rule);
    };
  }

  /** The same for all calls of one operation, of one process where it is named; `times` of them at most. */
  befall(operation: string, effect: Effect, by?: string, times = Infinity): () => void {
    let left = times;
    return this.rule((call) => {
      if (call.operation !== operation || (by !== undefined && by !== call.by) || left <= 0) return undefined;
      left -= 1;
      return effect;
    });
  }

  outage(of: OutageOf, by?: string, how: "silent" | "refusing" = "refusing"): () => void {
    const at = by === undefined ? {} : { worker: this.#slots.indexOf(by) };
    const fault: NetworkFault = { kind: "store-outage", of, how, atMs: 0, forMs: 0, ...at };
    return this.store.network.begin(fault);
  }

  /** Writes a free lease row. */
  free(leaseKey: string, more: Partial<Lease> = {}): void {
    this.rows.setLease(leaseRow(leaseKey, { checkpoint: trimHorizon, ...more }));
  }

  /** Rows that name workers of the fleet, and tenures of them that have begun. */
  async hold(leases: Readonly<Record<string, string>>, more: Partial<Lease> = {}): Promise<void> {
    const begun = Object.entries(leases).map(([leaseKey, label]) => {
      const { worker, id } = this.at(label);
      const tenure = { epoch: 10, worker: id, reason: "taken", since: "" } as const;
      this.free(leaseKey, { epoch: 10, checkpoint: position("100"), owner: id, tenure, ...more });
      return worker.tenures.lane(leaseKey).receive();
    });
    await this.time.runUntilSettled(Promise.all(begun), 10_000, this.#check);
  }

  /** The row of a lease as it stands in the store. */
  lease(leaseKey: string): Lease {
    const row = this.rows.view().lease(leaseKey);
    if (row === undefined) throw new Error(`no lease ${leaseKey}`);
    return row;
  }

  /** Lease → label of its owner, "-" where nobody owns it. */
  owners(): Readonly<Record<string, string>> {
    const owners: Record<string, string> = {};
    for (const { leaseKey, owner } of this.rows.view().scan().leases) owners[leaseKey] = labelOf(owner);
    return owners;
  }

  /** How many rows name each label. */
  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const label of Object.values(this.owners())) counts[label] = (counts[label] ?? 0) + 1;
    return counts;
  }

  /** Whether every lease is worked by a process that lives, under the row's own epoch. */
  get allWorked(): boolean {
    const { leases } = this.rows.view().scan();
    return leases.every((lease) =>
      [...this.processes.values()].some(
        (process) =>
          !process.clock.isKilled &&
          process.fleet.current?.workerId === lease.owner &&
          process.fleet.current?.tenures.get(lease.leaseKey)?.fencingToken === lease.epoch,
      ),
    );
  }

  /** The row of a process's present worker, or of the worker with this id. */
  workerRow(labelOrId: string): WorkerRow | undefined {
    const id = this.processes.get(labelOrId)?.fleet.current?.workerId ?? labelOrId;
    return this.rows.view().worker(id);
  }

  /** The entries of a process's mailbox. */
  mail(label: string): readonly MailEntry[] {
    return [...(this.workerRow(label)?.mailbox.values() ?? [])];
  }

  /** Posts a directive as a planner would. @returns its key */
  async directive(
    leaseKey: string,
    from: string,
    target: string,
    more: { readonly epoch?: number; readonly plannerEpoch?: number; readonly key?: string } = {},
  ): Promise<string> {
    const epoch = more.epoch ?? this.lease(leaseKey).epoch;
    const plannerEpoch = more.plannerEpoch ?? this.rows.view().planner?.epoch ?? 1;
    const key = more.key ?? `directive#${leaseKey}#${String(epoch)}#test`;
    const to = this.processes.get(target)?.fleet.current?.workerId ?? target;
    const directive: MailEntry = { kind: "directive", leaseKey, epoch, target: to, plannerEpoch };
    await this.direct.membership.post(this.at(from).id, new Map([[key, directive]]));
    return key;
  }

  get planner(): string {
    return labelOf(this.rows.view().planner?.owner);
  }

  events<Type extends LeaseholdEvent["type"]>(
    type: Type,
    by?: string,
  ): readonly (EventOf<Type> & { readonly atMs: number; readonly label: string })[] {
    const found: (EventOf<Type> & { readonly atMs: number; readonly label: string })[] = [];
    for (const { atMs, by: label, event } of this.log) {
      if (event.type !== type || (by !== undefined && by !== label)) continue;
      found.push({ ...(event as EventOf<Type>), atMs, label });
    }
    return found;
  }

  arrived(operation: string, by?: string, sinceMs = 0): readonly Arrival[] {
    return this.arrivals.filter(
      (call) => call.operation === operation && (by === undefined || by === call.by) && call.atMs >= sinceMs,
    );
  }

  /** Whole scans of the lease rows; one may read several pages. */
  scans(filter: { readonly consistent?: boolean; readonly sinceMs?: number } = {}): readonly Arrival[] {
    const last = new Map<string, number>();
    return this.arrived("leases.scan", undefined, filter.sinceMs).filter(({ by, atMs, consistent }) => {
      const page = atMs - (last.get(by) ?? -Infinity) < 100;
      last.set(by, atMs);
      return !page && (filter.consistent === undefined || filter.consistent === consistent);
    });
  }

  /** What discovery does where a process has none of its own: creates the rows of the source's keys. */
  async discover(store: Store): Promise<number> {
    let created = 0;
    for (const leaseKey of this.options.source ?? []) {
      const lease = { leaseKey, checkpoint: trimHorizon, parents: [] };
      const tenure = { epoch: 3, reason: "created", since: "" } as const;
      const outcome = await store.ownership.create(lease, 3, tenure, `created-${leaseKey}`);
      if (outcome.ok) created += 1;
    }
    return created;
  }

  /** S1, after every event of every test: no two processes believe in one lease. */
  readonly #check = (): void => {
    const believers = new Map<string, string>();
    for (const process of this.processes.values()) {
      for (const leaseKey of process.believes) {
        const other = believers.get(leaseKey);
        if (other === undefined) believers.set(leaseKey, process.label);
        else
          throw new AssertionError({ message: `${other} and ${process.label} both believe in ${leaseKey}` });
      }
    }
  };

  async #under<T>(arrival: Arrival, apply: () => Promise<T>): Promise<T> {
    let effect: Effect | undefined;
    for (const rule of this.rules) effect ??= rule(arrival);
    if (effect === undefined) return apply();
    if (effect === "lost") return new Promise(() => undefined);
    if (effect === "down") {
      throw new StoreError("store-unavailable", "the store is down (test)", {
        retryable: true,
        ambiguous: false,
      });
    }
    if (effect === "denied") {
      throw new StoreError("store-denied", "not permitted (test)", { retryable: false, ambiguous: false });
    }
    if (effect === "unanswered") {
      await apply();
      return new Promise(() => undefined);
    }
    const { laterMs } = effect;
    return new Promise<T>((resolve, reject) => {
      this.time.schedule(laterMs, () => {
        apply().then(resolve, reject);
      });
    });
  }
}

export function labelOf(workerId: string | undefined): string {
  return workerId === undefined ? "-" : workerId.replace(/-[^-]*$/, "");
}

/**
 * A fleet at work: every label a process that has started, every lease held by the one named.
 *
 * ```ts
 * const world = await fleet({ s1: "a", s2: "b" });
 * ```
 */
export async function fleet(
  leases: Readonly<Record<string, string>>,
  options: FleetOptions = {},
): Promise<World> {
  const world = new World(options);
  await world.start(...new Set(Object.values(leases)));
  await world.hold(leases);
  return world;
}

/** Leases `s0`, `s1`, … each held by one of the labels in turn. */
export function dealt(count: number, ...labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `s${String(i).padStart(2, "0")}`,
      labels[i % labels.length] ?? "",
    ]),
  );
}
