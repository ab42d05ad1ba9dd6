import { expect } from "chai";
import { hasCode, messageOf } from "../../src/model/errors.js";
import { checkMeta } from "../../src/model/format.js";

const meta = { liveness: "worker", format: 1, joins: 3 };

function refusal(found: Parameters<typeof checkMeta>[0]): string {
  try {
    checkMeta(found);
  } catch (error) {
    expect(hasCode(error, "table-mismatch")).to.be.true;
    return messageOf(error);
  }
  throw new Error("it was accepted");
}

describe("what the tables say of themselves", () => {
  it("is accepted in this version's mode and format", () => {
    expect(() => checkMeta(meta)).to.not.throw();
  });

  it("is refused in another mode, naming both", () => {
    expect(refusal({ ...meta, liveness: "lease" })).to.match(/"lease".*"worker"/);
  });

  it("is refused in a newer format, written by a newer version", () => {
    expect(refusal({ ...meta, format: 2 })).to.match(/format 2, written by a newer version.*up to 1/);
  });

  it("is refused in a format older than is read", () => {
    expect(refusal({ ...meta, format: 0 })).to.match(/format 0.*from 1 up/);
  });
});
