import { hasCode } from "../model/errors.js";
import type { Lease } from "../model/lease.js";
import { leasesToCreate, newLease } from "../model/lineage.js";
import { trimHorizon } from "../model/position.js";
import { attempts } from "../runtime/attempts.js";
import { forEachLimited } from "../runtime/pool.js";
import type { SourcePartition } from "../source/partition-source.js";
import type { LeaseScan } from "../store/lease-reader.js";
import { CleaningUp, type CleanedUp, type CleanUpInput } from "./clean-up.js";
import { LeaseCreation } from "./creation.js";
import { emitFailure, type DiscoveryDeps } from "./discovery-deps.js";

export interface DiscoveryResult {
  /** What the source lists. */
  readonly partitions: readonly SourcePartition[];
  /** Every lease row as it was read, with the rows that this discovery made. */
  readonly leases: readonly Lease[];
  /** The rows that it made. */
  readonly created: readonly Lease[];
}

/** Rows made at once. Any part of them may come to stand first: lineage never names two leases of one path. */
const creationsAtOnce = 16;

/** Says which leases should exist, by what the source lists, and sees that they do. Owns none of them. */
export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #creation: LeaseCreation;
  readonly #cleaningUp: CleaningUp;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    this.#creation = new LeaseCreation(deps);
    this.#cleaningUp = new CleaningUp(deps);
  }

  /**
   * Creates the leases that should exist and do not. May be repeated, and run by several workers at once.
   * @param leases every lease row, marked ones included, if the caller has just read them; else they are read here
   * @throws LeaseholdError `source-missing`, `source-denied`, `source-unavailable` (retryable: a list that contradicts
   * itself in the middle of a reshard, too); StoreError. Also told as `discovery-failed`
   */
  async discover(leases?: readonly Lease[], signal?: AbortSignal): Promise<DiscoveryResult> {
    try {
      return await this.#discover(leases, signal);
    } catch (error) {
      emitFailure(this.#deps, error);
      throw error;
    }
  }

  async #discover(given: readonly Lease[] | undefined, signal?: AbortSignal): Promise<DiscoveryResult> {
    const { source } = this.#deps;
    const partitions = await source.list(signal ?? new AbortController().signal);
    const { leases, invalid } =
      given === undefined ? await this.#scan(signal) : { leases: given, invalid: [] };
    const missing = leasesToCreate({
      partitions,
      // A row that cannot be read stands all the same, until a person has looked at it (`lease-invalid`): it is not made
      // again, and what is below it does not begin before it.
      leases: [...leases, ...invalid.map(({ leaseKey }) => placeholder(leaseKey))],
      initialPosition: source.initialPosition,
    });
    const rows = new Map(leases.map((lease) => [lease.leaseKey, lease]));
    const created: Lease[] = [];
    await forEachLimited(missing, creationsAtOnce, async ({ lease, over }) => {
      // A caller's scan may be behind: then the row is looked at again before it counts as missing.
      const seen = given === undefined ? over : await this.#look(lease.leaseKey, signal);
      if (seen === "unreadable") return;
      const { row, isNew } = await this.#creation.ensure(lease, seen, signal);
      rows.set(row.leaseKey, row);
      if (isNew) created.push(row);
    });
    return { partitions, leases: [...rows.values()], created };
  }

  /**
   * Creates the leases of a partition's children, from their start, before its end is written: a crash between the two
   * is repeated by the next owner and changes nothing (protocol, "Partitions that end").
   * @returns the children's rows, in the order given; a merge whose other side has no row yet is left out
   * @throws StoreError when it is not certain that each of them stands: then the end must not be written
   */
  async createChildren(
    parent: Pick<Lease, "leaseKey">,
    children: readonly SourcePartition[],
    signal?: AbortSignal,
  ): Promise<readonly Lease[]> {
    const rows = new Map<string, Lease>();
    await forEachLimited(children, creationsAtOnce, async (child) => {
      // A source that told the child with the parent's last read need not have told the parent with the child.
      const parents = child.parents.length === 0 ? [parent.leaseKey] : child.parents;
      const seen = await this.#creation.read(child.partitionKey, signal);
      // The other side of a merge has no row while its own ancestors are still worked. A child that stood before that
      // row would find no parent open, and begin too early: it is left to whoever ends that side, or to discovery.
      const others = parents.filter((key) => key !== parent.leaseKey);
      if (seen === undefined && !(await this.#stand(others, signal))) return;
      const lease = newLease({ ...child, parents }, trimHorizon);
      rows.set(child.partitionKey, (await this.#creation.ensure(lease, seen, signal)).row);
    });
    return children.flatMap((child) => rows.get(child.partitionKey) ?? []);
  }

  /**
   * Marks finished leases deleted by the KCL's rule, removes marks that this process has watched for 30 days, and reports
   * unfinished leases whose partitions are gone. Never rejects for a write that failed: it comes again with the next call.
   */
  cleanUp(input: CleanUpInput): Promise<CleanedUp> {
    return this.#cleaningUp.run(input);
  }

  async #stand(leaseKeys: readonly string[], signal?: AbortSignal): Promise<boolean> {
    for (const leaseKey of leaseKeys) if ((await this.#look(leaseKey, signal)) === undefined) return false;
    return true;
  }

  async #look(leaseKey: string, signal?: AbortSignal): Promise<Lease | "unreadable" | undefined> {
    try {
      return await this.#creation.read(leaseKey, signal);
    } catch (error) {
      if (hasCode(error, "invalid-row")) return "unreadable";
      throw error;
    }
  }

  async #scan(signal?: AbortSignal): Promise<Pick<LeaseScan, "leases" | "invalid">> {
    const { store, clock, random, config } = this.#deps;
    const result = await attempts(
      clock,
      random,
      {
        // A scan reads many pages: it gets the time of several calls.
        attemptTimeoutMs: config.leaseDurationMs,
        withinMs: config.leaseDurationMs,
        ...(signal === undefined ? {} : { signal }),
      },
      (attempt) => store.leases.scan({ signal: attempt.signal, consistent: true }),
    );
    if (!result.ok) throw result.error;
    return result.value;
  }
}

/** What is known of a row that cannot be read: that it stands, and is not known to be done. */
function placeholder(leaseKey: string): Lease {
  return {
    leaseKey,
    epoch: 0,
    checkpoint: trimHorizon,
    ownerSwitchesSinceCheckpoint: 0,
    ownersWornOut: 0,
    parents: [],
    children: [],
    marked: false,
  };
}
