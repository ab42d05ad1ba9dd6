import { expect } from "chai";
import { errorCodes, hasCode, LeaseholdError, messageOf, StoreError } from "../../src/model/errors.js";

describe("errors", () => {
  it("have a list of codes without doubles", () => {
    expect(new Set(errorCodes).size).to.equal(errorCodes.length);
    for (const code of errorCodes) expect(code).to.match(/^[a-z]+(-[a-z]+)+$/);
  });

  it("carry code, message and cause, and are not retryable unless they say so", () => {
    const cause = new Error("below");
    const error = new LeaseholdError("lease-lost", "gone", { cause });
    expect(error).to.include({
      name: "LeaseholdError",
      code: "lease-lost",
      message: "gone",
      retryable: false,
    });
    expect(error.cause).to.equal(cause);
    expect(new LeaseholdError("lease-short", "short", { retryable: true }).retryable).to.equal(true);
    expect("cause" in new LeaseholdError("lease-lost", "gone")).to.equal(false);
  });

  it("of a store say whether the write may have been applied", () => {
    const error = new StoreError("store-timeout", "no answer", { retryable: true, ambiguous: true });
    expect(error).to.be.instanceOf(LeaseholdError);
    expect(error).to.include({ name: "StoreError", retryable: true, ambiguous: true });
  });

  it("are told by their code, and nothing else is one of them", () => {
    const error = new LeaseholdError("lease-lost", "gone");
    expect(hasCode(error, "lease-short", "lease-lost")).to.equal(true);
    expect(hasCode(error, "lease-short")).to.equal(false);
    expect(hasCode({ code: "lease-lost" }, "lease-lost")).to.equal(false);
    expect(hasCode(undefined, "lease-lost")).to.equal(false);
  });

  it("have a message whatever was thrown", () => {
    expect(messageOf(new Error("a"))).to.equal("a");
    expect(messageOf("b")).to.equal("b");
    expect(messageOf(undefined)).to.equal("undefined");
  });
});
