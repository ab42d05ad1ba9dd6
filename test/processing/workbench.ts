import { expect } from "chai";
import { resolveProtocol, type ProtocolConfig, type ProtocolOptions } from "../../src/model/config.js";
import { LeaseholdError, StoreError } from "../../src/model/errors.js";
import type { LeaseholdEvent } from "../../src/model/events.js";
import type { Lease } from "../../src/model/lease.js";
import {
  comparePositions,
  formatPosition,
  position,
  trimHorizon,
  type Position,
} from "../../src/model/position.js";
import type { EndReason } from "../../src/model/reasons.js";
import { ProcessingHost } from "../../src/processing/host.js";
import type { PartitionStatus } from "../../src/processing/journal.js";
import type { ProcessingOptions } from "../../src/processing/options.js";
import type { PartitionEnd } from "../../src/processing/partition-end.js";
import type { Work } from "../../src/processing/processor.js";
import type {
  OpenPartition,
  PartitionReader,
  PartitionSource,
  SourceFetch,
  SourcePartition,
  SourceRecord,
} from "../../src/source/partition-source.js";
import { Belief } from "../../src/tenure/belief.js";
import { Tenure, type CheckpointExtra, type TenureLane } from "../../src/tenure/tenure.js";
import { seededRandom, VirtualTime, type VirtualClock } from "../../src/testing/index.js";
import { lease as leaseRow } from "../../src/testing/contract/harness.js";

export type RecordsFetch = Extract<SourceFetch, { readonly kind: "records" }>;
export type EventOf<T extends LeaseholdEvent["type"]> = Extract<LeaseholdEvent, { readonly type: T }>;

/** A promise to be settled by hand. */
export interface Gate {
  readonly promise: Promise<void>;
  open(): void;
  fail(error: unknown): void;
}

export function gate(): Gate {
  let open = (): void => {};
  let fail = (_error: unknown): void => {};
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  promise.catch(() => {});
  return { promise, open, fail };
}

export function record(sequenceNumber: number | string, subSequenceNumber = 0): SourceRecord {
  return {
    data: new Uint8Array(10),
    partitionKey: "key",
    sequenceNumber: String(sequenceNumber),
    subSequenceNumber,
    arrivalMs: 1_000,
  };
}

/** A batch of the records with these sequence numbers. */
export function records(...numbers: readonly number[]): RecordsFetch {
  const list = numbers.map((number) => record(number));
  return {
    kind: "records",
    records: list,
    lastPosition: position(String(numbers.at(-1))),
    bytes: 10 * list.length,
    millisBehindLatest: 7,
  };
}

export function turn(number: number): RecordsFetch {
  return { kind: "records", records: [], lastPosition: position(String(number)), bytes: 0, turn: number };
}

export function ended(...children: readonly string[]): SourceFetch {
  const partition = (partitionKey: string): SourcePartition => ({
    partitionKey,
    parents: ["s1"],
    open: true,
  });
  return { kind: "ended", children: children.map(partition) };
}

export function lease(leaseKey: string, more: Partial<Lease> = {}): Lease {
  return leaseRow(leaseKey, { owner: "w1", checkpoint: trimHorizon, ...more });
}

export function storeError(): StoreError {
  return new StoreError("store-unavailable", "the store is out", { retryable: true, ambiguous: false });
}

/** A reader in the test's hands. */
export class ScriptedReader implements PartitionReader {
  readonly partition: OpenPartition;
  readonly #onDone: () => void;
  #inHand: RecordsFetch | undefined;
  asks = 0;
  /** Batches given to the processor. */
  begins = 0;
  pending = 0;
  closed = false;
  #queue: readonly (SourceFetch | Error)[];
  #wake: (() => void) | undefined;

  constructor(partition: OpenPartition, queue: readonly (SourceFetch | Error)[], onDone: () => void) {
    this.partition = partition;
    this.#onDone = onDone;
    this.#queue = queue.filter(
      (item) =>
        item instanceof Error ||
        item.kind === "ended" ||
        item.lastPosition === undefined ||
        comparePositions(item.lastPosition, partition.checkpoint) > 0,
    );
  }

  push(item: SourceFetch | Error): void {
    this.#queue = [...this.#queue, item];
    this.#wake?.();
  }

  async next(signal: AbortSignal): Promise<SourceFetch> {
    expect(this.closed, "next after close").to.equal(false);
    expect(this.pending, "one next at a time").to.equal(0);
    this.asks += 1;
    this.pending += 1;
    try {
      for (;;) {
        signal.throwIfAborted();
        const [item, ...rest] = this.#queue;
        this.#queue = rest;
        if (item instanceof Error) throw item;
        if (item !== undefined) {
          this.partition.onAnswer();
          if (item.kind === "ended") return item;
          // Another reader brings the same once more. Its records may be made only when somebody looks at them.
          const brought = Object.defineProperties({}, Object.getOwnPropertyDescriptors(item)) as RecordsFetch;
          this.#inHand = brought;
          return brought;
        }
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            signal.removeEventListener("abort", wake);
            resolve();
          };
          this.#wake = wake;
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    } finally {
      this.pending -= 1;
    }
  }

  begun(): void {
    this.begins += 1;
  }

  /** As a source may, it empties what it has brought: nobody may look at it any more. */
  done(): void {
    if (this.#inHand !== undefined) Object.defineProperty(this.#inHand, "records", { value: [] });
    this.#inHand = undefined;
    this.#onDone();
  }

  close(): void {
    expect(this.pending, "closed while a next is under way").to.equal(0);
    this.closed = true;
  }
}

export class ScriptedSource implements PartitionSource {
  readonly kind = "scripted";
  readonly name = "script";
  readonly evolves = true;
  readonly initialPosition = trimHorizon;
  readonly readers: ScriptedReader[] = [];
  readonly #scripts = new Map<string, (SourceFetch | Error)[]>();
  doneCalls = 0;
  openError: Error | undefined;

  /** What a partition holds; an error is thrown once and then forgotten. */
  script(partitionKey: string, ...items: readonly (SourceFetch | Error)[]): void {
    const script = this.#scripts.get(partitionKey) ?? [];
    script.push(...items);
    this.#scripts.set(partitionKey, script);
    for (const item of items) this.#open(partitionKey)?.push(item);
  }

  reader(partitionKey: string): ScriptedReader {
    const reader = this.#open(partitionKey);
    if (reader === undefined) throw new Error(`no open reader of ${partitionKey}`);
    return reader;
  }

  async verify(): Promise<void> {}

  async list(): Promise<readonly SourcePartition[]> {
    return [];
  }

  open(partition: OpenPartition): PartitionReader {
    if (this.openError !== undefined) throw this.openError;
    const script = this.#scripts.get(partition.partitionKey) ?? [];
    const reader = new ScriptedReader(partition, script, () => {
      this.doneCalls += 1;
    });
    this.#scripts.set(
      partition.partitionKey,
      script.filter((item) => !(item instanceof Error)),
    );
    this.readers.push(reader);
    return reader;
  }

  close(): void {}

  #open(partitionKey: string): ScriptedReader | undefined {
    return this.readers.findLast((r) => r.partition.partitionKey === partitionKey && !r.closed);
  }
}

/** The rules of a tenure's writes, without a store. */
export class FakeLane implements TenureLane {
  readonly log: string[];
  readonly written: { leaseKey: string; at: string; extra: CheckpointExtra; atMs: number }[] = [];
  readonly releases: { leaseKey: string; reason: EndReason }[] = [];
  /** Thrown by the next checkpoints, one each. */
  readonly failures: unknown[] = [];
  /** What a checkpoint waits for. */
  hold: Promise<void> | undefined;
  /** What a release waits for: like the real one it is not written at once, and may fail. */
  holdRelease: Promise<void> | undefined;
  writing = 0;
  readonly #nowMs: () => number;

  constructor(log: string[], nowMs: () => number) {
    this.log = log;
    this.#nowMs = nowMs;
  }

  async checkpoint(tenure: Tenure, to: Position, extra: CheckpointExtra): Promise<void> {
    expect(this.writing, "one checkpoint at a time").to.equal(0);
    this.writing += 1;
    try {
      await this.hold;
      tenure.assertHeld();
      const { row } = tenure;
      const order = comparePositions(to, row.checkpoint);
      if (order < 0) throw new LeaseholdError("checkpoint-backwards", `${formatPosition(to)} is behind`);
      if (order === 0) return;
      const failure = this.failures.shift();
      if (failure !== undefined) throw failure;
      tenure.settle({ ...row, checkpoint: to, children: extra.children ?? row.children });
      this.log.push(`checkpoint ${formatPosition(to)}`);
      this.written.push({ leaseKey: tenure.leaseKey, at: formatPosition(to), extra, atMs: this.#nowMs() });
    } finally {
      this.writing -= 1;
    }
  }

  async release(tenure: Tenure, reason: EndReason): Promise<void> {
    this.log.push(`release ${reason}`);
    this.releases.push({ leaseKey: tenure.leaseKey, reason });
    await this.holdRelease;
    tenure.end(reason);
  }

  get positions(): string[] {
    return this.written.map(({ at }) => at);
  }
}

export interface BenchOptions {
  readonly protocol?: ProtocolOptions;
  readonly options?: ProcessingOptions;
  readonly partitionEnd?: Partial<PartitionEnd>;
}

/** A processing host with everything around it in the test's hands. */
export class Bench {
  readonly time = new VirtualTime();
  readonly clock: VirtualClock = this.time.clock();
  /** What happened, in order: checkpoints, releases, children, and what the test's processor notes. */
  readonly log: string[] = [];
  readonly events: LeaseholdEvent[] = [];
  readonly source = new ScriptedSource();
  readonly lane = new FakeLane(this.log, () => this.time.nowMs);
  readonly config: ProtocolConfig;
  readonly belief: Belief;
  readonly host: ProcessingHost;
  readonly tenures: Tenure[] = [];
  readonly gates: Gate[] = [];
  allStuck = 0;

  constructor(processor: Work, options: BenchOptions = {}) {
    // A belief of an hour, unless the test is about belief: no beats here.
    this.config = resolveProtocol({ leaseDurationMs: 3_600_000, ...options.protocol });
    this.belief = new Belief(this.clock, this.config, () => {
      for (const tenure of this.tenures) tenure.end("lease-lost");
    });
    this.belief.extend(this.clock.now());
    const partitionEnd: PartitionEnd = {
      createChildren: async (_tenure, children) => {
        this.log.push(`children ${children.map((child) => child.partitionKey).join(",")}`);
      },
      finished: async (tenure) => {
        this.log.push(`finished ${tenure.leaseKey}`);
      },
      ...options.partitionEnd,
    };
    this.host = new ProcessingHost({
      clock: this.clock,
      random: seededRandom(1),
      emit: (event) => this.events.push(event),
      workerId: () => "w1",
      config: this.config,
      source: this.source,
      processor,
      partitionEnd,
      onAllSlotsStuck: () => (this.allStuck += 1),
      ...(options.options === undefined ? {} : { options: options.options }),
    });
  }

  tenure(leaseKey = "s1", more: Partial<Lease> = {}): Tenure {
    const row = lease(leaseKey, more);
    const deps = { clock: this.clock, belief: this.belief, lane: this.lane };
    const tenure = new Tenure({ row, how: "taken", from: undefined }, deps, () => {});
    this.tenures.push(tenure);
    return tenure;
  }

  /** Begins a tenure and lets everything happen that needs no time. */
  async begin(leaseKey = "s1", more: Partial<Lease> = {}): Promise<Tenure> {
    const tenure = this.tenure(leaseKey, more);
    this.host.begin(tenure);
    await this.settle();
    return tenure;
  }

  async settle(): Promise<void> {
    await this.time.settle();
    await this.time.settle();
  }

  async advance(ms: number): Promise<void> {
    await this.time.advance(ms);
    await this.settle();
  }

  gate(): Gate {
    const made = gate();
    this.gates.push(made);
    return made;
  }

  of<T extends LeaseholdEvent["type"]>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  status(leaseKey = "s1"): PartitionStatus {
    const status = this.host.statuses().findLast((one) => one.leaseKey === leaseKey);
    if (status === undefined) throw new Error(`no status of ${leaseKey}`);
    return status;
  }

  /** Ends everything, and fails if a timer is left, an open reader, or a call that never returned. */
  async end(): Promise<void> {
    for (const tenure of this.tenures) tenure.end("stop");
    this.belief.end();
    for (const made of this.gates) made.open();
    await this.settle();
    const before = this.time.pendingTimers;
    const closed = this.host.close();
    await this.time.runUntilSettled(closed, 120_000);
    expect(this.host.statuses(), "runners left").to.deep.equal([]);
    expect(before, "timers left").to.equal(0);
    expect(this.time.pendingTimers, "timers left after all calls").to.equal(0);
    expect(
      this.source.readers.filter((reader) => !reader.closed),
      "readers left open",
    ).to.deep.equal([]);
  }
}

/** Makes benches and ends each after its test. */
export function useBench(): (processor: Work, options?: BenchOptions) => Bench {
  let made: Bench[] = [];
  afterEach(async () => {
    const benches = made;
    made = [];
    for (const bench of benches) await bench.end();
  });
  return (processor, options) => {
    const bench = new Bench(processor, options);
    made.push(bench);
    return bench;
  };
}

/** The code that a promise's rejection carries. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof LeaseholdError ? error.code : `not of this package: ${String(error)}`;
  }
  return "none";
}
