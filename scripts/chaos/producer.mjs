// Puts records into the stream, evenly over its shards, and knows which of them the stream has taken.
import { setTimeout as sleep } from "node:timers/promises";

const everyMs = 300;
const atOnce = 8;
/** So many failures in a row are no accident of a reshard. */
const failuresInARow = 20;

export class Producer {
  #stream;
  #records = 0;
  #stopping = new AbortController();
  #running;
  /** The names of those that are in. One whose answer never came is owed to nobody. */
  put = [];

  constructor(stream) {
    this.#stream = stream;
  }

  start() {
    this.#running = this.#produce();
    // Its failure is that of `stop`.
    this.#running.catch(() => {});
  }

  async #produce() {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.some(atOnce);
        failures = 0;
      } catch (error) {
        if (++failures >= failuresInARow) throw error;
      }
      await sleep(everyMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** Puts so many, evenly over the hash keys. */
  async some(count) {
    const ids = Array.from({ length: count }, () => `r${++this.#records}`);
    await this.#stream.put(ids);
    this.put.push(...ids);
  }

  async stop() {
    this.#stopping.abort();
    await this.#running;
  }
}
