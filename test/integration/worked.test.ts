import { expect } from "chai";
import type { Seen } from "../../src/testing/index.js";
import { workedIn } from "./suite/worked.js";

const said = (message: string, fields: Readonly<Record<string, unknown>>): Seen => ({
  type: "logged",
  level: "info",
  message,
  fields: { leaseKey: "shard", ...fields },
  label: "w1",
  atMs: 0,
});
const batch = { texts: ["one", "two"], to: "20" };

describe("what a fleet of the integration suite has worked", () => {
  it("is what a handler has said done to, whatever becomes of its tenure", () => {
    expect([...workedIn([said("working", batch), said("done", batch)])]).to.deep.equal(["one", "two"]);
  });

  it("is what a later tenure begins after, when its worker was killed before it could say done", () => {
    const killed = [said("begin", { from: "TRIM_HORIZON" }), said("working", batch)];
    expect([...workedIn(killed)]).to.deep.equal([]);
    expect([...workedIn([...killed, said("begin", { from: "20" })])]).to.deep.equal(["one", "two"]);
  });

  it("is not what a later tenure begins before, nor what one of another lease begins after", () => {
    const working = said("working", batch);
    expect([...workedIn([working, said("begin", { from: "19" })])]).to.deep.equal([]);
    expect([...workedIn([working, said("begin", { leaseKey: "other", from: "20" })])]).to.deep.equal([]);
  });

  it("is never what nobody was handed, though a tenure begins after it", () => {
    expect([...workedIn([said("begin", { from: "20" })])]).to.deep.equal([]);
  });
});
