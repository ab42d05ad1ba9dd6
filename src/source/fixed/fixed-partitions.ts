import { LeaseholdError } from "../../model/errors.js";
import { isFinished, isSentinel, trimHorizon, type Position } from "../../model/position.js";
import { sleep } from "../../runtime/clock.js";
import type {
  OpenPartition,
  PartitionReader,
  PartitionSource,
  SourceFactory,
  SourceFetch,
  SourcePartition,
  SourceRuntime,
} from "../partition-source.js";

/** Work that has names or numbers and no stream: tenants, queues, ranges of a table. */
export interface FixedPartitionsOptions {
  /** For people: what is shared out. Default `partitions`. */
  readonly name?: string;
  /** The names, 1 to 10,000 of them; or how many: then they are `partition-000` and so on, padded to 3 digits or more. */
  readonly partitions: readonly string[] | number;
  /** Between the end of a turn and the next, ms. Default 1,000, minimum 1, at most 24 hours. */
  readonly turnIntervalMs?: number;
}

const optionNames: ReadonlySet<string> = new Set<keyof FixedPartitionsOptions>([
  "name",
  "partitions",
  "turnIntervalMs",
]);
const mostPartitions = 10_000;
const longestIntervalMs = 24 * 3_600_000;
/** A wait is told of as an answer so often: below the shortest time after which a source counts as silent (1,000 ms). */
const answerIntervalMs = 900;

/**
 * A source of partitions that never end and hold no records: whoever holds one gets turns, each an empty batch with the
 * number of the `turn`. A checkpoint is the number of the last turn done, so the next owner goes on with the next one.
 *
 * A name taken out of the list keeps its lease, which is reported: take it away by marking it.
 * @throws LeaseholdError `invalid-option`
 */
export function fixedPartitions(options: FixedPartitionsOptions): SourceFactory {
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    invalid("options", given, "an object", "give { partitions }");
  }
  for (const option of Object.keys(given)) {
    if (!optionNames.has(option)) {
      throw new LeaseholdError(
        "invalid-option",
        `${option} is no option of fixedPartitions; known are ${[...optionNames].join(", ")}`,
      );
    }
  }
  const keys = keysOf(options.partitions);
  const name = options.name ?? "partitions";
  if (typeof name !== "string" || name.length === 0) {
    invalid("name", name, "a string that is not empty", "leave it out for its default");
  }
  const turnIntervalMs = options.turnIntervalMs ?? 1_000;
  if (!isIntegerWithin(turnIntervalMs, 1, longestIntervalMs)) {
    invalid(
      "turnIntervalMs",
      turnIntervalMs,
      `an integer from 1 to ${String(longestIntervalMs)} ms`,
      "leave it out for 1,000",
    );
  }
  return (runtime) => new FixedSource(name, keys, turnIntervalMs, runtime);
}

class FixedSource implements PartitionSource {
  readonly kind = "fixed";
  readonly name: string;
  readonly evolves = false;
  readonly initialPosition = trimHorizon;
  readonly #partitions: readonly SourcePartition[];
  readonly #turnIntervalMs: number;
  readonly #runtime: SourceRuntime;

  constructor(name: string, keys: readonly string[], turnIntervalMs: number, runtime: SourceRuntime) {
    this.name = name;
    this.#partitions = keys.map((partitionKey) => ({ partitionKey, parents: [], open: true }));
    this.#turnIntervalMs = turnIntervalMs;
    this.#runtime = runtime;
  }

  async verify(): Promise<void> {
    // There is nothing that could be missing.
  }

  async list(): Promise<readonly SourcePartition[]> {
    return this.#partitions;
  }

  open(partition: OpenPartition): PartitionReader {
    return new TurnReader(partition, this.#turnIntervalMs, this.#runtime);
  }

  close(): void {
    // It holds nothing.
  }
}

class TurnReader implements PartitionReader {
  readonly #partition: OpenPartition;
  readonly #turnIntervalMs: number;
  readonly #clock: SourceRuntime["clock"];
  readonly #isFinished: boolean;
  #turn: number;
  /** When the next turn's wait began, on the monotonic clock; undefined before the first turn, which waits for nothing. */
  #restingSince: number | undefined;

  constructor(partition: OpenPartition, turnIntervalMs: number, runtime: SourceRuntime) {
    this.#partition = partition;
    this.#turnIntervalMs = turnIntervalMs;
    this.#clock = runtime.clock;
    this.#isFinished = isFinished(partition.checkpoint);
    this.#turn = turnOf(partition.checkpoint);
  }

  async next(signal: AbortSignal): Promise<SourceFetch> {
    signal.throwIfAborted();
    this.#partition.onAnswer();
    if (this.#isFinished) return { kind: "ended", children: [] };
    while (this.#restingSince !== undefined) {
      const leftMs = this.#restingSince + this.#turnIntervalMs - this.#clock.monoMs();
      if (leftMs <= 0) break;
      // Between turns; in pieces, because a source at rest is not a silent one.
      await sleep(this.#clock, Math.min(leftMs, answerIntervalMs), signal);
      signal.throwIfAborted();
      this.#partition.onAnswer();
    }
    this.#turn += 1;
    this.#restingSince = this.#clock.monoMs();
    const lastPosition: Position = { sequenceNumber: String(this.#turn), subSequenceNumber: 0 };
    return { kind: "records", records: [], lastPosition, bytes: 0, turn: this.#turn };
  }

  done(): void {
    this.#restingSince = this.#clock.monoMs();
  }

  close(): void {
    // It holds nothing.
  }
}

/** The last turn done, by a checkpoint: 0 where there was none. */
function turnOf(checkpoint: Position): number {
  if (isSentinel(checkpoint.sequenceNumber)) return 0;
  const turn = Number(checkpoint.sequenceNumber);
  if (!Number.isSafeInteger(turn) || turn < 0) {
    throw new LeaseholdError(
      "checkpoint-invalid",
      `checkpoint is ${JSON.stringify(checkpoint.sequenceNumber)}: of a fixed partition it is the number of a turn; does the table belong to another source?`,
    );
  }
  return turn;
}

function keysOf(partitions: unknown): readonly string[] {
  const remedy = `give 1 to ${String(mostPartitions)} names, or how many there are`;
  if (typeof partitions === "number") {
    if (!isIntegerWithin(partitions, 1, mostPartitions)) {
      invalid("partitions", partitions, `an integer from 1 to ${String(mostPartitions)}`, remedy);
    }
    const digits = Math.max(3, String(partitions - 1).length);
    return Array.from({ length: partitions }, (_, i) => `partition-${String(i).padStart(digits, "0")}`);
  }
  if (!Array.isArray(partitions)) invalid("partitions", partitions, "a list of names or a number", remedy);
  const names: readonly unknown[] = partitions;
  if (names.length < 1 || names.length > mostPartitions) {
    invalid(
      "partitions",
      `a list of ${String(names.length)}`,
      `a list of 1 to ${String(mostPartitions)} names`,
      remedy,
    );
  }
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const field = `partitions[${String(index)}]`;
    // `#` parts keys in the fleet table; white space and control characters make names that people cannot tell apart.
    if (typeof name !== "string" || !/^[^\s\p{C}#]{1,200}$/u.test(name)) {
      invalid(field, name, "1 to 200 printable characters without white space and without #", "rename it");
    }
    if (seen.has(name)) invalid(field, name, "different from every other name", "remove one of the two");
    seen.add(name);
  }
  return [...seen];
}

function isIntegerWithin(value: unknown, minimum: number, maximum: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
}

function invalid(field: string, value: unknown, rule: string, remedy: string): never {
  const shown = typeof value === "string" ? JSON.stringify(value) : `${String(value)} (${typeof value})`;
  throw new LeaseholdError("invalid-option", `${field} is ${shown}: it must be ${rule}; ${remedy}`);
}
