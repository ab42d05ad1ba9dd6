import { expect } from "chai";
import { Trace } from "../../src/testing/trace.js";
import { InvariantViolation } from "../../src/testing/violation.js";

describe("a trace", () => {
  it("is lines of JSON, with times to the microsecond and maps as objects", () => {
    const trace = new Trace({ keep: "all" });
    trace.add({ t: 1.23456, who: "0.1", type: "beat-sent", mail: new Map([["k", 1]]) });
    trace.add({ t: 2, who: "fault", kind: "crash" });
    expect(trace.text()).to.equal(
      '{"t":1.235,"who":"0.1","type":"beat-sent","mail":{"k":1}}\n{"t":2,"who":"fault","kind":"crash"}\n',
    );
    expect(trace.digest()).to.match(/^[0-9a-f]{64}$/);
    const other = new Trace({ keep: "all" });
    other.add({ t: 1, who: "0.1" });
    expect(other.digest()).not.to.equal(trace.digest());
  });

  it("keeps the newest lines only, unless asked for all", () => {
    const trace = new Trace({ lines: 10 });
    const all = new Trace({ keep: "all", lines: 10 });
    for (let t = 0; t < 100; t++) {
      trace.add({ t, who: "w" });
      all.add({ t, who: "w" });
    }
    expect(trace.count).to.equal(100);
    expect(trace.last()).to.deep.equal(Array.from({ length: 10 }, (_, i) => `{"t":${i + 90},"who":"w"}`));
    expect(trace.last(2)).to.have.length(2);
    expect(all.text().split("\n")).to.have.length(101);
  });
});

describe("a violation", () => {
  it("says what, in which seed and when, with the end of the trace", () => {
    const error = new InvariantViolation("one-believer", "two believe in a", {
      seed: "7",
      atMs: 1_234.5,
      trace: ['{"t":1}'],
    });
    expect(error.message).to.equal(
      'one-believer is violated in seed 7 at 1234.500 ms: two believe in a\n  {"t":1}',
    );
    expect(error).to.include({ invariant: "one-believer", seed: "7", atMs: 1_234.5 });
  });
});
