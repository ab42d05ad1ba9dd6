import { StoreError } from "../../model/errors.js";
import type { Call } from "../call.js";
import type { Store } from "../store.js";
import { MemoryCheckpoints, MemoryLeaseReader, MemoryOwnership } from "./memory-leases.js";
import { MemoryHistoryStore, MemoryMembership, MemoryPlannerDesk, MemoryTablesPort } from "./memory-fleet.js";
import { MemoryTables, type MemorySnapshot } from "./memory-tables.js";

export interface MemoryStoreOptions {
  /** Names the tables in messages. */
  readonly application: string;
  /** The rows, shared by all stores that are given the same object. By default this store's own. */
  readonly tables?: MemoryTables;
  /**
   * What a read that need not be consistent sees, and the owner index: a snapshot taken earlier, say. Asked at every
   * such read; undefined, or left out, for the rows as they stand.
   */
  readonly staleRead?: (() => MemorySnapshot | undefined) | undefined;
  /**
   * False for a store that does not return the row on which a condition failed: it is then read in a second step, and
   * another write may come between. Default true.
   */
  readonly returnsOldRow?: boolean;
}

/** What the ports of one memory store share. */
export class MemoryConnection {
  readonly application: string;
  readonly #tables: MemoryTables;
  readonly #staleRead: (() => MemorySnapshot | undefined) | undefined;
  readonly #returnsOldRow: boolean;

  constructor(options: MemoryStoreOptions) {
    this.application = options.application;
    this.#tables = options.tables ?? new MemoryTables();
    this.#staleRead = options.staleRead;
    this.#returnsOldRow = options.returnsOldRow ?? true;
  }

  /** The tables, missing or not, for a call that may still be made. */
  admit(call: Call | undefined): MemoryTables {
    if (call?.signal?.aborted === true) {
      throw new StoreError("store-timeout", "the call was called off before it was made", {
        retryable: true,
        ambiguous: false,
      });
    }
    return this.#tables;
  }

  /** The tables, for one call that needs them. */
  tables(call: Call | undefined): MemoryTables {
    const tables = this.admit(call);
    if (!tables.exist) {
      throw new StoreError(
        "table-missing",
        `the tables of application ${this.application} do not exist; start a worker to make them`,
        { retryable: false, ambiguous: false },
      );
    }
    return tables;
  }

  /** The rows, for one read. */
  rows(call: Call & { readonly consistent: boolean }): MemorySnapshot {
    const tables = this.tables(call);
    return (call.consistent ? undefined : this.#staleRead?.()) ?? tables.view();
  }

  /** The outcome of a refused write. */
  async refused<Row>(
    read: (rows: MemorySnapshot) => Row | undefined,
  ): Promise<{ ok: false; current: Row | undefined }> {
    if (!this.#returnsOldRow) await Promise.resolve();
    return { ok: false, current: read(this.tables(undefined).view()) };
  }
}

/** A store in memory: every call has its whole effect at once, in the order of the calls. It reads no clock. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const connection = new MemoryConnection(options);
  return {
    tables: new MemoryTablesPort(connection),
    leases: new MemoryLeaseReader(connection),
    ownership: new MemoryOwnership(connection),
    checkpoints: new MemoryCheckpoints(connection),
    membership: new MemoryMembership(connection),
    plannerDesk: new MemoryPlannerDesk(connection),
    history: new MemoryHistoryStore(connection),
    close: () => undefined,
  };
}
