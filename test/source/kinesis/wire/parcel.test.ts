import { expect } from "chai";
import { Parcel } from "../../../../src/source/kinesis/wire/parcel.js";

describe("a parcel", () => {
  it("is opened once: what is gone does not pass for empty", () => {
    const content = { records: [] };
    const parcel = new Parcel(content);
    expect(parcel.open()).to.equal(content);
    expect(() => parcel.open()).to.throw("taken by another");
  });
});
