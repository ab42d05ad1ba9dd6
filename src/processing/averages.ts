import type { CheckpointExtra } from "../tenure/tenure.js";
import type { FetchedRecords } from "./batch.js";

const utilisationMs = 30_000;
const throughputMs = 60_000;
const bytesPerKB = 1_024;

/** The share of slots in use, averaged exponentially over about 30 s. Moved at transitions only: no timer. */
export class Utilisation {
  #mean = 0;
  #share = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** The share changes now. */
  set(share: number, nowMs: number): void {
    this.#mean = this.mean(nowMs);
    this.#atMs = nowMs;
    this.#share = share;
  }

  mean(nowMs: number): number {
    const weight = Math.exp(-Math.max(0, nowMs - this.#atMs) / utilisationMs);
    return this.#mean * weight + this.#share * (1 - weight);
  }
}

/** Bytes handled a second, averaged exponentially over 60 s, as the lease row stores it: a lease's weight. */
export class Throughput {
  /** An earlier owner's figure is gone on with; without one the young mean is scaled up to the time it has seen. */
  readonly #inherited: boolean;
  readonly #startMs: number;
  #kBps: number;
  #atMs: number;
  /** False for turns, and before anything was measured: then the row keeps what it has. */
  #hasBytes: boolean;

  constructor(inheritedKBps: number | undefined, nowMs: number) {
    this.#inherited = inheritedKBps !== undefined;
    this.#hasBytes = this.#inherited;
    this.#kBps = inheritedKBps ?? 0;
    this.#startMs = nowMs;
    this.#atMs = nowMs;
  }

  add(handled: Pick<FetchedRecords, "bytes" | "turn">, nowMs: number): void {
    this.#hasBytes = handled.turn === undefined;
    this.#kBps = this.#decayed(nowMs) + handled.bytes / bytesPerKB / (throughputMs / 1_000);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }

  kBps(nowMs: number): number {
    const mean = this.#decayed(nowMs);
    if (this.#inherited) return mean;
    const seenMs = Math.max(1_000, nowMs - this.#startMs);
    return mean / (1 - Math.exp(-seenMs / throughputMs));
  }

  /** What is written along with a checkpoint. Turns have no bytes: their weight stays unknown. */
  extra(nowMs: number): CheckpointExtra {
    return this.#hasBytes ? { throughputKBps: Math.round(this.kBps(nowMs) * 1_000) / 1_000 } : {};
  }

  #decayed(nowMs: number): number {
    return this.#kBps * Math.exp(-Math.max(0, nowMs - this.#atMs) / throughputMs);
  }
}
