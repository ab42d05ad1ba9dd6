import { Readable } from "node:stream";

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

/** What is announced beyond this is not believed before it comes. An answer of GetRecords has 10 MiB of payload at most. */
const preparedBytes = 64 * 1_048_576;

interface NodeStream {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  once(event: "end" | "close", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
}

/**
 * The whole body, in memory of its own that nothing else is ever put into; undefined for a body of a kind that is not
 * known, which has not been touched then.
 */
export async function collect(response: WireResponse): Promise<Buffer | undefined> {
  const { body } = response;
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (typeof body !== "object") return undefined;
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  const whole = new Whole(Number(header(response, "content-length")));
  if (isNodeStream(body)) await drain(body, whole);
  else if (isIterable(body)) for await (const chunk of body) whole.add(chunk);
  else return undefined;
  return whole.bytes();
}

function isNodeStream(body: object): body is NodeStream {
  return "on" in body && typeof body.on === "function" && "once" in body && typeof body.once === "function";
}

function isIterable(body: object): body is AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in body;
}

function drain(stream: NodeStream, whole: Whole): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk) => {
      whole.add(chunk);
    });
    stream.once("end", resolve);
    stream.once("error", reject);
    // Too late to matter after the end. Named as a cut connection is, so that the SDK tries it again as one.
    stream.once("close", () => {
      reject(Object.assign(new Error("the connection closed within the answer"), { code: "ECONNRESET" }));
    });
  });
}

/** Chunks, put together as they come: none of them is kept beside what it was copied to. */
class Whole {
  #bytes: Buffer;
  #length = 0;

  constructor(announced: number) {
    this.#bytes = Buffer.allocUnsafeSlow(announced > 0 && announced <= preparedBytes ? announced : 0);
  }

  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length, 65_536));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}
