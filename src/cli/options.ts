import { InvalidArgumentError } from "commander";
import type { CheckpointMode } from "../index.js";
import { UsageError } from "./output.js";

/** A parser for commander: its error names the value and what it may be; commander adds the option's name. */
export function integerBetween(minimum: number, maximum: number, unit = ""): (value: string) => number {
  return (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= minimum && number <= maximum)) {
      throw new InvalidArgumentError(
        `It must be an integer from ${String(minimum)} to ${String(maximum)}${unit}.`,
      );
    }
    return number;
  };
}

/** `a,b,c` or `64`. */
export function partitionsOption(value: string): readonly string[] | number {
  // `-1` and `1.5` are numbers that somebody mistyped, not the names of single partitions.
  if (value.trim() !== "" && !Number.isNaN(Number(value))) return integerBetween(1, 10_000)(value);
  const names = value.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) {
    throw new InvalidArgumentError("Give names between commas, as in a,b,c, or how many, as in 64.");
  }
  if (new Set(names).size !== names.length) {
    throw new InvalidArgumentError("A name stands in it twice; each partition needs a name of its own.");
  }
  return names;
}

export type InitialPosition = "TRIM_HORIZON" | "LATEST" | { readonly timestamp: string };

/** `TRIM_HORIZON`, `LATEST` or an instant of ISO 8601. */
export function initialPositionOption(value: string): InitialPosition {
  if (value === "TRIM_HORIZON" || value === "LATEST") return value;
  if (isInstant(value)) return { timestamp: value };
  throw new InvalidArgumentError(
    "It must be TRIM_HORIZON, LATEST or an instant with its zone, as in 2026-01-31T12:00:00Z.",
  );
}

/** An instant of ISO 8601. */
export function instantOption(value: string): Date {
  if (isInstant(value)) return new Date(value);
  throw new InvalidArgumentError("It must be an instant with its zone, as in 2026-01-31T12:00:00Z.");
}

function isInstant(value: string): boolean {
  // Without a zone it would mean another instant on another machine.
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)T[\d:.]+(Z|[+-]\d\d:?\d\d)$/.exec(value) ?? [];
  // Date.parse takes the 31st of February for the 3rd of March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay && !Number.isNaN(Date.parse(value));
}

/** The values of `--checkpointing`. */
export const checkpointModes = ["automatic", "explicit"] as const satisfies readonly CheckpointMode[];

/** The source of `run`: exactly one of the two options. */
export function checkSource(options: { readonly stream?: string; readonly partitions?: unknown }): void {
  if (options.stream !== undefined && options.partitions !== undefined) {
    throw new UsageError(
      `--stream ${options.stream} and --partitions are both given: a worker works one of them; leave the other out`,
    );
  }
  if (options.stream === undefined && options.partitions === undefined) {
    throw new UsageError(
      "neither --stream nor --partitions is given: name the Kinesis stream (--stream orders) or the partitions (--partitions a,b,c or --partitions 64)",
    );
  }
}
