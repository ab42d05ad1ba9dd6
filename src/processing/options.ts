import { LeaseholdError } from "../model/errors.js";
import type { Processor, Work } from "./processor.js";

/** `automatic`: a batch is done when `process` returns. `explicit`: only what the processor checkpoints is done. */
export const checkpointModes = ["automatic", "explicit"] as const;
export type CheckpointMode = (typeof checkpointModes)[number];

/**
 * What follows a failed callback. `retry`: back-off, then the same again. `give-up`: the lease is released and whoever
 * takes it tries. `stop`: the lease is kept and nothing more is handed over of this partition; `status` shows why.
 */
export const failureDecisions = ["retry", "give-up", "stop"] as const;
export type FailureDecision = (typeof failureDecisions)[number];

export interface FailureContext {
  readonly leaseKey: string;
  /** The callback that failed: `process`, `initialize`, `partitionEnded` or `factory`. */
  readonly callback: string;
  /** Failures in a row, this one included. */
  readonly failures: number;
}

/** How processors are run. */
export interface ProcessingOptions {
  /** Default `automatic`. */
  readonly checkpointing?: CheckpointMode;
  readonly retry?: {
    /** Back-off after the first failure in a row, in ms; it doubles from there. Default 1,000, minimum 1. */
    readonly firstMs?: number;
    /** Longest back-off, in ms. Default 60,000, minimum `firstMs`. */
    readonly longestMs?: number;
  };
  /** Decides what follows a failure; must answer at once. Default: always `retry`, for ever. */
  readonly onError?: (error: unknown, context: FailureContext) => FailureDecision;
}

/** The same, resolved. */
export interface ProcessingConfig {
  readonly checkpointing: CheckpointMode;
  readonly firstMs: number;
  readonly longestMs: number;
  readonly onError: ((error: unknown, context: FailureContext) => FailureDecision) | undefined;
}

const longestMs = 24 * 3_600_000;

/** A value for an error's message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return `a value of type ${typeof value}`;
}

function invalid(name: string, value: unknown, rule: string): never {
  throw new LeaseholdError(
    "invalid-option",
    `${name} is ${show(value)}: it must be ${rule}; leave it out for its default`,
  );
}

function onlyKnown(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new LeaseholdError(
        "invalid-option",
        `${name}${key} is no processing option; known are ${known.join(", ")}`,
      );
    }
  }
}

function durationMs(name: string, value: unknown, fallback: number, minimum: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < minimum || value > longestMs) {
    invalid(name, value, `an integer from ${String(minimum)} to ${String(longestMs)} ms`);
  }
  return value;
}

/**
 * Fills in the defaults and checks every option.
 * @throws LeaseholdError `invalid-option` naming the option, its value and what it may be
 */
export function resolveProcessing(options: ProcessingOptions = {}): ProcessingConfig {
  onlyKnown("", options, ["checkpointing", "retry", "onError"]);
  const checkpointing = options.checkpointing ?? "automatic";
  if (!checkpointModes.includes(checkpointing)) {
    invalid("checkpointing", checkpointing, checkpointModes.map(show).join(" or "));
  }
  const retry: unknown = options.retry ?? {};
  if (typeof retry !== "object" || retry === null) {
    invalid("retry", retry, "an object of firstMs and longestMs");
  }
  onlyKnown("retry.", retry, ["firstMs", "longestMs"]);
  const firstMs = durationMs("retry.firstMs", options.retry?.firstMs, 1_000, 1);
  const onError: unknown = options.onError;
  if (onError !== undefined && typeof onError !== "function") invalid("onError", onError, "a function");
  return {
    checkpointing,
    firstMs,
    longestMs: durationMs("retry.longestMs", options.retry?.longestMs, Math.max(60_000, firstMs), firstMs),
    onError: options.onError,
  };
}

function isProcessor(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && "process" in value && typeof value.process === "function"
  );
}

/**
 * Checks what a user gave as a processor.
 * @throws LeaseholdError `invalid-option`
 */
export function checkProcessor(value: Work | undefined): Work {
  const given: unknown = value;
  if (value !== undefined && (typeof given === "function" || isProcessor(given))) return value;
  throw new LeaseholdError(
    "invalid-option",
    `processor is ${show(given)}: it must be an object with a process(batch, lease) method, or a function that returns one for each tenure`,
  );
}

/**
 * Checks what a factory returned.
 * @throws LeaseholdError `invalid-option`
 */
export function checkMade(value: Processor): Processor {
  if (isProcessor(value)) return value;
  throw new LeaseholdError(
    "invalid-option",
    `the processor factory returned ${show(value)}: it must return an object with a process(batch, lease) method, and not a promise of one (use initialize for what takes time)`,
  );
}
