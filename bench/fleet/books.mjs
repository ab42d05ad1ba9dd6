// What the handlers' log says: who read which lease first, which records were handed over, what was refused.
import { closeSync, openSync, readSync } from "node:fs";

const chunkBytes = 1 << 20;

export class Books {
  #file;
  #offset = 0;
  #rest = "";
  /** The first read of every tenure, oldest first: { lease, token, worker, pid, at }. */
  reads = [];
  /** Ends of partitions by lease: { at, children }. */
  ends = new Map();
  /** Writes that failed: { lease, pid, at, write, code }, `write` being `sink` or `checkpoint`. */
  refusals = [];
  /** Records handed over a second time: { lease, record, at }. */
  repeats = [];
  /** The first batch with records of each process, by pid: its time. */
  firstRecords = new Map();
  /** The last one, likewise. */
  lastRecords = new Map();
  #working = new Map();
  #seen = new Set();
  #done = new Set();
  #readers = new Map();

  constructor(file) {
    this.#file = openSync(file, "a+");
  }

  /** Takes in what was written since the last call. */
  update() {
    const chunk = Buffer.alloc(chunkBytes);
    for (;;) {
      const bytes = readSync(this.#file, chunk, 0, chunkBytes, this.#offset);
      if (bytes === 0) return;
      this.#offset += bytes;
      const lines = (this.#rest + chunk.toString("utf8", 0, bytes)).split("\n");
      this.#rest = lines.pop();
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take(line) {
    const { what, at, pid, worker, lease, token } = line;
    switch (what) {
      case "read": {
        const read = { lease, token, worker, pid, at };
        this.reads.push(read);
        if ((this.#readers.get(lease)?.token ?? 0) < token) this.#readers.set(lease, read);
        return;
      }
      case "records":
        if (!this.firstRecords.has(pid)) this.firstRecords.set(pid, at);
        this.lastRecords.set(pid, at);
        this.#working.set(pid, this.working(pid).add(lease));
        for (const record of line.records) {
          const key = `${lease}/${record}`;
          if (this.#seen.has(key)) this.repeats.push({ lease, record, at });
          this.#seen.add(key);
        }
        return;
      case "refused":
        this.#working.get(pid).delete(lease);
        this.refusals.push({ lease, pid, at, write: line.write, code: line.code });
        return;
      case "done":
        this.#working.get(pid).delete(lease);
        for (const record of line.records) this.#done.add(`${lease}/${record}`);
        return;
      case "ended":
        if (!this.ends.has(lease)) this.ends.set(lease, { at, children: line.children });
        return;
      default:
        throw new Error(`the handlers' log has a line of an unknown kind: ${what}`);
    }
  }

  /** The first read under the highest epoch seen of a lease; undefined where nobody has read it. */
  reader(lease) {
    return this.#readers.get(lease);
  }

  /** The leases that a process has been handed records of and has not done: told of workers that work only. */
  working(pid) {
    return this.#working.get(pid) ?? new Set();
  }

  /** Whether the sink took the work on a record: one that was only handed over may have died with who had it. */
  wasDone(lease, record) {
    return this.#done.has(`${lease}/${record}`);
  }

  /** When the last of the leases was first read after `since` by a process that `counts`; undefined until all were. */
  lastFirstRead(leases, since, counts) {
    const first = new Map();
    for (const { lease, pid, at } of this.reads) {
      if (at < since || !leases.has(lease) || !counts(pid)) continue;
      if (!first.has(lease)) first.set(lease, at);
    }
    return first.size === leases.size ? Math.max(...first.values()) : undefined;
  }

  close() {
    closeSync(this.#file);
  }
}
