import { StoreError } from "../../src/model/errors.js";
import type { Lease } from "../../src/model/lease.js";
import type { Store } from "../../src/store/store.js";
import { createMemoryStore, MemoryTables, type MemorySnapshot } from "../../src/testing/index.js";
import { throughNetwork } from "../../src/testing/simulated-store.js";
import { leases } from "./lease-rows.js";

/**
 * What befalls one call. `lost-request` is never applied, `late` when the test says so, `lost-answer` at once: none of the
 * three is answered. `throttled` and `denied` certainly were not applied; only the first may be tried again.
 */
export type Fate = "passes" | "lost-request" | "late" | "lost-answer" | "throttled" | "denied";

/** A memory store in whose calls a test can look, and of which it says what befalls each. */
export class ScriptedStore {
  readonly tables = new MemoryTables();
  readonly store: Store;
  /** The calls made, as `ownership.change`, with what they were given. */
  readonly calls: { readonly operation: string; readonly args: readonly unknown[] }[] = [];
  /** What reads see that need not be consistent; undefined for the rows as they stand. */
  stale: MemorySnapshot | undefined;
  readonly #fates = new Map<string, Fate[]>();
  readonly #always = new Map<string, Fate>();
  readonly #watchers = new Map<string, () => void>();
  readonly #late: (() => Promise<unknown>)[] = [];

  constructor(rows: Readonly<Record<string, string>> = {}) {
    for (const lease of leases(rows).values()) this.put(lease);
    const memory = createMemoryStore({
      application: "test",
      tables: this.tables,
      staleRead: () => this.stale,
    });
    this.store = throughNetwork(memory, (operation, _access, _call, args, apply) =>
      this.#send(operation, args, apply),
    );
  }

  /** The row as it stands, without a call. */
  row(leaseKey: string): Lease {
    const lease = this.tables.view().lease(leaseKey);
    if (lease === undefined) throw new Error(`no row ${leaseKey}`);
    return lease;
  }

  /** Puts a row by hand. */
  put(lease: Lease): Lease {
    return this.tables.setLease(lease);
  }

  /** Epochs in the history of a lease, rising. */
  epochs(leaseKey: string): number[] {
    return [...this.tables.historyOf(leaseKey).keys()].sort((a, b) => a - b);
  }

  /** What befalls the next calls of an operation; those after them pass. */
  next(operation: string, ...fates: Fate[]): void {
    this.#fates.set(operation, fates);
  }

  /** What befalls all calls of an operation that `next` says nothing of. */
  always(operation: string, fate: Fate): void {
    this.#always.set(operation, fate);
  }

  /** Called inside every call of an operation, before anything of it is applied. */
  on(operation: string, watcher: () => void): void {
    this.#watchers.set(operation, watcher);
  }

  /** Applies what is late. */
  async land(): Promise<void> {
    for (const apply of this.#late.splice(0)) await apply();
  }

  count(operation: string): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  async #send<T>(operation: string, args: readonly unknown[], apply: () => Promise<T>): Promise<T> {
    this.calls.push({ operation, args });
    this.#watchers.get(operation)?.();
    const fate = this.#fates.get(operation)?.shift() ?? this.#always.get(operation) ?? "passes";
    if (fate === "passes") return apply();
    if (fate === "throttled" || fate === "denied") {
      throw new StoreError(`store-${fate}`, fate, { retryable: fate === "throttled", ambiguous: false });
    }
    if (fate === "lost-answer") await apply();
    if (fate === "late") this.#late.push(apply);
    return new Promise<T>(() => {});
  }
}
