import path from "node:path";
import { Child } from "./child.mjs";

const script = path.join(import.meta.dirname, "canned/server.mjs");
const readyWithinMs = 60_000;

/** A canned stream in a process of its own. */
export class CannedServer {
  #child;
  endpoint;

  static async start({ shards, recordBytes, limit }) {
    const server = new CannedServer();
    server.#child = new Child(process.execPath, [script, ...[shards, recordBytes, limit].map(String)], {});
    server.endpoint = await server.#child.line(readyWithinMs);
    return server;
  }

  /** What it has done so far: { records: by shard, calls: by operation, cpuSeconds, seconds }. */
  async stats() {
    return (await fetch(`${this.endpoint}/stats`)).json();
  }

  stop() {
    return this.#child.end();
  }
}
