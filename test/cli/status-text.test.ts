import { expect } from "chai";
import { statusText } from "../../src/cli/status.js";

const worker = {
  state: "live",
  deployment: null,
  leases: 1,
  load: 0,
  capacity: 64,
  maxLeases: null,
} as const;
const lease = { owner: "w1", epoch: 7, checkpoint: "5", state: "owned", parents: [] } as const;
const fleet = { application: "orders", liveness: "worker", planner: "w1" };

describe("the status for people", () => {
  it("names failing work, stuck processors and rows that cannot be read beneath its tables", () => {
    const problem = 'checkpoint is "BOGUS": it must be a decimal integer';
    const lines = statusText({
      ...fleet,
      workers: [
        { ...worker, workerId: "w1", stuck: [], failing: ["s1", "s2"] },
        { ...worker, workerId: "w2", stuck: ["s3"], failing: [] },
      ],
      leases: [
        { ...lease, leaseKey: "s1" },
        { ...lease, leaseKey: "s2", owner: "java-1", state: "foreign" },
        { ...lease, leaseKey: "s4", owner: null, epoch: null, checkpoint: null, state: "invalid", problem },
      ],
    }).split("\n");
    expect(lines).to.include("LEASE  OWNER   EPOCH  CHECKPOINT  STATE    PARENTS");
    expect(lines.slice(-6)).to.deep.equal([
      "",
      "owned by no worker of this fleet, by a Java KCL worker most likely: s2 (java-1)",
      "work fails in w1: s1 s2",
      "stuck processors in w2: s3",
      `row s4 cannot be read: ${problem}`,
      "",
    ]);
  });

  it("shows what each worker is a deployment of", () => {
    const lines = statusText({
      ...fleet,
      workers: [
        { ...worker, workerId: "w1", deployment: "2.0.1", stuck: [], failing: [] },
        { ...worker, workerId: "w2", stuck: [], failing: [] },
      ],
      leases: [],
    }).split("\n");
    expect(lines.slice(2, 5)).to.deep.equal([
      "WORKER  STATE  DEPLOYMENT  LEASES  LOAD  CAPACITY",
      "w1      live   2.0.1            1     0        64",
      "w2      live   -                1     0        64",
    ]);
  });

  it("ends with its tables where nothing is wrong", () => {
    const text = statusText({
      ...fleet,
      workers: [{ ...worker, workerId: "w1", stuck: [], failing: [] }],
      leases: [{ ...lease, leaseKey: "s1" }],
    });
    expect(text.trimEnd().split("\n").at(-1)).to.match(/^s1 /);
  });
});
