import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { cbor, Time } from "./cbor-writer.js";

export const secretAccessKey = "canned-secret";

/** What the server says next, in the format that it is asked in unless `as` says otherwise. */
export type Answer =
  | { readonly kind: "answer"; readonly body: object; readonly as?: Format }
  | { readonly kind: "error"; readonly status: number; readonly body: object; readonly as?: Format }
  | {
      readonly kind: "page";
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly text: string;
    }
  /** The text stands for both formats: it is neither. */
  | { readonly kind: "broken"; readonly text: string }
  /** The connection breaks in the middle of the body. */
  | { readonly kind: "cut"; readonly body: object }
  /** Nothing comes: not even the head, or no more than half of the body. */
  | { readonly kind: "silent"; readonly body?: object };

export type Format = "json" | "cbor";

export interface Asked {
  readonly format: Format;
  readonly action: string;
  readonly headers: IncomingMessage["headers"];
  /** Whether the signature is the one that the secret makes of just this request. */
  readonly isSigned: boolean;
}

export interface CannedKinesis {
  readonly endpoint: string;
  readonly asked: Asked[];
  /** Said in turn; the last is said for ever. */
  script: Answer[];
  /** What is said to CBOR, where the server does not take it. */
  refusal: Answer | undefined;
  /** Told of each request. */
  onAsked: () => void;
  stop(): Promise<void>;
}

const types: Record<Format, string> = {
  json: "application/x-amz-json-1.1",
  cbor: "application/x-amz-cbor-1.1",
};

/** A body with `Uint8Array` for payloads and `Time` for times, written as Kinesis writes it. */
export function written(body: object, format: Format): Buffer {
  if (format === "cbor") return cbor(body);
  const inJson = (item: unknown): unknown => {
    if (item instanceof Uint8Array) return Buffer.from(item).toString("base64");
    if (item instanceof Time) return item.ms / 1_000;
    if (Array.isArray(item)) return item.map(inJson);
    if (typeof item !== "object" || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, member]) => [name, inJson(member)]));
  };
  return Buffer.from(JSON.stringify(inJson(body)));
}

/** A Kinesis that says what a test tells it to, in both formats, and looks at every signature. */
export async function startCannedKinesis(): Promise<CannedKinesis> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const format = request.headers["content-type"]?.includes("cbor") === true ? "cbor" : "json";
      const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
      asked.push({ format, action, headers: request.headers, isSigned: isSigned(request, body) });
      const { script } = canned;
      const next =
        format === "cbor" && canned.refusal !== undefined
          ? canned.refusal
          : script.length > 1
            ? script.shift()
            : script[0];
      if (next !== undefined) say(response, next, format);
      canned.onAsked();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const canned: CannedKinesis = {
    endpoint: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked,
    script: [],
    refusal: undefined,
    onAsked: () => {},
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return canned;
}

function say(response: ServerResponse, answer: Answer, asked: Format): void {
  const head = (status: number, headers: Record<string, string>): void => {
    response.writeHead(status, { "x-amzn-requestid": "request-1", "x-amz-id-2": "id-2", ...headers });
  };
  switch (answer.kind) {
    case "answer":
    case "error": {
      const format = answer.as ?? asked;
      const bytes = written(answer.body, format);
      const status = answer.kind === "error" ? answer.status : 200;
      head(status, { "content-type": types[format], "content-length": String(bytes.length) });
      response.end(bytes);
      return;
    }
    case "page":
      head(answer.status, { "content-type": "text/html", ...answer.headers });
      response.end(answer.text);
      return;
    case "broken":
      head(200, { "content-type": types[asked] });
      response.end(answer.text);
      return;
    case "cut":
    case "silent": {
      if (answer.body === undefined) return;
      const bytes = written(answer.body, asked);
      head(200, { "content-type": types[asked], "content-length": String(bytes.length) });
      response.write(bytes.subarray(0, bytes.length >> 1), () => {
        if (answer.kind === "cut") response.destroy();
      });
    }
  }
}

/** Signature version 4, computed once more. */
function isSigned({ method, url, headers }: IncomingMessage, body: Buffer): boolean {
  const parts =
    /Credential=[^/]+\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)/;
  const [, date = "", region = "", service = "", names = "", signature] =
    parts.exec(headers.authorization ?? "") ?? [];
  const hash = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");
  const canonical = [
    method,
    url,
    "",
    ...names.split(";").map((name) => `${name}:${String(headers[name]).trim()}`),
    "",
    names,
    hash(body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hash(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac("sha256", key).update(toSign).digest("hex") === signature;
}
