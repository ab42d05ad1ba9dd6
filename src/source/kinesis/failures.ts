import { LeaseholdError, messageOf } from "../../model/errors.js";

/**
 * What a failed call means. `expired`: the iterator is too old. `missing`: no such stream, or no such shard. `invalid`: the
 * request cannot succeed as it is. `credentials`: refused now, which new credentials or a corrected clock may mend.
 * `passing`: the network, a time-out, a fault of the service.
 */
export type FailureKind =
  "expired" | "throttled" | "missing" | "denied" | "credentials" | "invalid" | "passing";

const kinds: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ["ExpiredIteratorException", "expired"],
  ["ExpiredNextTokenException", "expired"],
  ["ProvisionedThroughputExceededException", "throttled"],
  ["LimitExceededException", "throttled"],
  ["KMSThrottlingException", "throttled"],
  ["Throttling", "throttled"],
  ["ThrottlingException", "throttled"],
  ["ThrottledException", "throttled"],
  ["RequestLimitExceeded", "throttled"],
  ["TooManyRequestsException", "throttled"],
  ["ResourceNotFoundException", "missing"],
  ["AccessDeniedException", "denied"],
  ["AccessDenied", "denied"],
  ["KMSAccessDeniedException", "denied"],
  ["KMSDisabledException", "denied"],
  ["KMSInvalidStateException", "denied"],
  ["KMSNotFoundException", "denied"],
  ["KMSOptInRequired", "denied"],
  ["UnrecognizedClientException", "denied"],
  ["InvalidClientTokenId", "denied"],
  ["MissingAuthenticationTokenException", "denied"],
  ["IncompleteSignatureException", "denied"],
  ["NotAuthorized", "denied"],
  ["OptInRequired", "denied"],
  ["CredentialsProviderError", "credentials"],
  ["ExpiredTokenException", "credentials"],
  ["InvalidSignatureException", "credentials"],
  ["RequestExpired", "credentials"],
  ["InvalidArgumentException", "invalid"],
  ["ValidationException", "invalid"],
  ["SerializationException", "invalid"],
  ["UnknownOperationException", "invalid"],
]);

export function failureKind(error: unknown): FailureKind {
  if (hasNoRegion(error)) return "invalid";
  return (error instanceof Error ? kinds.get(error.name) : undefined) ?? "passing";
}

/** The SDK's own errors for it have no names; waiting mends neither. */
function hasNoRegion(error: unknown): boolean {
  const why = messageOf(error);
  return why === "Region is missing" || why.startsWith("Region not accepted");
}

/** What a failure of a whole stream is told as. */
export function streamError(stream: string, error: unknown): LeaseholdError {
  if (error instanceof LeaseholdError) return error;
  const why = messageOf(error);
  if (hasNoRegion(error)) {
    return new LeaseholdError(
      "source-unavailable",
      `the stream ${stream} cannot be looked for: ${why}; set AWS_REGION, or the region of your profile`,
      { cause: error },
    );
  }
  switch (failureKind(error)) {
    case "missing":
      return new LeaseholdError(
        "source-missing",
        `the stream ${stream} does not exist: ${why}; create it, or check streamName, region, account and endpoint`,
        { cause: error },
      );
    case "denied":
    case "credentials":
      return new LeaseholdError(
        "source-denied",
        `the stream ${stream} may not be read: ${why}; needed are kinesis:ListShards, kinesis:GetShardIterator and kinesis:GetRecords (and kms:Decrypt for an encrypted stream), with credentials that the AWS SDK finds`,
        { cause: error },
      );
    case "invalid":
      return new LeaseholdError("source-unavailable", `the stream ${stream} refused the request: ${why}`, {
        cause: error,
      });
    case "throttled":
      return new LeaseholdError(
        "source-throttled",
        `the stream ${stream} throttles: ${why}; it is read again, more slowly; a shard is read five times a second by all its consumers together`,
        { retryable: true, cause: error },
      );
    case "expired":
    case "passing":
      return new LeaseholdError(
        "source-unavailable",
        `the stream ${stream} could not be read: ${why}; check region, endpoint and network if it lasts`,
        { retryable: true, cause: error },
      );
  }
}
