import { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { isUint8Array } from "node:util/types";
import type { BodyMemory } from "./body-memory.js";
import { free } from "./free.js";

/** An answer as the SDK's middleware passes it on, whichever handler fetched it. */
export interface WireResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body?: unknown;
}

export function isWireResponse(response: unknown): response is WireResponse {
  return (
    typeof response === "object" &&
    response !== null &&
    "statusCode" in response &&
    typeof response.statusCode === "number" &&
    "headers" in response &&
    typeof response.headers === "object" &&
    response.headers !== null
  );
}

/** A header, whatever the case of its name. */
export function header({ headers }: Pick<WireResponse, "headers">, name: string): string | undefined {
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found];
}

/** A body that fails as it is read, so that the SDK's own deserialiser meets the error where it would have met it. */
export function failingBody(error: unknown): Readable {
  return new Readable({
    read() {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    },
  });
}

/** As much as an answer of GetRecords has at most, as JSON. */
const bytesAtMost = 16 * 1_048_576;

interface NodeStream {
  readonly readableEnded?: boolean;
  readonly destroyed?: boolean;
  readonly errored?: Error | null;
  on(event: "data", listener: (chunk: unknown) => void): unknown;
  once(event: "end" | "close", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
}

/** The whole body; undefined for one of a kind that is not known, which has not been touched then. */
export async function collect(response: WireResponse, memories: BodyMemory): Promise<Body | undefined> {
  const { body } = response;
  const collected = new Body(memories, expectedBytes(response));
  if (body === undefined || body === null) return collected;
  if (typeof body !== "object") return undefined;
  if (isUint8Array(body)) collected.add(body);
  else if (body instanceof Blob) collected.add(new Uint8Array(await body.arrayBuffer()));
  else if (isNodeStream(body)) await drain(body, collected);
  else if (isIterable(body)) for await (const chunk of body) collected.add(chunk);
  else return undefined;
  return collected;
}

/** What a body is said to have; a word for it is none, and no reason to take memory for more than there ever was. */
function expectedBytes(response: WireResponse): number {
  const told = Number(header(response, "content-length") ?? 0);
  return Number.isInteger(told) && told >= 0 && told <= bytesAtMost ? told : 0;
}

function isNodeStream(body: object): body is NodeStream {
  return "on" in body && typeof body.on === "function" && "once" in body && typeof body.once === "function";
}

function isIterable(body: object): body is AsyncIterable<unknown> {
  return Symbol.asyncIterator in body;
}

function drain(stream: NodeStream, body: Body): Promise<void> {
  return new Promise((resolve, reject) => {
    // Who listened before may have a chunk for good, and listen no more by the time that it is here.
    const isFirst = stream instanceof IncomingMessage && stream.listenerCount("data") === 0;
    stream.on("data", (chunk) => {
      try {
        body.add(chunk);
        if (isFirst && isOurs(stream)) free(chunk);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.once("end", resolve);
    stream.once("error", reject);
    stream.once("close", () => {
      // Too late to matter after the end.
      reject(cut());
    });
    // What is over says nothing more.
    if (stream.errored) reject(stream.errored);
    else if (stream.readableEnded === true) reject(new Error("the answer's body has been read by another"));
    else if (stream.destroyed === true) reject(cut());
  });
}

/**
 * Whether a chunk of it is nobody else's: Node's parser of HTTP makes each anew, for those who listen or read. One that was
 * made by hand, as a stand-in for an answer in a test is, had nothing come by its socket: it may bring the same chunk again.
 */
function isOurs(stream: IncomingMessage): boolean {
  const socket = stream.socket as Socket | null | undefined;
  const isFromWire = socket?.bytesRead !== undefined && socket.bytesRead > 0;
  return isFromWire && stream.listenerCount("data") === 1 && stream.listenerCount("readable") === 0;
}

/** Named as a cut connection is, so that the SDK tries it again as one. */
function cut(): Error {
  return Object.assign(new Error("the connection closed within the answer"), { code: "ECONNRESET" });
}

/** A body, put together as it comes in: its chunks are garbage at once, and do not get old by waiting for the last one. */
export class Body {
  readonly #memories: BodyMemory;
  #memory: Buffer;
  #length = 0;

  constructor(memories: BodyMemory, expectedBytes: number) {
    this.#memories = memories;
    this.#memory = memories.take(expectedBytes);
  }

  /** What there is of it, where it was put together: it is another's after `letGo`. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** The memory that it takes. */
  get heldBytes(): number {
    return this.#memory.length;
  }

  /** @throws for a chunk that is no bytes: text has lost some by now */
  add(chunk: unknown): void {
    if (!isUint8Array(chunk)) throw new Error("the answer's body comes in chunks that are no bytes");
    const end = this.#length + chunk.length;
    if (end > this.#memory.length) this.#moveInto(this.#memories.take(Math.max(end, 2 * this.#length)));
    this.#memory.set(chunk, this.#length);
    this.#length = end;
  }

  /** All of it, in memory that nothing else is ever put into. */
  copy(): Buffer {
    const memory = Buffer.allocUnsafeSlow(this.#length);
    memory.set(this.bytes);
    return memory;
  }

  /** Only once it is whole: until then its stream might write into it. */
  letGo(): void {
    this.#length = 0;
    this.#moveInto(Buffer.alloc(0));
  }

  #moveInto(memory: Buffer): void {
    const before = this.#memory;
    memory.set(this.bytes);
    this.#memory = memory;
    this.#memories.giveBack(before);
  }
}
