import { formatNumber, oldestFormatRead, type MetaRow } from "../../model/worker-row.js";
import type { Item } from "./connection.js";

/** The kinds of rows whose attributes a format may rename. A history row is never written again, so its names stay. */
export type NamedRow = "lease" | "worker";

/** For each kind of row: an attribute's name from `formatNumber` on, and the one before it. */
export type Renames = Readonly<Record<NamedRow, ReadonlyMap<string, string>>>;

/**
 * What format `formatNumber` calls otherwise than the format before it. A version reads one format back, so when the
 * number rises this table is written anew. The rest of the code knows the new names only.
 *
 * Never renamed: the Java KCL's attributes, which are not ours; `meta`'s and `planner`'s, the keys, `beat`, `fencedBy`,
 * `fenceKind`, `mailbox` and `readsFormat`, by which versions that know nothing of each other find out who lives, and who
 * reads what.
 */
export const renames: Renames = { lease: new Map(), worker: new Map() };

/** How the attributes of one kind of row are called at this moment. */
export interface Naming {
  /** The name to write. */
  written(name: string): string;
  /** The name that the other format has for it, where there is one: no row keeps both. */
  other(name: string): string | undefined;
}

/** Every attribute under its one name. */
export const asNamed: Naming = { written: (name) => name, other: () => undefined };

/**
 * The names that a store writes: those of the format that `meta` named when this store last read it. It learns that from
 * the reads of the fleet that are made anyway, and until the first one writes what every version of the fleet reads.
 */
export class RowNames {
  readonly lease: Naming;
  readonly worker: Naming;
  readonly #newest: number;
  #format: number;

  constructor(table: Renames = renames, known = { newest: formatNumber, oldest: oldestFormatRead }) {
    this.#newest = known.newest;
    this.#format = known.oldest;
    this.lease = this.#namingOf(table.lease);
    this.worker = this.#namingOf(table.worker);
  }

  /** From a read of `meta`. A format is never lowered, so an older answer is a late one. */
  learn(meta: MetaRow | undefined): void {
    if (meta !== undefined && meta.format > this.#format) this.#format = meta.format;
  }

  #namingOf(renamed: ReadonlyMap<string, string>): Naming {
    return {
      written: (name) => (this.#format < this.#newest ? (renamed.get(name) ?? name) : name),
      other: (name) => {
        const before = renamed.get(name);
        return this.#format < this.#newest && before !== undefined ? name : before;
      },
    };
  }
}

/** A row of either format with this version's names. */
export function newlyNamed(row: NamedRow, item: Item, table: Renames = renames): Item {
  if (table[row].size === 0) return item;
  const named = { ...item };
  for (const [name, before] of table[row]) {
    const value = named[name] ?? named[before];
    if (value !== undefined) named[name] = value;
  }
  return named;
}
