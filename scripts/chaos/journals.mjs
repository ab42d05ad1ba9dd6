// The journals of all processes of a run, as they grow, and as they are when it is over.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import path from "node:path";

const chunkBytes = 1 << 20;

export class Journals {
  #folder;
  #files = new Map();
  /** The names of the records that somebody has worked. */
  worked = new Set();

  constructor(folder) {
    this.#folder = folder;
  }

  /** Every process that has a journal: { name, label, pid, since }, the oldest first. */
  get processes() {
    return [...this.#files.values()].sort((a, b) => a.since - b.since);
  }

  /** Takes in what was written since the last call. */
  update() {
    for (const name of readdirSync(this.#folder)) {
      if (this.#files.has(name)) continue;
      const [, label, pid, since] = /^(.+)\.(\d+)\.(\d+)\.ndjson$/.exec(name) ?? [];
      const fd = openSync(path.join(this.#folder, name), "r");
      this.#files.set(name, { name, label, pid: Number(pid), since: Number(since), fd, offset: 0, rest: "" });
    }
    for (const file of this.#files.values()) this.#read(file);
  }

  #read(file) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      const bytes = readSync(file.fd, chunk, 0, chunkBytes, file.offset);
      if (bytes === 0) return;
      file.offset += bytes;
      const lines = (file.rest + chunk.toString("utf8", 0, bytes)).split("\n");
      file.rest = lines.pop();
      // Of all the lines only these are looked at while the run goes on.
      for (const line of lines) {
        if (line.startsWith('{"what":"record"')) this.worked.add(JSON.parse(line).id);
      }
    }
  }

  /**
   * All that was written, for the analysis.
   * @param kills when SIGKILL was sent to which pid: { pid, at }
   */
  all(kills) {
    return this.processes.map(({ name, pid, since }) => {
      // A pid comes round again: a kill was meant for the youngest of its name at that time.
      const next = this.processes.find((other) => other.pid === pid && other.since > since);
      const kill = kills.find(
        (one) => one.pid === pid && one.at >= since && one.at < (next?.since ?? Infinity),
      );
      const lines = readFileSync(path.join(this.#folder, name), "utf8").split("\n");
      // What a SIGKILL cut short was never said.
      const last = lines.pop();
      if (last !== "" && kill === undefined) throw new Error(`${name} ends in the middle of a line: ${last}`);
      return {
        name,
        lines: lines.map((line) => JSON.parse(line)),
        ...(kill === undefined ? {} : { killedAt: kill.at }),
      };
    });
  }

  close() {
    for (const { fd } of this.#files.values()) closeSync(fd);
  }
}
