import { messageOf, StoreError } from "../../model/errors.js";

/** What was asked of the store when it failed: for the message, and to know whether anything can have been applied. */
export interface CallContext {
  readonly table: string;
  /** As a policy names it, without its service: `UpdateItem`. */
  readonly action: string;
  /** The index that is read, where it is one. */
  readonly index?: string | undefined;
  /** A phrase such as `update lease "s1"`. */
  readonly doing: string;
  readonly writes: boolean;
}

const throttles: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "ThrottledException",
  "Throttling",
  "RequestLimitExceeded",
  "LimitExceededException",
  "RequestThrottledException",
  "TooManyRequestsException",
  // Another write to the row was under way: this one was not applied, and may be tried again.
  "TransactionConflictException",
  "ReplicatedWriteConflictException",
]);

/** A policy says no. */
const denials: ReadonlySet<string> = new Set(["AccessDeniedException", "AccessDenied"]);

/** Nobody knows who asks. */
const strangers: ReadonlySet<string> = new Set([
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "IncompleteSignatureException",
  "MissingAuthenticationTokenException",
  "MissingAuthenticationToken",
  "InvalidClientTokenId",
  "ExpiredTokenException",
  "ExpiredToken",
  "CredentialsProviderError",
  "TokenProviderError",
]);

/** The connection was never made, so nothing can have been applied. */
const unconnected: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH"]);

/** The call was sent, or may have been, and no answer came in time. */
const timeouts: ReadonlySet<string> = new Set([
  "AbortError",
  "TimeoutError",
  "RequestTimeout",
  "RequestTimeoutException",
]);

interface Symptoms {
  readonly name: string;
  readonly code: string | undefined;
  readonly status: number | undefined;
}

function symptomsOf(error: unknown): Symptoms {
  if (typeof error !== "object" || error === null) return { name: "", code: undefined, status: undefined };
  const { name, code, $metadata } = error as { name?: unknown; code?: unknown; $metadata?: unknown };
  const status =
    typeof $metadata === "object" && $metadata !== null && "httpStatusCode" in $metadata
      ? $metadata.httpStatusCode
      : undefined;
  return {
    name: typeof name === "string" ? name : "",
    code: typeof code === "string" ? code : undefined,
    status: typeof status === "number" ? status : undefined,
  };
}

/** What is called, as a policy names action and resource. */
function callOf({ action, table, index }: CallContext): string {
  return `dynamodb:${action} on table/${table}${index === undefined ? "" : `/index/${index}`}`;
}

/** What the store answered, in its own words where it had any. */
function answerOf(error: unknown, givenUpFor: unknown): string {
  const { name, status } = symptomsOf(error);
  // Given up by our own hand: the reason says how long was waited.
  if (givenUpFor instanceof Error) return givenUpFor.message;
  // A load balancer answers with a page: what the SDK makes of it is a complaint about its first character.
  if (error instanceof SyntaxError && status !== undefined) return `HTTP status ${String(status)}`;
  return `${name === "" ? "" : `${name}: `}${messageOf(error)}`;
}

/** The name by which the SDK knows an error, `""` for what is none of its. */
export function sdkErrorName(error: unknown): string {
  return symptomsOf(error).name;
}

/**
 * What the SDK threw, as this package's error. Nobody outside this room knows the SDK's names. What is not known is
 * ambiguous and may be tried again: to take it for a refusal would be to assume an outcome.
 * @param givenUpFor why the call was given up, where it was: the SDK's own words for that say nothing
 */
export function toStoreError(error: unknown, context: CallContext, givenUpFor?: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { name, code, status } = symptomsOf(error);
  const said = `${context.doing} in table ${context.table}: ${answerOf(error, givenUpFor)}`;
  const call = callOf(context);
  const make = (
    storeCode: ConstructorParameters<typeof StoreError>[0],
    remedy: string,
    how: { retryable: boolean; ambiguous: boolean },
  ): StoreError =>
    new StoreError(storeCode, `${said}; ${remedy}`, {
      retryable: how.retryable,
      // A read leaves nothing behind.
      ambiguous: how.ambiguous && context.writes,
      call,
      cause: error,
    });

  if (name === "ResourceNotFoundException") {
    return make("table-missing", "the table does not exist, or was deleted; start a worker to make it", {
      retryable: false,
      ambiguous: false,
    });
  }
  if (throttles.has(name) || status === 429) {
    return make(
      "store-throttled",
      `it is tried again; raise the capacity of table ${context.table}, or make it on-demand, if this goes on`,
      {
        retryable: true,
        ambiguous: false,
      },
    );
  }
  if (strangers.has(name) || status === 401) {
    return make("store-denied", "give the worker credentials that are valid, and look at its clock", {
      retryable: false,
      ambiguous: false,
    });
  }
  if (denials.has(name) || status === 403) {
    return make("store-denied", `allow ${call} in the policy of the worker's role`, {
      retryable: false,
      ambiguous: false,
    });
  }
  if (code !== undefined && unconnected.has(code)) {
    return make("store-unavailable", "check the endpoint and the network", {
      retryable: true,
      ambiguous: false,
    });
  }
  if (timeouts.has(name) || code === "ETIMEDOUT") {
    return make("store-timeout", "it is not known whether it was applied", {
      retryable: true,
      ambiguous: true,
    });
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return make("store-rejected", "the store does not do this; trying again will not help", {
      retryable: false,
      ambiguous: false,
    });
  }
  if (/region is missing/i.test(messageOf(error))) {
    return make("store-rejected", "set AWS_REGION, or give the client a region", {
      retryable: false,
      ambiguous: false,
    });
  }
  return make("store-unavailable", "it is not known whether it was applied", {
    retryable: true,
    ambiguous: true,
  });
}
