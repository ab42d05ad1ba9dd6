import type { Lease } from "../model/lease.js";
import { isFinished, isSentinel } from "../model/position.js";
import type { SimulatedShard, SimulatedShards } from "./simulated-shards.js";
import type { Report } from "./violation.js";

interface Account {
  readonly shard: SimulatedShard;
  /** Index by sequence number, of the first `indexed` records. */
  readonly indexes: Map<string, number>;
  readonly done: boolean[];
  /** All before this one are done. */
  doneUpTo: number;
  redone: number;
}

/** What one tenure was given of a shard. */
interface Delivery {
  readonly workerId: string;
  readonly from: number;
  /** The record that must come next, unless one comes again. */
  next: number;
}

/**
 * Which record was worked, of all that were ever put into the stream: nothing may be skipped within a tenure, nothing
 * may lie behind a checkpoint undone, and nothing may be missing at the end.
 */
export class Ledger {
  readonly #shards: SimulatedShards;
  readonly #report: Report;
  readonly #accounts = new Map<string, Account>();
  readonly #deliveries = new Map<string, Delivery>();

  constructor(shards: SimulatedShards, report: Report) {
    this.#shards = shards;
    this.#report = report;
  }

  /** Records worked more than once, so many times more. */
  get redone(): number {
    let redone = 0;
    for (const account of this.#accounts.values()) redone += account.redone;
    return redone;
  }

  /** A tenure begins at a checkpoint (as events say it). */
  begin(workerId: string, leaseKey: string, checkpoint: string): void {
    const account = this.#account(leaseKey);
    if (account === undefined) return;
    const sequenceNumber = checkpoint.split(".")[0] ?? "";
    const index = isSentinel(sequenceNumber) ? -1 : this.#indexOf(account, sequenceNumber);
    if (index === undefined) {
      this.#report("checkpoints-advance", `${leaseKey} begins at ${checkpoint}, which is no record of it`);
      return;
    }
    this.#deliveries.set(leaseKey, { workerId, from: index + 1, next: index + 1 });
  }

  /** Records are handed over to a processor. */
  deliver(workerId: string, leaseKey: string, sequenceNumbers: readonly string[]): void {
    const account = this.#account(leaseKey);
    const delivery = this.#deliveries.get(leaseKey);
    if (account === undefined || delivery?.workerId !== workerId) return;
    for (const sequenceNumber of sequenceNumbers) {
      const index = this.#indexOf(account, sequenceNumber);
      if (index === undefined) {
        this.#report("nothing-lost", `${leaseKey} hands over ${sequenceNumber}, which is no record of it`);
      } else if (index > delivery.next) {
        this.#report(
          "nothing-lost",
          `${workerId} skips ${String(index - delivery.next)} records of ${leaseKey}`,
        );
      } else if (index < delivery.from) {
        this.#report("nothing-lost", `${workerId} is given a record of ${leaseKey} before its checkpoint`);
      }
      delivery.next = Math.max(delivery.next, (index ?? 0) + 1);
    }
  }

  /** The work on records is done for good. */
  work(leaseKey: string, sequenceNumbers: readonly string[]): void {
    const account = this.#account(leaseKey);
    if (account === undefined) return;
    for (const sequenceNumber of sequenceNumbers) {
      const index = this.#indexOf(account, sequenceNumber);
      if (index === undefined) continue;
      if (account.done[index] === true) account.redone++;
      account.done[index] = true;
    }
    while (account.done[account.doneUpTo] === true) account.doneUpTo++;
  }

  /** Records put and not worked yet, of those that all come after what was worked without a gap. */
  waiting(leaseKey: string): number {
    const account = this.#account(leaseKey);
    return account === undefined ? 0 : account.shard.records.length - account.doneUpTo;
  }

  /** Records worked without a gap. */
  done(leaseKey: string): number {
    return this.#account(leaseKey)?.doneUpTo ?? 0;
  }

  /** The place of a lease's checkpoint among its records; −1 before the first. */
  indexOfCheckpoint({ leaseKey, checkpoint: { sequenceNumber } }: Lease): number {
    const account = this.#account(leaseKey);
    if (account === undefined || sequenceNumber === "SHARD_END") return Infinity;
    return isSentinel(sequenceNumber) ? -1 : (this.#indexOf(account, sequenceNumber) ?? -1);
  }

  /** The place of a record in its shard. */
  indexOf(leaseKey: string, sequenceNumber: string): number | undefined {
    const account = this.#account(leaseKey);
    return account === undefined ? undefined : this.#indexOf(account, sequenceNumber);
  }

  /** Why the lease's checkpoint may not stand where it does, or undefined: something before it was never worked. */
  undone(lease: Lease): string | undefined {
    const account = this.#account(lease.leaseKey);
    if (account === undefined) return undefined;
    const { shard, doneUpTo } = account;
    const { sequenceNumber } = lease.checkpoint;
    if (isFinished(lease.checkpoint)) {
      if (shard.open) return `${lease.leaseKey} is finished though its shard is open`;
      const left = shard.records.length - doneUpTo;
      return left === 0
        ? undefined
        : `${lease.leaseKey} is finished and ${String(left)} records are not worked`;
    }
    if (isSentinel(sequenceNumber)) return undefined;
    const index = this.#indexOf(account, sequenceNumber);
    if (index === undefined)
      return `${lease.leaseKey} has checkpoint ${sequenceNumber}, which is no record of it`;
    if (index < doneUpTo) return undefined;
    return `${lease.leaseKey} has checkpoint ${sequenceNumber} and ${String(index + 1 - doneUpTo)} records before it are not worked`;
  }

  /** What was put and never worked, by shard. */
  missing(): readonly string[] {
    return this.#shards.all().flatMap((shard) => {
      const left = shard.records.length - (this.#account(shard.shardId)?.doneUpTo ?? 0);
      return left === 0 ? [] : [`${shard.shardId}: ${String(left)} of ${String(shard.records.length)}`];
    });
  }

  #account(shardId: string): Account | undefined {
    let account = this.#accounts.get(shardId);
    const shard = this.#shards.get(shardId);
    if (account === undefined && shard !== undefined) {
      account = { shard, indexes: new Map(), done: [], doneUpTo: 0, redone: 0 };
      this.#accounts.set(shardId, account);
    }
    return account;
  }

  #indexOf(account: Account, sequenceNumber: string): number | undefined {
    const { shard, indexes } = account;
    for (let i = indexes.size; i < shard.records.length; i++) {
      indexes.set(shard.records[i]?.sequenceNumber ?? "", i);
    }
    return indexes.get(sequenceNumber);
  }
}
