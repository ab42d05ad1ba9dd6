import { expect } from "chai";
import { FormatChoice, type CborFailure } from "../../../../src/source/kinesis/wire/format-choice.js";

const failure = (kind: CborFailure["kind"]): CborFailure => ({ kind, why: `the service ${kind}` });

describe("the choice of a format", () => {
  /** One that has read CBOR. */
  function proven(): FormatChoice {
    const choice = new FormatChoice(false);
    choice.cborWorked();
    return choice;
  }

  /** Asks CBOR at this time, in vain, and at once JSON, with success. */
  function refuse(choice: FormatChoice, atMs: number): boolean {
    expect(choice.cborFailed(failure("refused"), "place", atMs, atMs)).to.equal(true);
    return choice.jsonWorked(failure("refused"));
  }

  it("keeps JSON in the third moment, five seconds each, and tells it once", () => {
    const choice = proven();
    const kept = [0, 1, 4_999, 5_000, 9_999, 10_000, 10_001].map((atMs) => refuse(choice, atMs));
    expect(kept).to.deep.equal([false, false, false, false, false, true, false]);
    expect(choice.keepsJson).to.equal(true);
  });

  it("counts by when a call began: one that hung since the last moment belongs to that", () => {
    const choice = proven();
    expect(choice.cborFailed(failure("refused"), "a", 0, 6_000)).to.equal(true);
    expect(choice.cborFailed(failure("refused"), "b", 5_500, 12_000)).to.equal(true);
    expect(choice.cborFailed(failure("refused"), "c", 11_000, 11_000)).to.equal(true);
    expect(choice.jsonWorked(failure("refused"))).to.equal(false);
    expect(refuse(choice, 16_000)).to.equal(true);
  });

  it("counts from the start after an answer in CBOR, and after a failure in JSON", () => {
    for (const meanwhile of ["cborWorked", "jsonFailed"] as const) {
      const choice = proven();
      refuse(choice, 0);
      refuse(choice, 5_000);
      choice[meanwhile]();
      const kept = [10_000, 15_000, 20_000].map((atMs) => refuse(choice, atMs));
      expect(kept, meanwhile).to.deep.equal([false, false, true]);
    }
  });

  it("has a service that stumbles asked as JSON once in three moments", () => {
    const choice = proven();
    const asked = [0, 5_000, 10_000, 10_001, 15_000, 20_000].map((atMs) => {
      const isAsked = choice.cborFailed(failure("stumbled"), "place", atMs, atMs);
      if (isAsked) choice.jsonFailed();
      return isAsked;
    });
    expect(asked).to.deep.equal([false, false, true, false, false, false]);
  });

  it("has a place that could not be read asked as JSON once, and forgets those of a thousand who never come back", () => {
    const choice = proven();
    const broken = failure("broken");
    expect(choice.cborFailed(broken, "place", 0, 0)).to.equal(false);
    expect(choice.takeUnread("another")).to.equal(undefined);
    expect(choice.takeUnread("place")).to.equal(broken);
    expect(choice.takeUnread("place")).to.equal(undefined);
    for (let at = 0; at <= 1_000; at++) choice.cborFailed(broken, String(at), 0, 0);
    expect(choice.takeUnread("0")).to.equal(undefined);
    expect(choice.takeUnread("1000")).to.equal(broken);
  });
});
