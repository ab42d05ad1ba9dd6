import type { GetRecordsCommand } from "@aws-sdk/client-kinesis";
import { messageOf } from "../../../model/errors.js";
import type { BodyMemory } from "./body-memory.js";
import { collect, failingBody, isWireResponse, type Body, type WireResponse } from "./body.js";
import { decodeCbor } from "./cbor-records.js";
import { encodeCbor } from "./cbor-request.js";
import type { Decoded } from "./decoded.js";
import { cborType, isCborBody, readError } from "./format.js";
import type { CborFailure } from "./format-choice.js";
import { decodeJson } from "./json-slices.js";
import type { SealedRecords } from "./sealed-records.js";

/** What an exchange took out of an answer, beside the SDK's own output: so no attempt's records come with another's output. */
export const takenOut = Symbol("records");

export interface WithTaken {
  /** Undefined where the SDK's own deserialiser read the records. */
  readonly [takenOut]?: SealedRecords | undefined;
}

/** By what answers are read. */
export interface Reading {
  /** Where bodies are read. */
  readonly memories: BodyMemory;
  /** Whether payloads are copied; else they are views that keep the whole body. */
  readonly copy: boolean;
  /** See `decodeJson`. */
  readonly firstPlace: number;
}

/**
 * One GetRecords on the wire, as middleware of its own command: no other command, and no other use of the client, meets it.
 * Its places are given by step and priority alone, next to the wire, which all versions of the SDK understand alike. The
 * SDK's own deserialiser gets a stand-in without the records and does all the rest: errors, metadata, iterator, children.
 */
export class RecordsExchange {
  readonly #reading: Reading;
  #isCbor: boolean;
  /** By the response that each came in: middleware of the client may have two attempts under way at once. */
  readonly #decoded = new WeakMap<object, SealedRecords>();
  #hasReadCbor = false;
  /** What the last attempt's failure says of CBOR. */
  #failure: CborFailure | undefined;

  constructor(format: "cbor" | "json", reading: Reading) {
    this.#isCbor = format === "cbor";
    this.#reading = reading;
  }

  get hasReadCbor(): boolean {
    return this.#hasReadCbor;
  }

  get failure(): CborFailure | undefined {
    return this.#failure;
  }

  addTo({ middlewareStack }: GetRecordsCommand): void {
    middlewareStack.add(
      (next) => (args) => {
        // Before the signature, so that it fits.
        if (this.#isCbor) this.#isCbor = rewrite(args.request, args.input);
        return next(args);
      },
      { step: "serialize", priority: "low", name: "leaseholdRecordsRequest" },
    );
    middlewareStack.add(
      (next) => async (args) => {
        // An attempt before this one may have left something.
        this.#failure = undefined;
        const result = await next(args);
        if (isWireResponse(result.response)) await this.#take(result.response);
        return result;
      },
      { step: "deserialize", priority: "low", name: "leaseholdRecordsAnswer" },
    );
    middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const decoded = isWireResponse(result.response) ? this.#decoded.get(result.response) : undefined;
        if (result.output !== undefined)
          Object.assign(result.output, { [takenOut]: decoded } satisfies WithTaken);
        return result;
      },
      { step: "deserialize", priority: "high", name: "leaseholdRecordsOutput" },
    );
  }

  async #take(response: WireResponse): Promise<void> {
    const isFailure = response.statusCode >= 300;
    // A failure of JSON is the SDK's own matter.
    if (isFailure && !this.#isCbor) return;
    try {
      const body = await collect(response, this.#reading.memories);
      if (body === undefined) return;
      if (isFailure) this.#takeFailure(response, body);
      else this.#takeRecords(response, body);
    } catch (error) {
      response.body = failingBody(error);
    }
  }

  #takeFailure(response: WireResponse, body: Body): void {
    const error = readError(response, body.copy());
    this.#failure = error.failure;
    response.body = error.body;
    body.letGo();
  }

  #takeRecords(response: WireResponse, body: Body): void {
    // Who asked for JSON has the SDK's own deserialiser read whatever else comes.
    const isCbor = this.#isCbor && isCborBody(response, body.bytes);
    const decoded = isCbor ? this.#fromCbor(body) : fromJson(body.bytes, this.#reading.firstPlace);
    response.body = decoded === undefined ? body.copy() : Buffer.from(JSON.stringify(decoded.rest));
    if (decoded !== undefined) this.#decoded.set(response, decoded.records);
    // Records in CBOR are made of it later.
    if (!isCbor) body.letGo();
  }

  #fromCbor(body: Body): Decoded {
    const { memories, copy } = this.#reading;
    try {
      const decoded = decodeCbor(body, memories, copy);
      this.#hasReadCbor = true;
      return decoded;
    } catch (error) {
      // The SDK adds words of its own to the message.
      this.#failure = { kind: "broken", why: messageOf(error) };
      throw error;
    }
  }
}

function fromJson(body: Buffer, firstPlace: number): Decoded | undefined {
  try {
    return decodeJson(body, firstPlace);
  } catch {
    // Not as Kinesis writes it: the SDK's own deserialiser reads it, or says what is wrong with it.
    return undefined;
  }
}

/** Makes CBOR of a request; false where it stays as it is. */
function rewrite(request: unknown, input: object): boolean {
  if (typeof request !== "object" || request === null || !("headers" in request)) return false;
  const body = encodeCbor(input);
  if (body === undefined) return false;
  const headers = request.headers as Record<string, string>;
  for (const name of Object.keys(headers)) {
    // The length is counted later; in no version before this.
    if (/^content-(type|length)$/i.test(name)) Reflect.deleteProperty(headers, name);
  }
  headers["content-type"] = cborType;
  Object.assign(request, { body });
  return true;
}
