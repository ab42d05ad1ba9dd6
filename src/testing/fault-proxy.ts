import { setMaxListeners } from "node:events";
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { LeaseholdError } from "../model/errors.js";
import type { Clock } from "../runtime/clock.js";
import type { Random } from "../runtime/random.js";
import { sleep } from "../runtime/clock.js";
import { systemClock, systemRandom } from "../runtime/system.js";
import { denied, failed, isMetered, streamIn, throttled, type ForgedAnswer } from "./proxy-answers.js";
import { objectIn, ProxyCounts, type ActionCounts } from "./proxy-counts.js";
import {
  accessOf,
  fateOf,
  isUnscoped,
  type Fate,
  type ProxyFault,
  type ProxyRequest,
} from "./proxy-faults.js";

export interface FaultProxyOptions {
  /** The endpoint behind it, plain HTTP: `http://127.0.0.1:8000`. DynamoDB and Kinesis may share one. */
  readonly target: string;
  /**
   * Whether DynamoDB's capacity is counted: `ReturnConsumedCapacity: "TOTAL"` is then added to what is forwarded, and
   * nothing is taken out of the answer. Signatures cover the body, so only for endpoints that do not check them, as no
   * emulator does. Default false.
   */
  readonly countCapacity?: boolean;
  /** Holds delays. Default: the host's. */
  readonly clock?: Clock;
  /** Draws shares and delays; a seeded one draws the same again. Default: the host's. */
  readonly random?: Pick<Random, "next">;
}

/** A proxy that makes bad weather between a worker and an endpoint of DynamoDB or Kinesis. */
export interface FaultProxy {
  /** Where the worker's client is to go: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** What passed through, by action. */
  readonly counts: ReadonlyMap<string, ActionCounts>;
  /** Connections of clients that are open now. */
  readonly connections: number;
  /** The weather from now on, in place of the last. Requests that are under way keep theirs. */
  set(...faults: readonly ProxyFault[]): void;
  /** Good weather from now on. Connections that went deaf stay deaf: only their clients can end them. */
  clear(): void;
  /** Counts begin anew. */
  resetCounts(): void;
  /** Ends every connection, and resolves when nothing listens any more. */
  stop(): Promise<void>;
}

/**
 * Starts a proxy before one endpoint, on a free port of the loopback interface. The weather is good at first.
 * @throws LeaseholdError `invalid-option` when the target is no `http:` URL
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new HttpFaultProxy(options);
  await proxy.listen();
  return proxy;
}

class HttpFaultProxy implements FaultProxy {
  readonly #target: URL;
  readonly #options: FaultProxyOptions;
  readonly #clock: Clock;
  readonly #random: Pick<Random, "next">;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((incoming, answer) => void this.#serve(incoming, answer));
  readonly #sockets = new Set<Socket>();
  /** Nothing that comes on these is heard any more. */
  readonly #deaf = new WeakSet<Socket>();
  readonly #counts = new ProxyCounts();
  readonly #stopping = new AbortController();
  #faults: readonly ProxyFault[] = [];
  /** The stream that a request named last. */
  #stream = "unknown";

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#target = targetOf(options.target);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    // Every request that is held waits for it too, and there may be many: to the host that looks like a leak.
    setMaxListeners(0, this.#stopping.signal);
    // A connection must outlive any silence that a fault makes on it.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 0;
    this.#server.on("connection", (socket) => {
      this.#connected(socket);
    });
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get counts(): ReadonlyMap<string, ActionCounts> {
    return this.#counts.all;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
  }

  set(...faults: readonly ProxyFault[]): void {
    this.#faults = faults;
    for (const fault of faults) {
      if (fault.kind === "half-open") for (const socket of this.#sockets) this.#deaf.add(socket);
    }
    if (this.#isDown) for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  clear(): void {
    this.set();
  }

  resetCounts(): void {
    this.#counts.reset();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const socket of this.#sockets) socket.destroy();
    this.#agent.destroy();
    await closed;
  }

  get #isDown(): boolean {
    return this.#faults.some((fault) => fault.kind === "outage" && isUnscoped(fault));
  }

  #connected(socket: Socket): void {
    if (this.#isDown) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    // A client that resets its connection has done nothing wrong.
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { socket } = incoming;
    try {
      const text = await bodyOf(incoming);
      const request = requestOf(incoming, text);
      if (this.#deaf.has(socket)) {
        this.#counts.came(request, { fault: "silent" });
        return;
      }
      this.#stream = streamIn(request) ?? this.#stream;
      const fate = fateOf(this.#faults, request, () => this.#random.next());
      this.#counts.came(request, fate);
      if (fate.delayMs > 0) await sleep(this.#clock, fate.delayMs, this.#stopping.signal);
      await this.#meet(request, fate, { incoming, answer, text });
    } catch {
      // The endpoint is gone, or the client is: either way the client's connection breaks.
      socket.destroy();
    }
  }

  async #meet(request: ProxyRequest, fate: Fate, exchange: Exchange): Promise<void> {
    const { answer, incoming } = exchange;
    switch (fate.fault) {
      case "throttle": {
        forge(answer, throttled(request, this.#stream));
        return;
      }
      case "error": {
        forge(answer, failed(request, fate.status));
        return;
      }
      case "denied": {
        forge(answer, denied(request, this.#stream));
        return;
      }
      case "silent":
        this.#deaf.add(incoming.socket);
        return;
      case "outage":
        incoming.socket.resetAndDestroy();
        return;
      case "lost-answer":
      case undefined: {
        const { status, headers, body } = await this.#forward(request, exchange);
        this.#counts.answered(request, body.toString("utf8"));
        if (fate.fault === "lost-answer") incoming.socket.destroy();
        // It went deaf while the request was under way: what comes back is lost like all that follows.
        else if (!this.#deaf.has(incoming.socket)) answer.writeHead(status, headers).end(body);
      }
    }
  }

  #forward(request: ProxyRequest, { incoming, text }: Exchange): Promise<Answer> {
    const counts = this.#options.countCapacity === true && isMetered(request);
    const body = counts ? JSON.stringify({ ReturnConsumedCapacity: "TOTAL", ...request.body }) : text;
    const headers = {
      ...incoming.headers,
      host: this.#target.host,
      "content-length": String(Buffer.byteLength(body)),
    };
    return new Promise((resolve, reject) => {
      const forwarded = send(
        this.#target,
        { method: incoming.method, path: incoming.url, headers, agent: this.#agent },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.once("error", reject);
          answer.once("end", () => {
            // The whole body is here: how it was cut into pieces on its way is over.
            const { "transfer-encoding": _, connection: __, ...rest } = answer.headers;
            resolve({ status: answer.statusCode ?? 502, headers: rest, body: Buffer.concat(chunks) });
          });
        },
      );
      forwarded.once("error", reject);
      forwarded.end(body);
    });
  }
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly answer: ServerResponse;
  readonly text: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

function targetOf(target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (url?.protocol === "http:") return url;
  throw new LeaseholdError(
    "invalid-option",
    `target is ${JSON.stringify(target)}: it must be the http: URL of an endpoint, http://127.0.0.1:8000 say`,
  );
}

function requestOf({ headers }: IncomingMessage, text: string): ProxyRequest {
  const [api = "", action = "unknown"] = String(headers["x-amz-target"] ?? "").split(".");
  const service = api.startsWith("Kinesis") ? "kinesis" : "dynamodb";
  return { service, action, access: accessOf(action), body: objectIn(text) };
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function forge(answer: ServerResponse, { status, contentType, body }: ForgedAnswer): void {
  answer
    .writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) })
    .end(body);
}
