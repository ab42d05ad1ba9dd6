import { LeaseholdError } from "./errors.js";
import { firstHole, type HashRange } from "./hash-range.js";
import type { Lease, NewLease } from "./lease.js";
import { isFinished, trimHorizon, type Position } from "./position.js";

/** A partition as its source lists it: a node of the source's graph. */
export interface PartitionNode extends HashRange {
  readonly partitionKey: string;
  /** Partitions that must be finished first, by their keys, whether or not the source still lists them. */
  readonly parents: readonly string[];
  /** Whether it still takes records. */
  readonly open: boolean;
  /** Where it begins, for ordering creations; undefined where the source has no such thing. */
  readonly startingSequenceNumber?: string;
}

/** A lease that should exist and does not. */
export interface MissingLease {
  readonly lease: NewLease;
  /** The row marked deleted that stands in its place, to be created again by a change of tenure. */
  readonly over?: Lease;
}

export interface LineageInput {
  /** Everything the source lists, closed partitions included. */
  readonly partitions: readonly PartitionNode[];
  /** Every lease row, marked ones included. */
  readonly leases: readonly Lease[];
  /** Where a partition begins of which nothing is known. */
  readonly initialPosition: Position;
  /** Leave out children that are listed while a parent is still open, instead of refusing. Default false. */
  readonly ignoreUnexpectedChildren?: boolean;
}

/**
 * Which leases should exist beside those that do, in the order of their creation: the KCL's rules
 * (`HierarchicalShardSyncer`), so that both agree on one table.
 *
 * - No lease yet: at LATEST one for each open partition, else one for each partition whose parents are all trimmed away.
 *   AT_TIMESTAMP starts from the oldest too: they pass quickly, and no filter of the source needs to be trusted.
 * - Else each open partition needs a lease on its path. Where there is none its oldest ancestor gets one (at LATEST it
 *   gets one itself); where a merged partition is led to by one parent only, the other parent gets one.
 * - Beyond the KCL: a child that a finished lease should have left behind is created at TRIM_HORIZON, at any position.
 *
 * Never two leases on one path, so that any part of the list may be created, and the rest is found next time.
 * @throws LeaseholdError `source-unavailable`, retryable: a child is listed whose parent is still open, or there is no
 * lease yet and the open partitions do not cover the whole range of hashes. Both are lists caught in a reshard.
 */
export function leasesToCreate(input: LineageInput): readonly MissingLease[] {
  const graph = new Map(input.partitions.map((node) => [node.partitionKey, node]));
  const unexpected = unexpectedChildren(graph);
  const [child] = unexpected;
  if (child !== undefined && input.ignoreUnexpectedChildren !== true) {
    throw inconsistent(`partition ${child} is listed while its parent is still open`);
  }
  // Marked at its end it stays done for as long as the source lists it; marked elsewhere it should exist again.
  const rows = new Map(input.leases.map((lease) => [lease.leaseKey, lease]));
  const known = new Map([...rows].filter(([, row]) => !row.marked || isFinished(row.checkpoint)));
  const found = new Map<string, Position>();
  if (known.size === 0) {
    // The children of open parents are no part of what must cover the range.
    const expected = input.partitions.filter((node) => !unexpected.has(node.partitionKey));
    firstLeases(expected, graph, input.initialPosition, found);
  } else {
    new Walk(graph, known, input.initialPosition, unexpected, found).run();
  }
  return [...found]
    .map(([key, checkpoint]) => ({ node: graph.get(key), checkpoint }))
    .filter((entry): entry is { node: PartitionNode; checkpoint: Position } => entry.node !== undefined)
    .sort((a, b) => compareNodes(a.node, b.node))
    .map(({ node, checkpoint }) => {
      const over = rows.get(node.partitionKey);
      return { lease: newLease(node, checkpoint), ...(over === undefined ? {} : { over }) };
    });
}

/** What a partition's lease is created from. */
export function newLease(node: PartitionNode, checkpoint: Position): NewLease {
  return {
    leaseKey: node.partitionKey,
    checkpoint,
    parents: node.parents,
    ...(node.startingHashKey === undefined ? {} : { startingHashKey: node.startingHashKey }),
    ...(node.endingHashKey === undefined ? {} : { endingHashKey: node.endingHashKey }),
  };
}

/** Oldest first, as they began. */
function compareNodes(a: PartitionNode, b: PartitionNode): number {
  const [from, to] = [a.startingSequenceNumber ?? "", b.startingSequenceNumber ?? ""];
  // Decimal integers without leading zeros: the longer is the greater.
  if (from.length !== to.length) return from.length - to.length;
  if (from !== to) return from < to ? -1 : 1;
  if (a.partitionKey === b.partitionKey) return 0;
  return a.partitionKey < b.partitionKey ? -1 : 1;
}

/** The parents of a partition that the source still lists. */
function listedParents(node: PartitionNode, graph: ReadonlyMap<string, PartitionNode>): PartitionNode[] {
  return node.parents.map((key) => graph.get(key)).filter((parent) => parent !== undefined);
}

function unexpectedChildren(graph: ReadonlyMap<string, PartitionNode>): ReadonlySet<string> {
  const children = new Set<string>();
  for (const node of graph.values()) {
    if (listedParents(node, graph).some((parent) => parent.open)) children.add(node.partitionKey);
  }
  return children;
}

function inconsistent(what: string): LeaseholdError {
  return new LeaseholdError(
    "source-unavailable",
    `the source's list of partitions is not consistent: ${what}; it is read again at the next discovery`,
    { retryable: true },
  );
}

function firstLeases(
  partitions: readonly PartitionNode[],
  graph: ReadonlyMap<string, PartitionNode>,
  initialPosition: Position,
  found: Map<string, Position>,
): void {
  const open = partitions.filter((node) => node.open);
  // Every open partition has its oldest listed ancestor above it: if these cover the range, so do those.
  const hole = firstHole(open);
  if (hole !== undefined) throw inconsistent(`no open partition covers ${hole}`);
  const first =
    initialPosition.sequenceNumber === "LATEST"
      ? open
      : partitions.filter((node) => listedParents(node, graph).length === 0);
  for (const node of first) found.set(node.partitionKey, initialPosition);
}

/** From each open partition up to the leases that lead to it. Each partition is looked at once. */
class Walk {
  readonly #graph: ReadonlyMap<string, PartitionNode>;
  readonly #known: ReadonlyMap<string, Lease>;
  readonly #initial: Position;
  readonly #unexpected: ReadonlySet<string>;
  readonly #found: Map<string, Position>;
  /** Whether a lease, present or to come, leads to the partition or is its own. */
  readonly #led = new Map<string, boolean>();

  constructor(
    graph: ReadonlyMap<string, PartitionNode>,
    known: ReadonlyMap<string, Lease>,
    initial: Position,
    unexpected: ReadonlySet<string>,
    found: Map<string, Position>,
  ) {
    this.#graph = graph;
    this.#known = known;
    this.#initial = initial;
    this.#unexpected = unexpected;
    this.#found = found;
  }

  run(): void {
    for (const node of this.#graph.values()) {
      if (!node.open || this.#unexpected.has(node.partitionKey)) continue;
      if (!this.#isLed(node)) this.#found.set(node.partitionKey, this.#initial);
    }
  }

  /** Oldest first, without recursion: a lineage may be longer than a stack is deep. */
  #isLed(target: PartitionNode): boolean {
    const path: PartitionNode[] = [target];
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const parents = this.#known.has(node.partitionKey) ? [] : listedParents(node, this.#graph);
      const open = parents.filter((parent) => !this.#led.has(parent.partitionKey));
      if (open.length > 0 && !this.#led.has(node.partitionKey)) {
        path.push(...open);
        continue;
      }
      path.pop();
      if (!this.#led.has(node.partitionKey)) this.#led.set(node.partitionKey, this.#judge(node, parents));
    }
    return this.#led.get(target.partitionKey) ?? false;
  }

  #judge(node: PartitionNode, parents: readonly PartitionNode[]): boolean {
    if (this.#known.has(node.partitionKey)) return true;
    // A parent that the source has trimmed away leads here too while its lease stands.
    const gone = node.parents.flatMap((key) => (this.#graph.has(key) ? [] : (this.#known.get(key) ?? [])));
    const leading = parents.filter((parent) => this.#led.get(parent.partitionKey) === true);
    const fromOldest = this.#initial.sequenceNumber !== "LATEST";
    if (gone.length + (fromOldest ? parents.length : leading.length) === 0) return false;
    for (const parent of parents) {
      // A parent that nothing leads to: the oldest that is left of its path, or (at LATEST) a merge's other side.
      if (!leading.includes(parent)) this.#found.set(parent.partitionKey, this.#initial);
    }
    // Nobody will come by to create it if what leads to it was worked to its end. Not before every parent has its lease:
    // once this one stands, nobody looks above it.
    const above = parents.map((parent) => this.#known.get(parent.partitionKey));
    const isLeft = [...above, ...gone].some((lease) => lease !== undefined && isFinished(lease.checkpoint));
    if (isLeft && !above.includes(undefined)) this.#found.set(node.partitionKey, trimHorizon);
    return true;
  }
}

export interface CleanUp {
  /** Finished leases that may be marked deleted. */
  readonly mark: readonly Lease[];
  /** Leases, not finished and not marked, whose partitions the source does not list any more. */
  readonly vanished: readonly Lease[];
}

/**
 * Which finished leases are needed no more, by the KCL's rule (`LeaseCleanupManager`): the partition is gone from the
 * source; or every child's lease exists and has got beyond its start, and no parent's lease stands any more. Oldest
 * generations go first, one generation a time.
 */
export function leasesToMark(partitions: readonly PartitionNode[], leases: readonly Lease[]): CleanUp {
  // A source that lists nothing has told nothing.
  if (partitions.length === 0) return { mark: [], vanished: [] };
  const graph = new Map(partitions.map((node) => [node.partitionKey, node]));
  const rows = new Map(leases.map((lease) => [lease.leaseKey, lease]));
  const childrenOf = new Map<string, string[]>();
  for (const node of partitions) {
    for (const parent of node.parents) {
      childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), node.partitionKey]);
    }
  }
  const standing = leases.filter((lease) => !lease.marked);
  const isDone = (lease: Lease): boolean => {
    if (!graph.has(lease.leaseKey)) return true;
    const children = new Set([...lease.children, ...(childrenOf.get(lease.leaseKey) ?? [])]);
    if (children.size === 0) return false;
    return (
      [...children].every((key) => hasBegun(rows.get(key), graph.has(key))) &&
      lease.parents.every((key) => rows.get(key)?.marked ?? true)
    );
  };
  return {
    mark: standing.filter((lease) => isFinished(lease.checkpoint) && isDone(lease)),
    vanished: standing.filter((lease) => !isFinished(lease.checkpoint) && !graph.has(lease.leaseKey)),
  };
}

/** Whether a child has got beyond its start, or has come and gone. */
function hasBegun(child: Lease | undefined, isListed: boolean): boolean {
  if (child === undefined) return !isListed;
  const { sequenceNumber } = child.checkpoint;
  return sequenceNumber !== "TRIM_HORIZON" && sequenceNumber !== "AT_TIMESTAMP";
}
