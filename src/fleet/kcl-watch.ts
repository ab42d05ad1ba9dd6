import { LeaseholdError } from "../model/errors.js";
import { observerElapsedMs, type Reading } from "../model/reading.js";
import {
  describeRows,
  kclAlive,
  mayBeStrangers,
  movedRows,
  noteOf,
  strangersRows,
  unnoted,
  type StrangersRows,
} from "../model/strangers.js";
import type { WorkerRow } from "../model/worker-row.js";
import { attempts, remedies } from "../runtime/attempts.js";
import { sleep } from "../runtime/clock.js";
import type { Call } from "../store/call.js";
import type { LeaseScan } from "../store/lease-reader.js";
import type { FleetDeps } from "./fleet-deps.js";

/** A whole scan of the lease rows, when it was asked for, and when its answer came. */
export interface DatedScan {
  readonly scan: LeaseScan;
  readonly sentAt: Reading;
  readonly answeredAt: Reading;
}

/** The scan that a worker begins with. */
export interface FirstLook extends DatedScan {
  /** The rows in it that a Java KCL fleet left: they have stood still. */
  readonly left: StrangersRows;
}

/**
 * The watch for a live Java KCL fleet, before a worker's row is made: Java workers see counters that never move and take
 * everything. A table without rows of theirs, or with those that `meta` notes, costs the scan that a worker begins with
 * anyway, and no wait.
 */
export class KclWatch {
  readonly #deps: FleetDeps;
  readonly #name: string;
  readonly #signal: AbortSignal;

  /** @param name whom events name: there is no worker yet */
  constructor(deps: FleetDeps, name: string, signal: AbortSignal) {
    this.#deps = deps;
    this.#name = name;
    this.#signal = signal;
  }

  /**
   * Waits until all that a Java KCL fleet left has stood still for long enough, now or at an earlier start.
   * @param note what `meta` says of such rows
   * @throws LeaseholdError `kcl-alive` when somebody writes such a row, `worker-stopped`; StoreError
   */
  async settle(first: DatedScan, note: string): Promise<FirstLook> {
    const { clock, config, emit } = this.#deps;
    let since = clock.now();
    let look: FirstLook = { ...first, left: await this.#rowsIn(first.scan) };
    const watched = unnoted(look.left, note);
    if (watched.size === 0) return look;
    const about = { workerId: this.#name, rows: watched.size };
    const forMs = config.kclWatchMs;
    // Said at once: a start that waits in silence looks like one that hangs.
    emit({ type: "kcl-watched", ...about, which: describeRows([...watched.values()]), forMs });
    for (;;) {
      const elapsedMs = observerElapsedMs(since, look.sentAt);
      if (elapsedMs >= forMs) break;
      // A wall clock set back says nothing of how long it was.
      if (elapsedMs < 0) since = clock.now();
      const leftMs = forMs - Math.max(0, elapsedMs);
      await sleep(clock, Math.ceil(Math.min(leftMs, this.#intervalMs)), this.#signal);
      look = await this.#look();
      const moved = movedRows(watched, unnoted(look.left, note));
      if (moved.length > 0) {
        emit({ type: "kcl-seen", workerId: this.#name, rows: moved.length, which: describeRows(moved) });
        throw kclAlive(moved);
      }
    }
    await this.#call("note the rows of a KCL", (call) =>
      this.#deps.store.membership.note(noteOf(look.left), call),
    );
    emit({ type: "kcl-stood-still", ...about, forMs });
    return look;
  }

  /** Often enough to see a KCL's next renewal soon; each look is a scan of the table. */
  get #intervalMs(): number {
    const { kclFailoverMs, pollIntervalMs, plannerScanIntervalMs } = this.#deps.config;
    return Math.min(plannerScanIntervalMs, Math.max(pollIntervalMs, kclFailoverMs / 3));
  }

  async #look(): Promise<FirstLook> {
    const { clock, store, config } = this.#deps;
    const sentAt = clock.now();
    const scan = await this.#call(
      "scan the leases",
      (call) => store.leases.scan({ ...call, consistent: false }),
      config.leaseDurationMs,
    );
    return { scan, sentAt, answeredAt: clock.now(), left: await this.#rowsIn(scan) };
  }

  async #rowsIn(scan: LeaseScan): Promise<StrangersRows> {
    const workers = new Map<string, WorkerRow>();
    if (scan.leases.some(mayBeStrangers)) {
      const { membership } = this.#deps.store;
      const fleet = await this.#call("read the fleet", (call) =>
        membership.readFleet({ ...call, consistent: true }),
      );
      for (const row of fleet.workers) workers.set(row.workerId, row);
    }
    return strangersRows(scan, (workerId) => workers.get(workerId));
  }

  async #call<T>(
    doing: string,
    call: (call: Call) => Promise<T>,
    attemptTimeoutMs = this.#deps.config.attemptTimeoutMs,
  ): Promise<T> {
    const { clock, random, config } = this.#deps;
    const unanswered = { call: doing, remedy: remedies.worker };
    const options = { attemptTimeoutMs, withinMs: config.leaseDurationMs, signal: this.#signal, unanswered };
    const result = await attempts(clock, random, options, ({ signal }) => call({ signal }));
    if (result.ok) return result.value;
    if (!this.#signal.aborted) throw result.error;
    throw new LeaseholdError(
      "worker-stopped",
      "the worker was stopped while it looked for a live Java KCL fleet",
    );
  }
}
