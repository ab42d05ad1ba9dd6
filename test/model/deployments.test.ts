import { expect } from "chai";
import { resolveProtocol } from "../../src/model/config.js";
import { followRollout, newestWorkers, type Rollout } from "../../src/model/deployments.js";
import { planLeaving } from "../../src/model/plan-leaving.js";
import { plan } from "../../src/model/plan.js";
import type { PlanSnapshot, PlanWorker } from "../../src/model/plan-snapshot.js";
import { aWorker, fleet, settledMemory, type FleetOptions } from "./plan-fleet.js";

const holdMs = resolveProtocol().deployHoldMs;

/** `{ a: "v1@3" }`: worker a is a deployment of v1 and was the third to join; `"@3"` has no label. */
function labelled(sketch: Readonly<Record<string, string>>): Record<string, Partial<PlanWorker>> {
  return Object.fromEntries(
    Object.entries(sketch).map(([id, said]) => {
      const [label = "", join = "0"] = said.split("@");
      return [id, { join: Number(join), ...(label === "" ? {} : { deployment: label }) }];
    }),
  );
}

function workers(sketch: Readonly<Record<string, string>>): PlanWorker[] {
  return Object.entries(labelled(sketch)).map(([id, special]) => aWorker(id, special));
}

/** A fleet in which the deploy has just begun, unless `since` says how long ago. */
function rolling(
  owners: string,
  sketch: Readonly<Record<string, string>>,
  { since = 0, special = {}, ...more }: FleetOptions & RollingOptions = {},
): PlanSnapshot {
  const said = labelled(sketch);
  for (const [id, extra] of Object.entries(special)) said[id] = { ...said[id], ...extra };
  const snapshot = fleet(owners, { ...more, workers: said });
  const rollout = followRollout(undefined, snapshot.workers, snapshot.nowMs - since);
  return rollout === undefined ? snapshot : { ...snapshot, rollout };
}

interface RollingOptions {
  readonly since?: number;
  readonly special?: Readonly<Record<string, Partial<PlanWorker>>>;
}

function targets(snapshot: PlanSnapshot, leaver = "L"): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { to } of planLeaving(snapshot, leaver)) counts[to] = (counts[to] ?? 0) + 1;
  return counts;
}

const newest = (snapshot: PlanSnapshot): string[] | undefined => {
  const ids = newestWorkers(snapshot);
  return ids === undefined ? undefined : [...ids].sort();
};

describe("the newest deployment", () => {
  it("is that of the highest join, not the one that appeared last: a rollback brings an old label back", () => {
    expect(newest(rolling("", { a: "v1@1", b: "v2@2", c: "v1@3" }))).to.deep.equal(["a", "c"]);
    expect(newest(rolling("", { a: "v1@1", b: "v2@3", c: "v1@2" }))).to.deep.equal(["b"]);
  });

  it("is nobody's while one label is alive, and no label is one", () => {
    expect(newest(rolling("", { a: "v1@1", b: "v1@2" }))).to.equal(undefined);
    expect(newest(rolling("", { a: "@1", b: "@2" }))).to.equal(undefined);
    expect(newest(rolling("", { a: "@1", b: "v1@2" }))).to.deep.equal(["b"]);
    expect(newest(rolling("", { a: "v1@1", b: "@2" }))).to.deep.equal(["b"]);
  });

  it("is the last of three", () => {
    expect(newest(rolling("", { a: "v1@1", b: "v2@2", c: "v3@3" }))).to.deep.equal(["c"]);
  });

  it("is looked for among those that live and stay", () => {
    const sketch = { a: "v1@1", b: "v1@2", c: "v2@3", d: "v3@4" };
    expect(newest(rolling("", sketch, { special: { d: { draining: true } } }))).to.deep.equal(["c"]);
    expect(newest(rolling("", sketch, { special: { d: { live: false }, c: { live: false } } }))).to.equal(
      undefined,
    );
  });

  it("is the same for everybody where rows say nothing of joins", () => {
    expect(newest(rolling("", { a: "v1@0", b: "v2@0" }))).to.deep.equal(["b"]);
    expect(newest(rolling("", { b: "v2@0", a: "v1@0" }))).to.deep.equal(["b"]);
  });

  it("is held to for deployHoldMs, and then the ordinary rules are back", () => {
    const sketch = { a: "v1@1", b: "v2@2" };
    expect(newest(rolling("", sketch, { since: holdMs - 1 }))).to.deep.equal(["b"]);
    expect(newest(rolling("", sketch, { since: holdMs }))).to.equal(undefined);
  });
});

describe("a rolling deploy, followed from read to read", () => {
  const follow = (
    ...reads: readonly (readonly [number, Readonly<Record<string, string>>])[]
  ): Rollout | undefined =>
    reads.reduce<Rollout | undefined>(
      (before, [nowMs, sketch]) => followRollout(before, workers(sketch), nowMs),
      undefined,
    );

  it("begins with the second label and ends with it", () => {
    expect(follow([1, { a: "v1@1" }])).to.equal(undefined);
    expect(follow([1, { a: "v1@1" }], [2, { a: "v1@1", b: "v2@2" }])?.sinceMs).to.equal(2);
    expect(follow([1, { a: "v1@1", b: "v2@2" }], [2, { b: "v2@2" }])).to.equal(undefined);
  });

  it("counts its hold anew while the newest label grows, so that a slow deploy keeps it to its end", () => {
    const began = [1, { a: "v1@1", b: "v1@2", c: "v2@3" }] as const;
    expect(follow(began, [5, began[1]])?.sinceMs).to.equal(1);
    expect(follow(began, [5, { a: "v1@1", c: "v2@3", d: "v2@4" }])?.sinceMs).to.equal(5);
  });

  it("has its hold prolonged by no canary that crashes and comes back, however often", () => {
    const canary = (join: number) => ({ a: "v1@1", c: `v2@${String(join)}` });
    const reads = [10, 20, 30].flatMap(
      (at) =>
        [
          [at, canary(at)],
          [at + 1, { ...canary(at), d: `v1@0` }],
        ] as const,
    );
    expect(follow([1, canary(2)], ...reads)?.sinceMs).to.equal(1);
  });

  it("counts its hold anew when it turns about, for the rollback", () => {
    const half = [1, { a: "v1@1", b: "v2@2" }] as const;
    expect(follow(half, [5, { ...half[1], c: "v1@3" }])?.sinceMs).to.equal(5);
    expect(
      follow(half, [5, { ...half[1], c: "v1@3" }], [9, { ...half[1], c: "v1@3", d: "v1@4" }])?.sinceMs,
    ).to.equal(9);
  });

  it("is given up as one where labels take turns for ever", () => {
    const reads = Array.from(
      { length: 100 },
      (_, i) => [i + 1, { a: "v1@1", b: "v2@2", c: `v${String(1 + (i % 2))}@${String(i + 3)}` }] as const,
    );
    const rollout = follow(...reads);
    expect(rollout?.sinceMs).to.equal(11);
    const grown = workers({ a: "v1@1", b: "v2@2", c: "v2@900", d: "v2@901", e: "v2@902" });
    expect(followRollout(rollout, grown, 500)?.sinceMs).to.equal(11);
  });
});

describe("a leaver in a rolling deploy", () => {
  const old = { A: "v1@1", B: "v1@2", L: "v1@3" };
  const leaving = { L: { draining: true } };

  it("gives its leases to the newest deployment, though older workers are emptier", () => {
    const snapshot = rolling("LLLAAAAAANNNN", { ...old, N: "v2@4" }, { special: leaving });
    // 13 leases of three: 4.33 each. N takes one more and is full; the rest goes to B, the emptiest.
    expect(targets(snapshot)).to.deep.equal({ N: 1, B: 2 });
  });

  it("fills each of the newest to a tenth above the mean, and no further", () => {
    const owners = "L".repeat(60) + "A".repeat(20) + "N".repeat(40);
    const snapshot = rolling(owners, { A: "v1@1", L: "v1@2", N: "v2@3", O: "v2@4" }, { special: leaving });
    // 120 leases of three that stay: 40 each, 44 with the tenth.
    expect(targets(snapshot)).to.deep.equal({ N: 4, O: 44, A: 12 });
  });

  it("fills them by weight", () => {
    const weights = [10, 10, 10, 10, 10, 10];
    const snapshot = rolling("LLLLAA", { A: "v1@1", L: "v1@2", N: "v2@3" }, { weights, special: leaving });
    expect(targets(snapshot)).to.deep.equal({ N: 3, A: 1 });
  });

  it("stops at a worker's own cap, and asks no blind one", () => {
    const special = { ...leaving, N: { maxLeases: 1 }, O: { blind: true } };
    const snapshot = rolling("LLLAB", { ...old, N: "v2@4", O: "v2@5" }, { special });
    expect(targets(snapshot)).to.deep.equal({ N: 1, A: 1, B: 1 });
  });

  it("goes by the ordinary rules once the hold is over", () => {
    const snapshot = rolling("LLLAAAAAANNNN", { ...old, N: "v2@4" }, { special: leaving, since: holdMs });
    expect(targets(snapshot)).to.deep.equal({ B: 3 });
  });

  it("that is itself of the newest gives to its like", () => {
    const snapshot = rolling(
      "LLLLNNAAAAAA",
      { A: "v1@1", B: "v1@2", N: "v2@3", L: "v2@4" },
      { special: leaving },
    );
    expect(targets(snapshot)).to.deep.equal({ N: 2, B: 2 });
  });

  it("that is the only canary gives to all others", () => {
    const snapshot = rolling("LLLLAB", { A: "v1@1", B: "v1@2", L: "v2@3" }, { special: leaving });
    expect(targets(snapshot)).to.deep.equal({ A: 2, B: 2 });
  });

  it("releases all where nobody else is", () => {
    expect(targets(rolling("LL", { L: "v1@1" }, { special: leaving }))).to.deep.equal({});
  });
});

describe("the planner in a rolling deploy", () => {
  const sketch = { A: "v1@1", B: "v1@2", N: "v2@3" };
  const moves = (snapshot: PlanSnapshot): number => plan(snapshot, settledMemory(snapshot)).moves.length;
  const joining = { N: { joining: true } };

  it("fills no newcomer: what it would be given now, a leaver gives it soon", () => {
    expect(moves(rolling("AAAAAABBBBBB", sketch, { special: joining }))).to.equal(0);
    expect(moves(rolling("AAAAAABBBBBB", { ...sketch, N: "v1@3" }, { special: joining }))).to.be.above(0);
  });

  it("moves nothing to who stopped saying that it joins", () => {
    expect(moves(rolling("AAAAAABBBBBB", sketch))).to.equal(0);
    expect(moves(rolling("AAAAAABBBBBB", { ...sketch, N: "v1@3" }))).to.be.above(0);
  });

  it("moves nothing between the newest: the emptier is filled by the next leaver", () => {
    const snapshot = rolling(
      "AAAAAANNNNNN",
      { A: "v1@1", N: "v2@2", O: "v2@3" },
      { special: { O: { joining: true } } },
    );
    expect(moves(snapshot)).to.equal(0);
  });

  it("goes by the ordinary rules once the hold is over", () => {
    expect(moves(rolling("AAAAAABBBBBB", sketch, { special: joining, since: holdMs }))).to.be.above(0);
    expect(moves(rolling("AAAAAABBBBBB", sketch, { since: holdMs }))).to.be.above(0);
  });

  it("goes by the ordinary rules once only one label is left", () => {
    expect(moves(rolling("NNNNNN", { N: "v2@3", O: "v2@4" }))).to.be.above(0);
  });
});
