import { header, type WireResponse } from "./body.js";
import { CborReader } from "./cbor-reader.js";
import type { CborFailure } from "./format-choice.js";

export const cborType = "application/x-amz-cbor-1.1";

/** What JSON begins with: none of it begins a map in CBOR. */
const jsonBegins: ReadonlySet<number> = new Set(Buffer.from("{ \t\r\n"));
const majorTypeMap = 5;

/** Whether a body is CBOR. What it begins with counts for more than what its header says. */
export function isCborBody(response: Pick<WireResponse, "headers">, body: Buffer): boolean {
  const first = body[0];
  if (first === undefined || jsonBegins.has(first)) return false;
  return first >> 5 === majorTypeMap || (header(response, "content-type") ?? "").includes("cbor");
}

/** What an error says that answered a request in CBOR. */
export interface WireError {
  /** The error as JSON, for the SDK's own deserialiser. */
  readonly body: Buffer;
  /** Whether it seems that the server does not take CBOR; undefined for an error that has nothing to do with it. */
  readonly failure: CborFailure | undefined;
}

/** What a server says that has not understood a request. */
const typesOfRefusal: ReadonlySet<string> = new Set(["SerializationException", "UnknownOperationException"]);
/** The same without a type. A 403 is what a proxy's page has that refuses everybody, and what is above 500 passes. */
const statusesOfRefusal: ReadonlySet<number> = new Set([400, 404, 415]);
/** Servers that read every request as JSON stumble over CBOR. */
const stumbled = 500;

export function readError(response: WireResponse, body: Buffer): WireError {
  const { statusCode } = response;
  const said = objectIn(response, body);
  const type = typeOf(said) ?? header(response, "x-amzn-errortype");
  const name = type?.replace(/^.*#/, "").replace(/:.*$/, "");
  const isRefusal =
    name === undefined
      ? statusesOfRefusal.has(statusCode) || statusCode === stumbled
      : typesOfRefusal.has(name);
  const kind = statusCode === stumbled ? "stumbled" : "refused";
  const why = `the service answered ${String(statusCode)} ${name ?? "without a type"} to CBOR`;
  return {
    body: said === undefined ? body : Buffer.from(JSON.stringify(said)),
    failure: isRefusal ? { kind, why } : undefined,
  };
}

function objectIn(response: WireResponse, body: Buffer): object | undefined {
  try {
    const value: unknown = isCborBody(response, body)
      ? new CborReader(body).value()
      : JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // A page for people, most likely: whose the error is, its status tells.
    return undefined;
  }
}

function typeOf(said: object | undefined): string | undefined {
  if (said === undefined) return undefined;
  if ("__type" in said && typeof said.__type === "string") return said.__type;
  return "code" in said && typeof said.code === "string" ? said.code : undefined;
}
