import { expect } from "chai";
import fc from "fast-check";
import { firstHole } from "../../src/model/hash-range.js";
import type { Lease } from "../../src/model/lease.js";
import {
  leasesToCreate,
  leasesToMark,
  type MissingLease,
  type PartitionNode,
} from "../../src/model/lineage.js";
import { isFinished, position, shardEnd, trimHorizon, type Position } from "../../src/model/position.js";

interface Shard extends PartitionNode {
  readonly startingHashKey: string;
  readonly endingHashKey: string;
}

/** A stream that is resharded, trimmed and worked, with a crash possible in each creation. */
class World {
  readonly shards = new Map<string, Shard>();
  readonly leases = new Map<string, Lease>();
  readonly initial: Position;
  #clock = 1;

  constructor(count: number, initial: Position) {
    this.initial = initial;
    const whole = 2n ** 128n;
    for (let i = 0; i < count; i++) {
      this.#add([], (whole * BigInt(i)) / BigInt(count), (whole * BigInt(i + 1)) / BigInt(count) - 1n);
    }
  }

  #add(parents: readonly string[], from: bigint, to: bigint): void {
    const partitionKey = `s${String(this.#clock)}`;
    this.shards.set(partitionKey, {
      partitionKey,
      parents,
      open: true,
      startingHashKey: String(from),
      endingHashKey: String(to),
      startingSequenceNumber: String(this.#clock++),
    });
  }

  #pick(from: readonly Shard[], at: number): Shard | undefined {
    return from[at % Math.max(1, from.length)];
  }

  get open(): Shard[] {
    return [...this.shards.values()].filter((shard) => shard.open);
  }

  split(at: number): void {
    const shard = this.#pick(this.open, at);
    if (shard === undefined) return;
    const [from, to] = [BigInt(shard.startingHashKey), BigInt(shard.endingHashKey)];
    this.shards.set(shard.partitionKey, { ...shard, open: false });
    this.#add([shard.partitionKey], from, (from + to) / 2n);
    this.#add([shard.partitionKey], (from + to) / 2n + 1n, to);
  }

  merge(at: number): void {
    const left = this.#pick(this.open, at);
    if (left === undefined) return;
    const right = this.open.find((s) => BigInt(s.startingHashKey) === BigInt(left.endingHashKey) + 1n);
    if (right === undefined) return;
    for (const shard of [left, right]) this.shards.set(shard.partitionKey, { ...shard, open: false });
    this.#add(
      [left.partitionKey, right.partitionKey],
      BigInt(left.startingHashKey),
      BigInt(right.endingHashKey),
    );
  }

  /** The oldest closed partition without listed parents goes: its lease, if any, stays. */
  trim(): void {
    const gone = [...this.shards.values()].find(
      (s) => !s.open && s.parents.every((parent) => !this.shards.has(parent)),
    );
    if (gone !== undefined) this.shards.delete(gone.partitionKey);
  }

  missing(): readonly MissingLease[] {
    return leasesToCreate({
      partitions: [...this.shards.values()],
      leases: [...this.leases.values()],
      initialPosition: this.initial,
    });
  }

  create(missing: readonly MissingLease[]): void {
    for (const { lease } of missing) {
      this.leases.set(lease.leaseKey, {
        ...lease,
        epoch: 1,
        ownerSwitchesSinceCheckpoint: 0,
        ownersWornOut: 0,
        children: [],
        marked: false,
      });
    }
  }

  /** A lease is worked to its end as the protocol has it: children first, never before its parents. */
  finish(at: number): void {
    const ready = [...this.leases.values()].filter(
      (lease) =>
        !isFinished(lease.checkpoint) &&
        this.shards.get(lease.leaseKey)?.open !== true &&
        lease.parents.every((key) => {
          const parent = this.leases.get(key);
          return parent === undefined || isFinished(parent.checkpoint);
        }),
    );
    const lease = ready[at % Math.max(1, ready.length)];
    if (lease === undefined) return;
    const children = [...this.shards.values()].filter((s) => s.parents.includes(lease.leaseKey));
    this.create(
      children
        .filter((child) => !this.leases.has(child.partitionKey))
        .map((child) => ({
          lease: { leaseKey: child.partitionKey, checkpoint: trimHorizon, parents: child.parents },
        })),
    );
    this.leases.set(lease.leaseKey, {
      ...lease,
      checkpoint: shardEnd,
      children: children.map((child) => child.partitionKey),
    });
  }

  checkpoint(at: number): void {
    const lease = [...this.leases.values()][at % Math.max(1, this.leases.size)];
    if (lease === undefined || isFinished(lease.checkpoint)) return;
    this.leases.set(lease.leaseKey, { ...lease, checkpoint: position("5") });
  }

  cleanUp(): void {
    const { mark } = leasesToMark([...this.shards.values()], [...this.leases.values()]);
    for (const lease of mark) {
      expect(isFinished(lease.checkpoint)).to.equal(true);
      this.leases.set(lease.leaseKey, { ...lease, marked: true });
    }
  }

  /** Whether an unfinished lease stands on the partition's path: then somebody works towards it. */
  isLed(key: string): boolean {
    const lease = this.leases.get(key);
    if (lease !== undefined) return !isFinished(lease.checkpoint);
    return this.shards.get(key)?.parents.some((parent) => this.isLed(parent)) ?? false;
  }

  check(): void {
    const led = this.open.filter((shard) => this.isLed(shard.partitionKey));
    expect(firstHole(led)).to.equal(undefined);
    expect(this.missing()).to.deep.equal([]);
  }
}

const number = fc.nat(1_000);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("split" as const), at: number }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("merge" as const), at: number }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("finish" as const), at: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("checkpoint" as const), at: number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), at: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("clean up" as const), at: number }) },
  // Each missing lease is created, or not, by a bit of `at`: a discovery that crashed, in any order.
  { weight: 3, arbitrary: fc.record({ do: fc.constant("crash" as const), at: number }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("discover" as const), at: number }) },
);

describe("leases of 1,000 random trees of splits and merges", () => {
  for (const sentinel of ["LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"]) {
    it(`cover the whole range of hashes after each discovery, at ${sentinel}`, function () {
      this.timeout(60_000);
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (count, steps) => {
          const world = new World(count, position(sentinel));
          for (const { do: what, at } of steps) {
            if (what === "split") world.split(at);
            if (what === "merge") world.merge(at);
            if (what === "finish") world.finish(at);
            if (what === "checkpoint") world.checkpoint(at);
            if (what === "trim") world.trim();
            if (what === "clean up") world.cleanUp();
            if (what === "crash")
              world.create(world.missing().filter((_, i) => ((at >> (i % 10)) & 1) === 1));
            if (what === "discover") {
              world.create(world.missing());
              // What had to wait for its parents' leases comes with the second.
              world.create(world.missing());
              world.check();
            }
          }
        }),
        { numRuns: 350 },
      );
    });
  }
});
