import { position } from "../../src/model/position.js";
import { sleep, type Clock } from "../../src/runtime/clock.js";
import type { DrainResult, HostLoad, PartitionHost } from "../../src/tenure/partition-host.js";
import type { Tenure } from "../../src/tenure/tenure.js";

/** What was asked of the host, in order. */
export interface HostCall {
  readonly what: "begin" | "drain" | "drained" | "not-drained";
  readonly leaseKey: string;
  readonly epoch: number;
}

/** Work without records: a drain takes a while and writes one checkpoint. */
export class FakeHost implements PartitionHost {
  readonly calls: HostCall[] = [];
  /** How long work in flight needs to finish; Infinity: it never does. */
  drainTakesMs = 5;
  /** A drain breaks with this. */
  drainThrows: Error | undefined;
  /** Neither answers nor keeps to its time: a mistake in the host, which the fleet must survive. */
  drainHangs = false;
  unfitKeys: string[] = [];
  readonly #clock: Clock;
  readonly #tenures = new Map<string, Tenure>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(tenure: Tenure): void {
    this.#tenures.set(tenure.leaseKey, tenure);
    this.#note("begin", tenure.leaseKey, tenure.fencingToken);
  }

  async drain(leaseKey: string, _reason: "handoff" | "stop", withinMs: number): Promise<DrainResult> {
    const tenure = this.#tenures.get(leaseKey);
    this.#note("drain", leaseKey, tenure?.fencingToken ?? -1);
    if (this.drainThrows !== undefined) throw this.drainThrows;
    if (this.drainHangs) return new Promise(() => undefined);
    if (tenure === undefined || tenure.ended) return "drained";
    await sleep(this.#clock, Math.min(withinMs, this.drainTakesMs));
    const inTime = this.drainTakesMs <= withinMs;
    if (inTime && tenure.remainingMs() > 0) {
      this.#sequence += 1;
      const before = tenure.row.checkpoint.sequenceNumber;
      const next = (/^\d+$/.test(before) ? BigInt(before) : 0n) + BigInt(this.#sequence);
      await tenure.checkpoint(position(String(next)));
    }
    this.#note(inTime ? "drained" : "not-drained", leaseKey, tenure.fencingToken);
    return inTime ? "drained" : "not-drained";
  }

  unfit(): readonly string[] {
    return this.unfitKeys;
  }

  load(): HostLoad {
    return { utilisation: 0, failing: [] };
  }

  #note(what: HostCall["what"], leaseKey: string, epoch: number): void {
    this.calls.push({ what, leaseKey, epoch });
  }
}
