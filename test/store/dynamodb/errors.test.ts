import { expect } from "chai";
import { StoreError } from "../../../src/model/errors.js";
import { sdkErrorName, toStoreError } from "../../../src/store/dynamodb/errors.js";
import { serviceError, socketError } from "./stub.js";

const writing = { table: "orders", action: "UpdateItem", doing: 'write lease "s1"', writes: true };
const named = (name: string, message = "said the SDK"): Error => Object.assign(new Error(message), { name });

const verdicts: Readonly<Record<string, readonly [unknown, string, boolean, boolean]>> = {
  "a missing table": [serviceError("ResourceNotFoundException"), "table-missing", false, false],
  "exceeded capacity": [
    serviceError("ProvisionedThroughputExceededException"),
    "store-throttled",
    true,
    false,
  ],
  "a throttled control call": [serviceError("ThrottlingException"), "store-throttled", true, false],
  "too many requests for the account": [serviceError("RequestLimitExceeded"), "store-throttled", true, false],
  "too many table operations at once": [
    serviceError("LimitExceededException"),
    "store-throttled",
    true,
    false,
  ],
  "a status 429 under any name": [serviceError("Slower", 429), "store-throttled", true, false],
  "a conflict with a transaction": [
    serviceError("TransactionConflictException"),
    "store-throttled",
    true,
    false,
  ],
  "a missing permission": [serviceError("AccessDeniedException"), "store-denied", false, false],
  "an unknown client": [serviceError("UnrecognizedClientException"), "store-denied", false, false],
  "an expired token": [serviceError("ExpiredTokenException"), "store-denied", false, false],
  "no credentials": [named("CredentialsProviderError"), "store-denied", false, false],
  "a status 403 under any name": [serviceError("Forbidden", 403), "store-denied", false, false],
  "an aborted call": [named("AbortError"), "store-timeout", true, true],
  "a call that took too long": [named("TimeoutError"), "store-timeout", true, true],
  "a connection that timed out": [socketError("ETIMEDOUT"), "store-timeout", true, true],
  "a reset connection": [socketError("ECONNRESET"), "store-unavailable", true, true],
  "a broken pipe": [socketError("EPIPE"), "store-unavailable", true, true],
  "a refused connection": [socketError("ECONNREFUSED"), "store-unavailable", true, false],
  "a host without an address": [socketError("ENOTFOUND"), "store-unavailable", true, false],
  "a failure of the service": [serviceError("InternalServerError", 500), "store-unavailable", true, true],
  "an unavailable service": [serviceError("ServiceUnavailable", 503), "store-unavailable", true, true],
  "an invalid request": [serviceError("ValidationException"), "store-rejected", false, false],
  "an operation that the store does not know": [
    serviceError("UnknownOperationException"),
    "store-rejected",
    false,
    false,
  ],
  "a missing region": [new Error("Region is missing"), "store-rejected", false, false],
  "an error that nobody knows": [new Error("?"), "store-unavailable", true, true],
  "a thrown string": ["?", "store-unavailable", true, true],
  "a thrown null": [null, "store-unavailable", true, true],
};

describe("errors of DynamoDB", () => {
  for (const [what, [thrown, code, retryable, ambiguous]] of Object.entries(verdicts)) {
    const traits = `${retryable ? "" : "not "}retryable, ${ambiguous ? "" : "not "}ambiguous`;
    it(`${what} is ${code}, ${traits}`, () => {
      const error = toStoreError(thrown, writing);
      expect(error).to.be.instanceOf(StoreError);
      expect([error.code, error.retryable, error.ambiguous]).to.deep.equal([code, retryable, ambiguous]);
      expect(error.cause).to.equal(thrown === null ? null : thrown);
    });
  }

  it("a failed read leaves nothing in doubt", () => {
    const error = toStoreError(named("TimeoutError"), { ...writing, writes: false });
    expect([error.retryable, error.ambiguous]).to.deep.equal([true, false]);
  });

  it("says what was done, in which table, and what to do next", () => {
    const { message } = toStoreError(serviceError("AccessDeniedException"), writing);
    expect(message).to.equal(
      'write lease "s1" in table orders: AccessDeniedException: said the store; allow dynamodb:UpdateItem on table/orders in the policy of the worker\'s role',
    );
  });

  it("leaves errors alone that are its own already", () => {
    const own = new StoreError("invalid-row", "?", { retryable: false, ambiguous: false });
    expect(toStoreError(own, writing)).to.equal(own);
  });

  it("knows the SDK's name of an error, and of nothing else", () => {
    expect(sdkErrorName(serviceError("X"))).to.equal("X");
    expect([sdkErrorName(undefined), sdkErrorName({ name: 1 })]).to.deep.equal(["", ""]);
  });
});
