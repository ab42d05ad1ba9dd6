import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import { LeaseholdError, type ErrorCode } from "../../src/model/errors.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { Lease } from "../../src/model/lease.js";
import { position } from "../../src/model/position.js";
import { Belief } from "../../src/tenure/belief.js";
import type { Lane } from "../../src/tenure/lane.js";
import type { TenuresMode } from "../../src/tenure/lane-deps.js";
import type { CheckpointExtra, Tenure } from "../../src/tenure/tenure.js";
import { Tenures } from "../../src/tenure/tenures.js";
import { seededRandom, VirtualTime } from "../../src/testing/index.js";
import { ScriptedStore } from "../history/scripted-store.js";

type EventOf<Type extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { readonly type: Type }>;

/** Worker `me` with its lanes, on a scripted store and virtual time. It believes from the start, as after a beat. */
export class Bench {
  readonly time = new VirtualTime();
  readonly clock = this.time.clock();
  readonly config = resolveProtocol();
  readonly scripted: ScriptedStore;
  readonly belief: Belief;
  readonly tenures: Tenures;
  readonly events: LeaseholdEvent[] = [];
  readonly doubts: string[] = [];
  readonly gone: string[] = [];
  readonly begun: Tenure[] = [];
  mode: TenuresMode = "open";
  unfit: string[] = [];

  /** `new Bench({ s1: "me@5", s2: "free@3:SHARD_END" })` */
  constructor(rows: Readonly<Record<string, string>>) {
    this.scripted = new ScriptedStore(rows);
    const { ownership, checkpoints, leases, history } = this.scripted.store;
    this.belief = new Belief(this.clock, this.config, () => {
      this.tenures.lapse();
    });
    this.tenures = new Tenures({
      workerId: "me",
      ownership,
      checkpoints,
      leases,
      history,
      clock: this.clock,
      random: seededRandom(1),
      config: this.config,
      belief: this.belief,
      host: {
        begin: (tenure) => this.begun.push(tenure),
        drain: async () => "drained",
        unfit: () => this.unfit,
        load: () => ({ utilisation: 0, failing: [] }),
      },
      emit: (event) => this.events.push(event),
      mode: () => this.mode,
      onRow: () => {},
      onGone: (leaseKey) => this.gone.push(leaseKey),
      onDoubt: (leaseKey) => this.doubts.push(leaseKey),
      onStoreError: () => () => {},
    });
    this.beat();
  }

  /** A beat sent and acknowledged now. */
  beat(): void {
    this.belief.extend(this.clock.now());
  }

  /** Beats every second for so long: what happens meanwhile happens to a worker in good health. */
  async healthy(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.beat();
      await this.time.advance(1_000);
    }
    this.beat();
  }

  /** Waits for the promise, in good health. */
  async run<T>(promise: Promise<T>): Promise<T> {
    const outcome = { settled: false };
    const note = () => {
      outcome.settled = true;
    };
    promise.then(note, note);
    for (let second = 0; second < 120; second++) {
      await this.time.settle();
      if (outcome.settled) return promise;
      this.beat();
      await this.time.advance(1_000);
    }
    throw new Error("not settled within two minutes");
  }

  lane(leaseKey = "s1"): Lane {
    return this.tenures.lane(leaseKey);
  }

  row(leaseKey = "s1"): Lease {
    return this.scripted.row(leaseKey);
  }

  /** The tenure that runs. */
  held(leaseKey = "s1"): Tenure {
    const tenure = this.tenures.get(leaseKey);
    if (tenure === undefined) throw new Error(`${leaseKey} is not held`);
    return tenure;
  }

  /** Begins a tenure of a row that names `me`. */
  async hold(leaseKey = "s1"): Promise<Tenure> {
    await this.run(this.lane(leaseKey).receive());
    return this.held(leaseKey);
  }

  checkpoint(tenure: Tenure, at: string, extra: CheckpointExtra = {}): Promise<void> {
    return this.run(tenure.checkpoint(position(at), extra));
  }

  /** The code with which the promise was rejected. */
  async code(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
    const thrown: unknown = await this.run(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    if (thrown === undefined) return undefined;
    if (!(thrown instanceof LeaseholdError)) throw thrown;
    return thrown.code;
  }

  /** Epochs begun of a lease, in their order. */
  epochs(leaseKey = "s1"): number[] {
    return this.all("tenure-began").flatMap((event) => (event.leaseKey === leaseKey ? [event.epoch] : []));
  }

  all<Type extends LeaseholdEvent["type"]>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  get writes(): number {
    return this.scripted.count("ownership.change") + this.scripted.count("checkpoints.write");
  }

  /** For `afterEach`: ends the belief and finds nothing that still waits. */
  close(): void {
    this.belief.end();
    expect(this.time.pendingTimers, "leaked timers").to.equal(0);
  }
}
