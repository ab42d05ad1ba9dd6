// Counts what a fleet costs: stands between it and the store, asks for the consumed capacity with every request that it
// passes on, and adds up what the store answers.
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { nowMs } from "../../scripts/host-clock.mjs";

const writes = new Set(["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"]);
const reads = new Set(["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"]);

export class CapacityProxy {
  #agent = new Agent({ keepAlive: true });
  #server = createServer((incoming, outgoing) => {
    this.#pass(incoming, outgoing).catch((error) => outgoing.destroy(error));
  });
  #target;
  #units = [];

  static async start(endpoint) {
    const proxy = new CapacityProxy();
    proxy.#target = new URL(endpoint);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get endpoint() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async #pass(incoming, outgoing) {
    const operation = String(incoming.headers["x-amz-target"]).split(".").at(-1);
    const isCounted = writes.has(operation) || reads.has(operation);
    const given = await bodyOf(incoming);
    const body = isCounted
      ? Buffer.from(JSON.stringify({ ...JSON.parse(given), ReturnConsumedCapacity: "TOTAL" }))
      : given;
    const { hostname, port } = this.#target;
    const passed = request({
      agent: this.#agent,
      hostname,
      port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...incoming.headers, "content-length": body.length },
    });
    passed.end(body);
    const [answer] = await once(passed, "response");
    const answered = await bodyOf(answer);
    if (isCounted) this.#count(operation, answer.statusCode, JSON.parse(answered));
    outgoing.writeHead(answer.statusCode, answer.headers);
    outgoing.end(answered);
  }

  #count(operation, status, answer) {
    const at = nowMs();
    const kind = writes.has(operation) ? "write" : "read";
    if (status === 200) {
      const units = [answer.ConsumedCapacity ?? []]
        .flat()
        .reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
      this.#units.push({ at, kind, operation, units });
      return;
    }
    // A refused condition costs a write; the store's answer does not say so.
    if (String(answer.__type).includes("ConditionalCheckFailed")) {
      this.#units.push({ at, kind, operation, units: 1 });
    }
  }

  /** Units a minute between two times. */
  perMinute(kind, from, to) {
    const sum = this.#units
      .filter((entry) => entry.kind === kind && entry.at >= from && entry.at < to)
      .reduce((total, { units }) => total + units, 0);
    return Math.round((sum / (to - from)) * 60_000 * 10) / 10;
  }

  /** Units by operation between two times, for people. */
  byOperation(from, to) {
    const sums = {};
    for (const { at, operation, units } of this.#units) {
      if (at >= from && at < to) sums[operation] = (sums[operation] ?? 0) + units;
    }
    return sums;
  }

  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }
}

async function bodyOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
