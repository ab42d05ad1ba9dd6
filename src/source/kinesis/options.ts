import type { KinesisClient, KinesisClientConfig } from "@aws-sdk/client-kinesis";
import { LeaseholdError } from "../../model/errors.js";
import { position, type Position } from "../../model/position.js";

/** A Kinesis stream, read by polling. */
export interface KinesisOptions {
  /** The stream's name, 1 to 128 of A-Z a-z 0-9 _ . -; this or `streamArn`. */
  readonly streamName?: string;
  /** The stream's ARN, for streams of another account; this or `streamName`. */
  readonly streamArn?: string;
  /**
   * Where a shard begins of which nothing is known. Default `TRIM_HORIZON`, the oldest record there is, because nothing
   * is lost by it; the Java KCL's default is `LATEST`.
   *
   * A lease at `LATEST` loses nothing within one tenure; a tenure that ends before its first checkpoint leaves `LATEST`
   * to the next. With a timestamp, children of shards that ended before it are read from their start, as by the KCL.
   */
  readonly initialPosition?: "TRIM_HORIZON" | "LATEST" | { readonly timestamp: Date | string };
  /** Records of one read at most. Default 10,000, from 1 to 10,000. */
  readonly maxRecords?: number;
  /** Between two reads of a shard that has nothing new, ms. Default 1,000, minimum 200 (five reads a second a shard). */
  readonly idlePollIntervalMs?: number;
  /** Whether a read that brought nothing is handed over too. Default false. */
  readonly emptyBatches?: boolean;
  /** Records read ahead of the processor, per shard, at most. Default 30,000, minimum 1. One read is always made ahead. */
  readonly prefetchRecords?: number;
  /** Payload bytes read ahead per shard: above it no further read begins. Default 8 MiB, minimum 1. */
  readonly prefetchBytes?: number;
  /**
   * Memory of what all shards of the worker have read and no processor has begun, and of what reads under way can bring:
   * above it no further read begins, above half of it none that no processor waits for. In bytes: an answer in CBOR waits as it
   * came, with 32 bytes a record beside it, in memory of twice that size at most; of JSON, or with `wire: "sdk"`, each record
   * counts for 300 beside its payload. Default 64 MiB, minimum 1: one answer (10 MiB of payload at most) is always let through.
   *
   * Two answers may come on top of it, and those that came more than 2 s after they were asked for: for an answer that may
   * never come nobody waits longer. A shard is taken to be written at 2 MB/s at most, twice Kinesis's limit.
   */
  readonly prefetchTotalBytes?: number;
  /**
   * Whether a record's `data` is a view of the whole answer that it came in. By default it lies in a piece of 64 KiB at most,
   * so that a record which is kept after its batch holds on to no more than that (or to itself, where it is larger). With
   * `true` a record that is kept keeps all of its batch's answer, 10 MiB and more: for processors that are done with every
   * record, or have copied it, when they return. Either way others' bytes lie beside it in `data.buffer`: hand on `data`,
   * never its `buffer`, and transfer neither. What comes as JSON lies in such pieces in any case, and with `wire: "sdk"` where
   * the SDK puts it: small payloads in the memory that Node shares among buffers. Default false.
   */
  readonly zeroCopy?: boolean;
  /**
   * What becomes of a record that the KPL has aggregated of many. `error` stops the shard there with `aggregated-record`;
   * `raw` hands it over as it is. Default `error`.
   */
  readonly aggregated?: "error" | "raw";
  /**
   * How records come over the wire. `auto` asks for CBOR, whose payloads need no decoding, and goes on with JSON once a
   * service does not take it (told once, as `source-fallback`); `json` asks for JSON from the start, decoded fast all the
   * same; `sdk` leaves it to the AWS SDK, which costs several times the CPU. Only with `sdk` does middleware of your client
   * see records in what GetRecords brings. Default `auto`.
   */
  readonly wire?: Wire;
  /**
   * Makes the client, of defaults that suit polling (HTTP/1.1 with keep-alive, no retries of its own): spread them, then
   * yours. A client made here is yours to destroy. Default: the SDK's usual region, credentials and endpoint.
   */
  readonly client?: (defaults: KinesisClientConfig) => KinesisClient;
}

/** The values of `wire`. */
export const wires = ["auto", "json", "sdk"] as const;
export type Wire = (typeof wires)[number];

export interface KinesisConfig {
  readonly stream: { readonly StreamName: string } | { readonly StreamARN: string };
  readonly name: string;
  readonly initialPosition: Position;
  /** Of `AT_TIMESTAMP`. */
  readonly timestampMs: number | undefined;
  readonly maxRecords: number;
  readonly idlePollIntervalMs: number;
  readonly emptyBatches: boolean;
  readonly prefetchRecords: number;
  readonly prefetchBytes: number;
  readonly prefetchTotalBytes: number;
  readonly zeroCopy: boolean;
  readonly aggregated: "error" | "raw";
  readonly wire: Wire;
  readonly client: ((defaults: KinesisClientConfig) => KinesisClient) | undefined;
}

/** Kinesis answers so many reads of a shard a second. */
export const readSpacingMs = 200;

const namePattern = /^[A-Za-z0-9_.-]{1,128}$/;
const arnPattern = /^arn:[^:]+:kinesis:[^:]+:[^:]+:stream\/([A-Za-z0-9_.-]{1,128})$/;
const optionNames: ReadonlySet<string> = new Set<keyof KinesisOptions>([
  "streamName",
  "streamArn",
  "initialPosition",
  "maxRecords",
  "idlePollIntervalMs",
  "emptyBatches",
  "prefetchRecords",
  "prefetchBytes",
  "prefetchTotalBytes",
  "zeroCopy",
  "aggregated",
  "wire",
  "client",
]);

/**
 * Fills in the defaults and checks every option.
 * @throws LeaseholdError `invalid-option` naming the option, its value, what it may be and what to do
 */
export function resolveKinesis(options: KinesisOptions): KinesisConfig {
  // Checked for callers without types.
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    invalid("options", given, "an object", "give { streamName } or { streamArn }");
  }
  for (const name of Object.keys(given)) {
    if (!optionNames.has(name))
      invalid(name, "given", `one of ${[...optionNames].join(", ")}`, "correct its name");
  }
  const { aggregated = "error", wire = "auto", emptyBatches = false, zeroCopy = false, client } = options;
  // Checked for callers without types.
  if (!["error", "raw"].includes(aggregated)) {
    invalid("aggregated", aggregated, `"error" or "raw"`, 'leave it out for "error"');
  }
  if (!wires.includes(wire)) {
    invalid("wire", wire, wires.map((name) => JSON.stringify(name)).join(", "), 'leave it out for "auto"');
  }
  if (typeof emptyBatches !== "boolean") {
    invalid("emptyBatches", emptyBatches, "true or false", "leave it out for false");
  }
  if (typeof zeroCopy !== "boolean") {
    invalid("zeroCopy", zeroCopy, "true or false", "leave it out for false");
  }
  if (client !== undefined && typeof client !== "function") {
    invalid(
      "client",
      client,
      "a function that makes a client",
      "give (defaults) => new KinesisClient({ ...defaults })",
    );
  }
  return {
    ...streamOf(options),
    ...initialPositionOf(options.initialPosition ?? "TRIM_HORIZON"),
    maxRecords: integer("maxRecords", options.maxRecords ?? 10_000, 1, 10_000),
    idlePollIntervalMs: integer(
      "idlePollIntervalMs",
      options.idlePollIntervalMs ?? 1_000,
      readSpacingMs,
      3_600_000,
    ),
    emptyBatches,
    prefetchRecords: integer("prefetchRecords", options.prefetchRecords ?? 30_000, 1, 10_000_000),
    prefetchBytes: integer("prefetchBytes", options.prefetchBytes ?? 8 * 1_048_576, 1, 2 ** 40),
    prefetchTotalBytes: integer(
      "prefetchTotalBytes",
      options.prefetchTotalBytes ?? 64 * 1_048_576,
      1,
      2 ** 40,
    ),
    zeroCopy,
    aggregated,
    wire,
    client,
  };
}

function streamOf({ streamName, streamArn }: KinesisOptions): Pick<KinesisConfig, "stream" | "name"> {
  if ((streamName === undefined) === (streamArn === undefined)) {
    const given = streamName === undefined ? "neither" : "both";
    invalid(
      "streamName",
      `${given} of streamName and streamArn`,
      "one of the two",
      "give the stream's name or its ARN",
    );
  }
  if (streamName !== undefined) {
    if (typeof streamName !== "string" || !namePattern.test(streamName)) {
      invalid("streamName", streamName, "1 to 128 characters of A-Z a-z 0-9 _ . -", "give the stream's name");
    }
    return { stream: { StreamName: streamName }, name: streamName };
  }
  const name = typeof streamArn === "string" ? arnPattern.exec(streamArn)?.[1] : undefined;
  if (streamArn === undefined || name === undefined) {
    invalid(
      "streamArn",
      streamArn,
      "arn:aws:kinesis:REGION:ACCOUNT:stream/NAME",
      "give the stream's ARN, or streamName",
    );
  }
  return { stream: { StreamARN: streamArn }, name };
}

function initialPositionOf(
  given: Exclude<KinesisOptions["initialPosition"], undefined>,
): Pick<KinesisConfig, "initialPosition" | "timestampMs"> {
  if (given === "LATEST" || given === "TRIM_HORIZON") {
    return { initialPosition: position(given), timestampMs: undefined };
  }
  const rule = `"TRIM_HORIZON", "LATEST" or { timestamp } with a Date or an ISO 8601 string`;
  // Checked for callers without types.
  const timestamp: unknown =
    typeof given === "object" ? (given as { timestamp?: unknown } | null)?.timestamp : undefined;
  if (!(timestamp instanceof Date) && typeof timestamp !== "string") {
    invalid("initialPosition", given, rule, 'leave it out for "TRIM_HORIZON"');
  }
  const timestampMs = new Date(timestamp).getTime();
  if (Number.isNaN(timestampMs)) {
    invalid("initialPosition.timestamp", timestamp, "a valid time", "give a Date or an ISO 8601 string");
  }
  return { initialPosition: position("AT_TIMESTAMP"), timestampMs };
}

function integer(name: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum || value > maximum) {
    const rule = `an integer from ${String(minimum)} to ${String(maximum)}`;
    invalid(name, value, rule, "leave it out for its default");
  }
  return value;
}

function invalid(name: string, value: unknown, rule: string, remedy: string): never {
  throw new LeaseholdError("invalid-option", `${name} is ${show(value)}: it must be ${rule}; ${remedy}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date) return "an invalid Date";
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return `a ${typeof value}`;
}
