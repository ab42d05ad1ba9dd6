// What every subject on Node counts, in the same way, and when: once each shard was read and the warm-up is over it says
// that it is ready; from the bench's word on, for as long as the window is and until each shard was read in it, it counts.
// KclSubject.java does the same.
import { writeSync } from "node:fs";
import { placeOf } from "../canned/records.mjs";

const { BENCH_ALONE, BENCH_SHARDS, BENCH_BLOCK, BENCH_WARM_UP_MS, BENCH_WINDOW_MS } = process.env;

export class Tally {
  /** By shard: the runs of records that were read without a gap, each where it begins, how long it is, and its bytes' sum. */
  #shards = new Map();
  #records = 0;
  #size = Number(BENCH_BLOCK);
  #warmSince;
  #isReady = false;
  #from;
  /** The shards that were read in the window. */
  #inWindow = new Set();
  #onFrom;
  #onTo;
  #isOver = false;

  /** @param hooks.onFrom, hooks.onTo what is done at the window's begin, and at its end before it is told */
  constructor({ onFrom = () => {}, onTo = () => Promise.resolve() } = {}) {
    this.#onFrom = onFrom;
    this.#onTo = onTo;
  }

  /** Whatever the bench says is the word to begin: all processes of a run do at once. */
  #begin() {
    this.#from = this.#mark(performance.now());
    this.#onFrom();
  }

  /** A batch was worked: its records from the first to the last sequence number follow those before, without a gap. */
  batch(shardId, count, first, last, sum) {
    let runs = this.#shards.get(shardId);
    if (runs === undefined) this.#shards.set(shardId, (runs = []));
    const [from, to] = [this.#indexOf(first), this.#indexOf(last)];
    let run = runs.at(-1);
    // A worker that has lost a lease and takes it again reads some once more; of processes that share the stream, another
    // may have read what lies between: the bench lays all of their runs side by side.
    if (run === undefined || from < endOf(run) || (BENCH_ALONE === "no" && from > endOf(run))) {
      runs.push((run = { shardId, start: from, records: 0, sum: 0 }));
    }
    if (from !== endOf(run) || to - from + 1 !== count) {
      say({ event: "lost", shardId, count, from, to, next: endOf(run) });
      process.exit(1);
    }
    run.records += count;
    run.sum += sum;
    this.#records += count;
    if (this.#from !== undefined) this.#inWindow.add(shardId);
    if (!this.#isOver) this.#time();
  }

  #indexOf(sequence) {
    const { block, record } = placeOf(sequence);
    return block * this.#size + record;
  }

  #time() {
    const now = performance.now();
    if (this.#warmSince === undefined) {
      if (this.#shards.size >= Number(BENCH_SHARDS)) this.#warmSince = now;
      return;
    }
    if (!this.#isReady) {
      if (now - this.#warmSince < Number(BENCH_WARM_UP_MS)) return;
      this.#isReady = true;
      process.stdin.once("data", () => this.#begin());
      say({ event: "ready" });
      return;
    }
    if (this.#from === undefined || now - this.#from.at < Number(BENCH_WINDOW_MS)) return;
    // A slow machine takes longer to come round to every shard, and one that was not read has no checkpoint to move.
    if (this.#inWindow.size < Number(BENCH_SHARDS)) return;
    this.#isOver = true;
    const to = this.#mark(now);
    const read = [...this.#shards.values()].flat().map((run) => ({ ...run }));
    const figures = {
      records: to.records - this.#from.records,
      seconds: (to.at - this.#from.at) / 1_000,
      cpuSeconds: to.cpuSeconds - this.#from.cpuSeconds,
    };
    void this.#onTo().then(() => say({ event: "to", ...figures, read }));
  }

  #mark(at) {
    const { user, system } = process.cpuUsage();
    return { at, cpuSeconds: (user + system) / 1e6, records: this.#records };
  }
}

const endOf = ({ start, records }) => start + records;

function say(line) {
  writeSync(process.stdout.fd, `${JSON.stringify(line)}\n`);
}
