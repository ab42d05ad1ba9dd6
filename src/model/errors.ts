/** Every code an error of this package can carry. */
export const errorCodes = [
  /** An option is missing, out of range or contradicts another. Nothing was written. */
  "invalid-option",
  /** The application's name cannot be used. */
  "invalid-application",
  /** A table has another shape, mode or a newer format than this version can use. */
  "table-mismatch",
  /** A table is gone (deleted while running, or never made and not to be made). */
  "table-missing",
  /** A Java KCL fleet works on the lease table: two fleets would work every partition twice. */
  "kcl-alive",
  /** A row cannot be understood: an unknown checkpoint, say. */
  "invalid-row",
  /** The store throttled the call. */
  "store-throttled",
  /** The store did not answer in time; a write may have been applied. */
  "store-timeout",
  /** The store could not be reached or failed; a write may have been applied. */
  "store-unavailable",
  /** The store refused the credentials or the permission. */
  "store-denied",
  /** The store does not do what was asked. */
  "store-rejected",
  /** The lease is not held any more: the work must stop. */
  "lease-lost",
  /** Less time is left of the lease than was asked for. */
  "lease-short",
  /** A checkpoint behind the last one. */
  "checkpoint-backwards",
  /** A checkpoint beyond what was handed over. */
  "checkpoint-beyond",
  /** A checkpoint was refused by the store: another owner, or a row changed by hand. */
  "checkpoint-refused",
  /** A checkpoint that is no position of this source. */
  "checkpoint-invalid",
  /** `partitionEnded` returned without its checkpoint. */
  "checkpoint-missing",
  /** The stream, or what else is partitioned, does not exist. */
  "source-missing",
  /** The source throttled the call. */
  "source-throttled",
  /** The source failed. */
  "source-unavailable",
  /** The source refused the credentials or the permission. */
  "source-denied",
  /** A record that this version cannot take apart (KPL aggregate). */
  "aggregated-record",
  /** A user's processor threw. */
  "processor-failed",
  /** A processor neither returned nor made progress within its time. */
  "processor-stuck",
  /** A handler file that does not load, or has no usable default export. */
  "handler-invalid",
  /** The worker was stopped, or is not in a state for the call. */
  "worker-stopped",
  /** There is neither a row nor a history of this lease. */
  "lease-missing",
  /** The fleet has no worker of this id. */
  "worker-missing",
  /** The worker is fenced already, or has left. */
  "worker-fenced",
  /** A child process of the supervisor could not be kept running. */
  "child-failed",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** The one error class of this package. Its message says what happened and what to do next. */
export class LeaseholdError extends Error {
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LeaseholdError";
    this.code = code;
    this.retryable = options.retryable ?? false;
  }
}

/**
 * A single call to a store that brought no outcome. `ambiguous` says that a write may have been applied all the same,
 * now or later: the caller must neither assume that it was nor that it was not.
 */
export class StoreError extends LeaseholdError {
  readonly ambiguous: boolean;
  /** What was called, as a policy names action and resource: `dynamodb:UpdateItem on table/orders-fleet`. */
  readonly call: string | undefined;

  constructor(
    code: Extract<ErrorCode, `store-${string}` | "table-missing" | "invalid-row">,
    message: string,
    options: {
      readonly retryable: boolean;
      readonly ambiguous: boolean;
      readonly call?: string;
      readonly cause?: unknown;
    },
  ) {
    super(code, message, options);
    this.name = "StoreError";
    this.ambiguous = options.ambiguous;
    this.call = options.call;
  }
}

/** Whether a value thrown is an error of this package with the given code. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is LeaseholdError {
  return error instanceof LeaseholdError && codes.includes(error.code);
}

/** A message for whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
